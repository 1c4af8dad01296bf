import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { writtenOf } from '../../../electron/ceremony/record.ts'
import { resumeCeremony } from '../../../electron/ceremony/runner.ts'
import type { CeremonyResult } from '../../../electron/ceremony/steps.ts'
import { verifyFiles } from '../../../electron/evidence/verify.ts'
import { readChain } from '../../../electron/vault/log.ts'
import { Vault } from '../../../electron/vault/vault.ts'
import { isAlone, SCRIPTS } from '../../../shared/domain/script.ts'
import { type Ceremony, openCeremony, type VaultState } from '../../../shared/domain/state.ts'
import { parsePlan } from '../../../shared/formats/plan.ts'
import { parseRecord } from '../../../shared/formats/record.ts'
import { failure, filesOf, PASSPHRASES, Room } from '../../ceremony/fixtures.ts'
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
    runtime.envelopes.flatMap(({ tenant, file }) => (file ? [tenant] : [])),
    runtime.revocations.flatMap(({ keys, file }) => (file ? [keys.length] : [])),
  ]),
  passphrases: state.pastPassphrases.map(({ person }) => person),
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

/** Goes on with the open ceremony a minute later. What one person does alone needs nobody to accept a tail. */
export async function resume(
  room: Room,
  { plan, confirm, present, secrets }: Ready,
  acceptTail = !isAlone(plan.kind),
): Promise<CeremonyResult> {
  room.clock.advance(60)
  room.answers(secrets)
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
  expect(lessUndealt(shapeOf(names), whole.shape, ready)).toEqual(whole.shape)
  await everythingVerifies(after, ready, recordFolder)
  return after
}

/**
 * Shares of one interrupted dealing may stay on the media of their custodians: an older copy of a vault cannot know which
 * epochs are in force elsewhere, so it removes none. Nothing else may stay, and nothing where nobody deals.
 */
function lessUndealt(shape: readonly string[], wanted: readonly string[], { plan }: Ready): string[] {
  const share = 'shares/share-HEX-TIME.share'
  const count = (names: readonly string[]) => names.filter((name) => name === share).length
  const surplus = count(shape) - count(wanted)
  const deals = SCRIPTS[plan.kind].some((step) => step.newRoster)
  if (!deals || surplus <= 0 || surplus > count(wanted)) return [...shape]
  return shape.toSpliced(shape.indexOf(share), surplus)
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
  if (isAlone(ready.plan.kind)) return
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

async function everythingVerifies(room: Room, { plan }: Ready, recordFolder: string): Promise<void> {
  const { tail } = await room.verify()
  // Of a ceremony without a quorum every event waits for the next one, and nothing from before it.
  if (isAlone(plan.kind)) expect(tail).toEqual(await lastCeremony(room))
  else expect(tail).toBeNull()
  const names = filesOf(room.media)
  const anchor = names.find((name) => name.startsWith('trust-anchor-')) ?? ''
  const paths = [
    recordFolder,
    ...names
      .filter((name) => /^(bundle|material|succession|envelope|revocation)-/.test(name))
      .map((name) => join(room.media, name)),
  ]
  const { files } = await verifyFiles(paths, join(room.media, anchor), room.clock.now())
  expect(files.filter((file) => !file.ok)).toEqual([])
}

/** Where the newest ceremony's events begin and end. */
const lastCeremony = (room: Room): Promise<{ from: number; to: number }> =>
  room.withVault(({ database, anchor, state }) => {
    const started = [...readChain(database, anchor.vaultId)].findLast(({ event }) => event.type === 'ceremony-started')
    return { from: started?.row.seq ?? 0, to: state.seq }
  })

/** Of people whose passphrase is changed, at any moment the old one opens or the new one: never none, never both. */
export async function onePassphrase(room: Room, { secrets }: Ready): Promise<void> {
  for (const [name, next] of Object.entries(secrets)) {
    const id = name.replace('new-passphrase-', '')
    const opens = async (passphrase: string): Promise<boolean> => {
      const vault = await Vault.open(room.vault, new Map([[id, passphrase]])).catch((error) => {
        expect(error).toMatchObject({ code: 'passphrase-wrong' })
      })
      vault?.close()
      return vault !== undefined
    }
    const open = [await opens(PASSPHRASES.get(id) ?? ''), await opens(next)]
    expect(open.filter(Boolean)).toHaveLength(1)
  }
}
