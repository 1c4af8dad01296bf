import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { confirmationFor } from '../../electron/ceremony/destroy.ts'
import { runGenesis } from '../../electron/ceremony/runner.ts'
import { verifyFiles } from '../../electron/evidence/verify.ts'
import type { UnlockedPerson } from '../../electron/vault/people.ts'
import { readPeople } from '../../electron/vault/people-store.ts'
import { copiesOf } from '../../shared/domain/ledger.ts'
import { keysOf } from '../../shared/domain/state.ts'
import { parsePlan } from '../../shared/formats/plan.ts'
import { parseShareFile, shareFile, shareHeader } from '../../shared/formats/share-file.ts'
import { failure, GENESIS, PEOPLE, Room, T0, tenantPlan } from './fixtures.ts'

/** A custodian's share on their own medium (vault.md, "People and roster"), from genesis on. */

vi.mock('../../electron/vault/kdf.ts', () => import('../faults/harness/cheap-kdf.ts'))

const PLAN = {
  ...GENESIS,
  people: PEOPLE.map((person) => ({ ...person, ...(person.id === 'clara' && { share: 'medium' }) })),
}
const WITH_CLARA = ['ada', 'clara', 'emmy', 'grace']

let base: string
let born: Room
beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'keyrite-share-'))
  born = await genesis(PLAN)
  await born.onboard(tenantPlan('acme'))
})
afterAll(() => rmSync(base, { recursive: true, force: true }))

async function genesis(plan: object): Promise<Room> {
  const folder = join(base, `room-${readdirSync(base).length}`)
  mkdirSync(folder)
  const room = new Room(folder, new Map(), T0)
  const { vault } = await runGenesis(room.ports(), parsePlan(JSON.stringify(plan)))
  const people = vault.present as ReadonlyMap<string, UnlockedPerson>
  vault.close()
  return new Room(folder, people, room.clock.now())
}
const copy = () => born.copy(join(base, `room-${readdirSync(base).length}`))
const shares = (room: Room) => readdirSync(room.shares).sort()
const headerIn = (room: Room, name: string) => shareHeader(parseShareFile(readFileSync(join(room.shares, name))))

describe('genesis', () => {
  it('writes one .share file for the owner alone, of the strict format, and no entry in people.json', async () => {
    const room = copy()
    const [name = '', ...more] = shares(room)
    expect([name, more]).toEqual([expect.stringMatching(/^share-[0-9a-f]{8}-\d{8}T\d{6}Z\.share$/), []])
    expect(statSync(join(born.shares, name)).mode & 0o777).toBe(0o600)
    const { vaultId, holders } = await room.state()
    expect(headerIn(room, name)).toEqual({ vaultId, person: 'clara', epoch: 1 })
    expect(holders).toEqual({ ada: 'vault', blaise: 'vault', clara: 'medium' })
    expect(readPeople(room.vault).people['clara']?.shares).toEqual({})
    await room.verify()
  })

  it('a quorum with her opens keys from it', async () => {
    const room = copy()
    await room.run({ kind: 'onboard', tenants: [tenantPlan('later')] }, { present: WITH_CLARA })
    await room.verify()
  })

  it('refused with a share for somebody who is no custodian: nothing is made', async () => {
    const people = PEOPLE.map((person) => ({ ...person, ...(person.id === 'emmy' && { share: 'medium' }) }))
    expect(await failure(genesis({ ...GENESIS, people }))).toMatchObject({ code: 'people-invalid' })
  })
})

describe('destroy', () => {
  it('deals anew: a new share file for her; the old one opens nothing any more, and the ledger names it', async () => {
    const room = copy()
    const [stale = ''] = shares(room)
    const [key] = keysOf(await room.state(), 'acme')
    const kid = key?.kid ?? ''
    await room.run({ kind: 'emergency', scope: { key: kid }, reason: 'stolen' })
    const destroy = { kind: 'destroy', keys: [kid], reason: 'It was stolen' }
    const { state } = await room.run(destroy, { confirm: [confirmationFor([kid])], present: WITH_CLARA })
    expect(state.epoch).toBe(2)
    const fresh = shares(room).filter((name) => name !== stale)
    expect(fresh.map((name) => headerIn(room, name).epoch)).toEqual([2])
    const erased = state.keys.get(kid)
    expect(erased && copiesOf(state, erased)).toContainEqual(
      expect.objectContaining({ id: 'shares:1', status: 'open', evidence: expect.stringContaining('clara') }),
    )
    const later = { kind: 'onboard', tenants: [tenantPlan('later')] }
    for (const name of fresh) rmSync(join(room.shares, name))
    expect(await failure(room.run(later, { present: WITH_CLARA }))).toMatchObject({
      code: 'share-invalid',
      message: expect.stringMatching(/clara is of epoch 1.*epoch 2/),
    })
  })
})

it('fault 28 of its folder: links and strange files in it are passed over', async () => {
  const room = copy()
  cpSync(room.vault, join(room.shares, 'strange.share'), { recursive: true })
  await room.run({ kind: 'onboard', tenants: [tenantPlan('later')] }, { present: WITH_CLARA })
})

it('keyrite verify knows such a file, says whose it is, and calls it consistent at most', async () => {
  const [anchor = ''] = readdirSync(born.media).filter((name) => name.startsWith('trust-anchor-'))
  const { files } = await verifyFiles([born.shares], join(born.media, anchor), born.clock.now())
  expect(files).toEqual([
    expect.objectContaining({
      kind: 'share',
      standing: 'consistent',
      facts: [expect.stringContaining('clara in epoch 1')],
    }),
  ])
})

describe('the format', () => {
  const jwe = () => parseShareFile(readFileSync(join(born.shares, shares(born)[0] ?? '')))
  it('reads back what it writes', () => {
    expect(parseShareFile(Buffer.from(shareFile(jwe())))).toBe(jwe())
  })
  it.each<[string, (jwe: string) => string]>([
    ['without its line feed', (text) => text],
    ['with two lines', (text) => `${text}\n\n`],
    ['with four parts', (text) => `${text.split('.').slice(1).join('.')}\n`],
    ['with other characters', (text) => `${text}+\n`],
    ['empty', () => ''],
  ])('%s: format-invalid', (_what, change) => {
    const bytes = Buffer.from(change(jwe()))
    expect(() => parseShareFile(bytes)).toThrow(expect.objectContaining({ code: 'format-invalid' }))
  })
})
