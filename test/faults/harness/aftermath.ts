import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { writtenOf } from '../../../electron/ceremony/record.ts'
import { abortCeremony, type CeremonyResult, resumeCeremony } from '../../../electron/ceremony/runner.ts'
import { verifyFiles } from '../../../electron/evidence/verify.ts'
import { copiesOf } from '../../../shared/domain/ledger.ts'
import { SCRIPTS } from '../../../shared/domain/script.ts'
import { type Ceremony, openCeremony, type VaultState } from '../../../shared/domain/state.ts'
import { parsePlan } from '../../../shared/formats/plan.ts'
import { parseRecord } from '../../../shared/formats/record.ts'
import { failure, filesOf, Room, tenantPlan } from '../../ceremony/fixtures.ts'
import { type Ready, readPlan, runReady } from '../../ceremony/kinds.ts'
import { quickKeys } from './quick-keys.ts'
import { namesIn, shapeOf } from './snapshots.ts'

/** What must hold of a room in which a ceremony was stopped: it goes on to the same end, or is closed, and nothing stays. */

/** What a ceremony brought about, without what differs from one run to the next. */
export const outcome = (state: VaultState) => ({
  tenants: [...state.tenants.keys()],
  keys: [...state.keys.values()].map((key) => [
    key.tenant,
    key.spec,
    key.times.propagation,
    key.compromised !== null,
    key.destroyed !== null,
    key.certificate?.grade,
    key.replaces !== null,
  ]),
  sealed: state.sealed.size,
  runtimes: [...state.runtimes.values()].map((runtime) => [
    runtime.runtimeId,
    runtime.handoffs.flatMap((handoff) => (handoff.exported ? [[handoff.number, handoff.keys.length]] : [])),
    runtime.receipts.upTo,
  ]),
  certificates: state.certificates.map(({ id }) => id),
  epoch: state.epoch,
  ceremonies: [...state.ceremonies.values()].map(({ id, kind, done, ended }) => [
    id,
    kind,
    done.map(({ step }) => step),
    ended?.how,
  ]),
})

/** The end of an undisturbed run: what every stopped one must come to. */
export type Whole = { outcome: object; shape: string[] }

export async function wholeOf(room: Room): Promise<Whole> {
  return { outcome: outcome(await room.state()), shape: shapeOf(namesIn(room)) }
}

/** Goes on with the open ceremony a minute later. */
export async function resume(room: Room, { confirm, present }: Ready, acceptTail = true): Promise<CeremonyResult> {
  room.clock.advance(60)
  return room.withVault(
    (vault) => resumeCeremony(quickKeys(room.ports()), vault, parsePlan, { confirm, acceptTail }),
    present,
  )
}

/**
 * Brings a room in which `ready` was stopped anywhere to its end and checks that end: the same outcome and files as an
 * undisturbed run, every record and file on the medium verified, nothing unfinished left. Gives the finished room.
 */
export async function survives(room: Room, ready: Ready, whole: Whole): Promise<Room> {
  const { people, recordFolder } = await finish(room, ready)
  const after = new Room(room.base, people, room.clock.now())
  const state = await after.withVault((vault) => vault.state, ready.present)
  expect(outcome(state)).toEqual(whole.outcome)
  // A void journal that the kill left stays until the next write, and that follows below.
  const names = namesIn(after).filter((path) => !path.endsWith('vault.db-journal'))
  expect(shapeOf(names)).toEqual(whole.shape)
  await everythingVerifies(after, recordFolder)
  return after
}

type Finished = { recordFolder: string; people: Room['people'] }

async function finish(room: Room, ready: Ready): Promise<Finished> {
  const again = async (): Promise<Finished> => {
    const { result, people } = await runReady({ ...ready, room }, { ports: quickKeys })
    return { recordFolder: result.recordFolder, people }
  }
  if (!existsSync(room.vault)) return again()
  const state = await room.withVault((vault) => vault.state, ready.present)
  const open = openCeremony(state)
  const { people } = room
  if (open) {
    const { recordFolder, steps } = await resume(room, ready)
    expect(steps.map(({ step }) => step)).toEqual(SCRIPTS[open.kind].map(({ id }) => id))
    const { record } = parseRecord(readFileSync(join(recordFolder, 'record.json')))
    expect(record.deviations.at(-1)?.happened).toMatch(/^It was interrupted /)
    return { recordFolder, people }
  }
  const last = [...state.ceremonies.values()].at(-1)
  if (last?.kind !== ready.plan.kind || last.planDigest !== readPlan(ready.plan).digest) return again()
  expect((await failure(resume(room, ready))).code).toBe('ceremony-unknown')
  return { recordFolder: await recordAgain(room, ready, last), people }
}

