import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { resumeCeremony } from '../../electron/ceremony/runner.ts'
import type { CeremonyResult } from '../../electron/ceremony/steps.ts'
import { type FileReport, verifyFiles } from '../../electron/evidence/verify.ts'
import { parsePlan } from '../../shared/formats/plan.ts'
import { type CeremonyRecord, parseRecord } from '../../shared/formats/record.ts'
import { failure, filesOf, type Genesis, makeGenesis, PEOPLE, PRESENT, type Room, tenantPlan } from './fixtures.ts'

/**
 * Who was there at the start, who joined, who left, who signed. Any quorum may go on with a ceremony, and whatever they
 * do, its record verifies: it never needs the signature of somebody who cannot give it.
 */

const EVERYONE = PEOPLE.map(({ id }) => id)
const PLAN = { kind: 'onboard', tenants: [tenantPlan('acme')] }

let genesis: Genesis
beforeAll(async () => {
  genesis = await makeGenesis()
})
afterAll(() => genesis.remove())

/** Stops after the step that is told with these words, as a power cut would. */
const stopAt = (words: string) => (text: string) => {
  if (text.includes(words)) throw new Error('plug')
}

/** An onboarding that stopped after its first step, begun by everybody but Clara. */
async function stopped(present: readonly string[] = PRESENT): Promise<Room> {
  const room = genesis.room()
  const say = stopAt('Check the machine')
  await expect(room.run(PLAN, { present, ports: (ports) => ({ ...ports, say }) })).rejects.toThrow('plug')
  return room
}

function resume(room: Room, present: readonly string[], say?: (text: string) => void): Promise<CeremonyResult> {
  return room.withVault((vault) => {
    const ports = room.ports()
    return resumeCeremony(say ? { ...ports, say } : ports, vault, parsePlan, { confirm: [], acceptTail: true })
  }, present)
}

async function verified({ recordFolder }: CeremonyResult, room: Room): Promise<CeremonyRecord & { said: FileReport }> {
  const anchor = filesOf(room.media).find((name) => name.startsWith('trust-anchor-')) ?? ''
  const report = await verifyFiles([recordFolder], join(room.media, anchor), room.clock.now())
  expect(report.files.filter((file) => !file.ok)).toEqual([])
  const said = report.files.find((file) => file.kind === 'record')
  expect(said?.standing).toBe('verified')
  expect(said?.facts.join()).toContain('Replayed from the log beside it')
  if (!said) throw new Error('No record is in the report.')
  return { ...parseRecord(readFileSync(join(recordFolder, 'record.json'))), said }
}
const ids = (people: readonly { id: string }[]): string[] => people.map(({ id }) => id).sort()

describe('who was there', () => {
  it('without a break: those who began it are there to the end and sign', async () => {
    const room = genesis.room()
    const { result } = await room.run(PLAN)
    const { record, signatures, said } = await verified(result, room)
    expect(record.attendance).toEqual([{ at: record.startedAt, present: PRESENT }])
    expect(ids(record.participants)).toEqual([...PRESENT].sort())
    expect(Object.keys(signatures).sort()).toEqual([...PRESENT].sort())
    expect(said.remarks).toEqual([])
  })

  it('somebody who began it cannot come back: the others finish, and the record says that they have not signed', async () => {
    const room = await stopped()
    const { record, signatures, said } = await verified(await resume(room, ['ada', 'blaise', 'grace']), room)
    expect(record.attendance.map(({ present }) => present)).toEqual([PRESENT, ['ada', 'blaise', 'grace']])
    expect(ids(record.participants)).toEqual([...PRESENT].sort())
    expect(Object.keys(signatures).sort()).toEqual(['ada', 'blaise', 'grace'])
    expect(said.remarks).toEqual(['Emmy Noether took part, was not there at the end and has not signed.'])
    expect(record.deviations.at(-1)?.happened).toContain('emmy did not come back.')
  })

  it('the very person who noted a step cannot come back: the step stays theirs', async () => {
    const room = await stopped()
    const { record, said } = await verified(await resume(room, ['ada', 'blaise', 'emmy']), room)
    expect(record.steps[0]?.by).toBe('grace')
    expect(said.remarks).toEqual(['Grace Hopper took part, was not there at the end and has not signed.'])
  })

  it('somebody joins on resuming and is missing at the end', async () => {
    const room = await stopped()
    await expect(resume(room, EVERYONE, stopAt('Make the keys'))).rejects.toThrow('plug')
    const { record, signatures, said } = await verified(await resume(room, PRESENT), room)
    expect(record.attendance.map(({ present }) => [...present].sort())).toEqual([
      [...PRESENT].sort(),
      [...EVERYONE].sort(),
      [...PRESENT].sort(),
    ])
    expect(ids(record.participants)).toEqual([...EVERYONE].sort())
    expect(Object.keys(signatures).sort()).toEqual([...PRESENT].sort())
    expect(said.remarks).toEqual(['Clara Immerwahr took part, was not there at the end and has not signed.'])
  })

  it('other custodians finish it than began it, each with their own approvals', async () => {
    const room = await stopped(['ada', 'blaise', 'emmy', 'grace'])
    const { record, said } = await verified(await resume(room, ['blaise', 'clara', 'emmy', 'grace']), room)
    expect(ids(record.participants)).toEqual([...EVERYONE].sort())
    expect(said.remarks).toEqual(['Ada Lovelace took part, was not there at the end and has not signed.'])
    const page = readFileSync(join(room.records, record.ceremony, 'record.html'), 'utf8')
    expect(page).toMatch(
      /<bdi>Ada Lovelace<\/bdi><\/td>.*from the start, until \d\d:\d\d:\d\d UTC<\/td><td><b>not signed<\/b>/,
    )
    expect(page).toMatch(/<bdi>Clara Immerwahr<\/bdi><\/td>.*<td>from \d\d:\d\d:\d\d UTC<\/td><td>agrees<\/td>/)
  })

  it('the same people go on: nothing but the interruption is noted', async () => {
    const room = await stopped()
    const { record } = await verified(await resume(room, PRESENT), room)
    expect(record.attendance).toHaveLength(1)
    expect(record.deviations.at(-1)?.happened).toBe('It was interrupted after the step “Check the machine”.')
  })

  it('fewer than M custodians cannot go on, whoever they are', async () => {
    const room = await stopped()
    const before = room.content()
    expect((await failure(resume(room, ['clara', 'emmy', 'grace']))).code).toBe('quorum-missing')
    expect(room.content()).toEqual(before)
  })
})