/** Another ceremony is refused, and so is going on without a look at the tail; both change nothing. */
export async function othersRefused(room: Room, ready: Ready): Promise<void> {
  if (!existsSync(room.vault)) return
  const state = await room.withVault((vault) => vault.state, ready.present)
  if (!openCeremony(state)) return
  for (const folder of [room.media, room.records]) mkdirSync(folder, { recursive: true })
  await room.refused({ kind: 'rotate', tenants: 'all' }, 'ceremony-open', { present: ready.present })
  const before = room.content()
  expect((await failure(resume(room, ready, false))).code).toBe('vault-tail')
  expect(room.content()).toEqual(before)
}

/** A closed ceremony's record is written again from the vault alone, unless it is there already. */
function recordAgain(room: Room, { present }: Ready, { id }: Ceremony): Promise<string> {
  const folder = join(room.records, id)
  return room.withVault(async (vault) => {
    if (existsSync(join(folder, 'SHA256SUMS'))) return folder
    return room.ports().writeRecord(writtenOf(vault, id))
  }, present)
}

async function everythingVerifies(room: Room, recordFolder: string): Promise<void> {
  expect(await room.verify()).toMatchObject({ tail: null })
  const names = filesOf(room.media)
  const anchor = names.find((name) => name.startsWith('trust-anchor-')) ?? ''
  const paths = [
    recordFolder,
    ...names.filter((name) => /^(bundle|material|succession)-/.test(name)).map((name) => join(room.media, name)),
  ]
  const { files } = await verifyFiles(paths, join(room.media, anchor), room.clock.now())
  expect(files.filter((file) => !file.ok)).toEqual([])
}

/** The vault takes another ceremony, and then nothing is left beside it. */
export async function goesOn(room: Room, { present }: Ready): Promise<void> {
  const plan = { kind: 'onboard', tenants: [tenantPlan('afterwards')] }
  const { state } = await room.run(plan, { present, ports: quickKeys })
  expect(state.tenants.has('afterwards')).toBe(true)
  expect(filesOf(room.vault)).toEqual(['people.json', 'vault.db'])
}

/** Of a destruction that has begun only its end proves that the keys are gone, and nothing says so before. */
async function nothingClaimed(room: Room, { plan }: Ready): Promise<void> {
  const state = await room.state()
  for (const kid of Object.values(plan['keys'] ?? [])) {
    const key = state.keys.get(String(kid))
    const [vault] = key ? copiesOf(state, key) : []
    expect(vault?.status).toBe(key?.absenceProved ? 'verified' : 'open')
    expect(vault?.evidence.includes('proved on decrypted pages')).toBe(key?.absenceProved != null)
  }
}

/**
 * Closes the open ceremony of a stopped room instead of going on, where its script allows that: half-made keys are gone,
 * and the vault goes on. Where it does not, nothing is changed.
 */
export async function abortable(room: Room, ready: Ready): Promise<void> {
  if (!existsSync(room.vault)) return
  const open = openCeremony(await room.withVault((vault) => vault.state, ready.present))
  if (!open) return
  const content = room.content()
  const abort = room.withVault(
    (vault) => abortCeremony(room.ports(), vault, { reason: 'The lights went out', acceptTail: true }),
    ready.present,
  )
  const tooLate = SCRIPTS[open.kind].some(
    (step) => step.noWayBack && open.done.some((done) => done.step === step.id) && open.kind !== 'emergency',
  )
  if (tooLate) {
    expect((await failure(abort)).code).toBe('ceremony-conflict')
    expect(room.content()).toEqual(content)
    if (open.kind === 'destroy') await nothingClaimed(room, ready)
    return
  }
  const closed = await abort
  const after = await room.state()
  expect(openCeremony(after)).toBeNull()
  expect(after.ceremonies.get(open.id)?.ended).toMatchObject({ how: 'aborted', reason: 'The lights went out' })
  const halfMade = [...after.keys.values()].filter((key) => key.bornIn === open.id)
  expect(closed.erased).toBe(halfMade.length)
  for (const key of halfMade) {
    expect([key.destroyed !== null, after.sealed.has(`key:${key.kid}`)]).toEqual([true, false])
    expect(copiesOf(after, key)[0]).toMatchObject({ status: 'open' })
  }
  expect(await room.verify()).toMatchObject({ tail: null })
  await goesOn(room, ready)
}
