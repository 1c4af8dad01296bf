import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { confirmationFor } from '../../electron/ceremony/destroy.ts'
import type { Ports } from '../../electron/ceremony/ports.ts'
import { writtenOf } from '../../electron/ceremony/record.ts'
import { abortCeremony, type CeremonyResult, resumeCeremony } from '../../electron/ceremony/runner.ts'
import { verifyFiles } from '../../electron/evidence/verify.ts'
import type { Quorum } from '../../electron/vault/quorum.ts'
import type { Vault } from '../../electron/vault/vault.ts'
import { verifyVault } from '../../electron/vault/verify.ts'
import type { CeremonyKind } from '../../shared/domain/events.ts'
import { copiesOf } from '../../shared/domain/ledger.ts'
import { SCRIPTS } from '../../shared/domain/script.ts'
import { keysOf, openCeremony, type VaultState } from '../../shared/domain/state.ts'
import { parsePlan } from '../../shared/formats/plan.ts'
import { parseRecord } from '../../shared/formats/record.ts'
import {
  digests,
  failure,
  filesOf,
  GENESIS,
  type Genesis,
  makeGenesis,
  PEOPLE,
  PRESENT,
  Room,
  tenantPlan,
  writePassphrases,
} from './fixtures.ts'

/**
 * Crash, power cut, closed lid: reopening resumes at the last committed step, and the record says so. A ceremony runs
 * once; before every effect the room is copied as a power cut would leave it, and every copy is then opened again.
 */

const DAY = 86_400
/** So long ago that a child process, which has the real clock, finds the first keys retired. */
const START = Math.floor(Date.now() / 1000) - 200 * DAY
const EVERYONE = PEOPLE.map(({ id }) => id)

/** Tells of every call that has an effect, before it is made. */
function watched<T extends object>(target: T, names: readonly string[], onCall: (name: string) => void): T {
  return new Proxy(target, {
    get(of, name) {
      const value: unknown = Reflect.get(of, name, of)
      if (typeof value !== 'function') return value
      return (...given: unknown[]) => {
        if (names.includes(String(name))) onCall(String(name))
        return value.apply(of, given)
      }
    },
  })
}
const VAULT_EFFECTS = [
  'commit',
  'commitWithCheckpoint',
  'approve',
  'withQuorum',
  'proveShare',
  'activateEpoch',
  'moveToNewFile',
  'proveAbsence',
]
const PORT_EFFECTS = ['selfTest', 'makeKeys', 'writeRecord', 'say']
const MEDIA_EFFECTS = ['writeAnchor', 'readEnrollment', 'writeBundle', 'writeMaterial', 'checkExport', 'readReceipts']

const watchedVault = (vault: Vault, onCall: (name: string) => void): Vault => watched(vault, VAULT_EFFECTS, onCall)
function watchedPorts(ports: Ports<Quorum>, onCall: (name: string) => void): Ports<Quorum> {
  const media = watched(ports.media, MEDIA_EFFECTS, onCall)
  const createVault: Ports<Quorum>['createVault'] = async (...given) =>
    watchedVault((await ports.createVault(...given)) as Vault, onCall)
  return watched({ ...ports, media, createVault }, PORT_EFFECTS, onCall)
}

/** Copies of a room at every moment at which it looked different. */
class Moments {
  readonly taken: { before: string; room: Room }[] = []
  readonly #room: Room
  readonly #folder: () => string
  #last = ''

  constructor(room: Room, folder: () => string) {
    this.#room = room
    this.#folder = folder
  }

  take = (before: string): void => {
    const { base, vault, people, clock } = this.#room
    if (!existsSync(vault)) return
    const now = JSON.stringify(digests(base))
    if (now === this.#last) return
    this.#last = now
    const copy = new Room(this.#folder(), people, clock.now())
    mkdirSync(copy.base)
    for (const name of ['test.vault', 'media', 'records'])
      if (existsSync(join(base, name))) cpSync(join(base, name), join(copy.base, name), { recursive: true })
    this.taken.push({ before, room: copy })
  }
}

let genesis: Genesis
let born: Moments
let prepared: Map<string, Ready>

beforeAll(async () => {
  genesis = await makeGenesis(START, (ports, room, folder) => {
    born = new Moments(room, folder)
    return watchedPorts(ports, born.take)
  })
  prepared = await prepare(genesis)
}, 240_000)
afterAll(() => genesis.remove())

type Ready = { room: Room; plan: object; confirm: string[] }

/** One room per kind of ceremony, ready for its plan. */
async function prepare(of: Genesis): Promise<Map<string, Ready>> {
  const ready = new Map<string, Ready>()
  const add = (at: Room, plan: Record<string, unknown>, confirm: string[] = []) =>
    ready.set(String(plan['kind']), { room: at.copy(of.folder()), plan, confirm })
  const room = of.room()
  add(room, { kind: 'onboard', tenants: [tenantPlan('acme'), tenantPlan('globex')] })
  await room.onboard(tenantPlan('acme'), tenantPlan('globex'))
  const made = await room.init('eu-one')
  add(room, { kind: 'enroll-runtime', enrollment: basename(made.enrollmentFile), fingerprint: made.fingerprint })
  const runtime = await room.runtime('eu-two')
  add(room, { kind: 'handoff', runtime: 'eu-two', tenants: 'all' })
  await room.handoff(runtime)
  const { path } = runtime.runtime.exportReceipts(room.media)
  add(room, { kind: 'intake', runtime: 'eu-two', receipts: basename(path) })
  await room.run({ kind: 'intake', runtime: 'eu-two', receipts: basename(path) })
  const kid = keysOf(await room.state(), 'acme')[0]?.kid ?? ''
  add(room, { kind: 'emergency', scope: { key: kid }, reason: 'stolen' })
  room.clock.to(START + 110 * DAY)
  add(room, { kind: 'rotate', tenants: ['acme'] })
  add(room, { kind: 'destroy', keys: [kid], reason: 'End of schedule' }, [confirmationFor([kid])])
  runtime.runtime.close()
  return ready
}

/** A fresh copy of the room that is ready for a ceremony of this kind. */
function readyFor(kind: CeremonyKind): Ready {
  const ready = prepared.get(kind)
  if (!ready) throw new Error(`nothing is prepared for ${kind}`)
  return { ...ready, room: ready.room.copy(genesis.folder()) }
}

const stepsOf = (kind: CeremonyKind): string[] => SCRIPTS[kind].map(({ id }) => id)

/** What a ceremony brought about, without what differs from one run to the next. */
const outcome = (state: VaultState) => ({
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
    runtime.handoffs.flatMap((handoff) => (handoff.exported ? [[handoff.number, handoff.keys]] : [])),
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

async function resume(
  room: Room,
  acceptTail: boolean,
  confirm: readonly string[] = [],
  present = PRESENT,
): Promise<CeremonyResult> {
  room.clock.advance(60)
  return room.withVault((vault) => resumeCeremony(room.ports(), vault, parsePlan, { confirm, acceptTail }), present)
}

/** A destruction that has begun is not closed: only its end proves that the keys are gone, and nothing says so before. */
async function abortRefused(room: Room, abort: () => Promise<unknown>, plan: string): Promise<void> {
  const before = room.content()
  const error = await failure(abort())
  expect([error.code, error.hint]).toEqual(['ceremony-conflict', expect.stringContaining('ceremony resume')])
  expect(room.content()).toEqual(before)
  const state = await room.state()
  const key = state.keys.get(JSON.parse(plan).keys[0])
  const [vault] = key ? copiesOf(state, key) : []
  expect(vault?.status).toBe(key?.absenceProved ? 'verified' : 'open')
  expect(vault?.evidence.includes('proved on decrypted pages')).toBe(key?.absenceProved != null)
}

async function abortedWhole(
  aborted: Room,
  abort: () => Promise<{ ceremony: string; erased: number }>,
  id: string,
): Promise<void> {
  const closed = await abort()
  const after = await aborted.state()
  expect(await aborted.verify()).toMatchObject({ tail: null })
  expect(after.ceremonies.get(id)?.ended).toMatchObject({ how: 'aborted', reason: 'The lights went out' })
  const halfMade = [...after.keys.values()].filter((key) => key.bornIn === id)
  expect(closed).toEqual({ ceremony: id, erased: halfMade.length })
  for (const key of halfMade)
    expect([key.destroyed !== null, after.sealed.has(`key:${key.kid}`)]).toEqual([true, false])
  expect(openCeremony(after)).toBeNull()
  for (const key of halfMade)
    expect(copiesOf(after, key)[0]).toMatchObject({
      status: 'open',
      evidence: 'Row overwritten and deleted; nobody proved its absence yet',
    })
}

/** A moment opened again. `whole` is what the uninterrupted ceremony brought about. */
async function reopened(
  moment: Room,
  folder: () => string,
  whole: object,
  present: readonly string[],
): Promise<'closed' | 'open'> {
  await moment.verify()
  const state = await moment.state()
  const open = openCeremony(state)
  if (!open) {
    await expect(resume(moment, true, [], [...present])).rejects.toMatchObject({ code: 'ceremony-unknown' })
    return 'closed'
  }

  // Another ceremony is refused, and so is going on without a look at the tail; both change nothing.
  await moment.refused({ kind: 'rotate', tenants: 'all' }, 'ceremony-open', { present })
  const before = moment.content()
  expect((await failure(resume(moment, false, [], [...present]))).code).toBe('vault-tail')
  expect(moment.content()).toEqual(before)

  const aborted = moment.copy(folder())
  const abort = () =>
    aborted.withVault(
      (vault) => abortCeremony(aborted.ports(), vault, { reason: 'The lights went out', acceptTail: true }),
      present,
    )
  const erasing = open.kind === 'destroy' && open.done.some(({ step }) => step === 'destroy-bytes')
  if (erasing) await abortRefused(aborted, abort, open.plan)
  else await abortedWhole(aborted, abort, open.id)

  // The words of a destruction that were typed before count on; nothing is asked twice that was done.
  const result = await resume(moment, true, ['none'], [...present]).catch(async (error) => {
    if (error.code !== 'confirmation-missing') throw error
    expect(openCeremony(await moment.state())?.done.map(({ step }) => step)).not.toContain('confirm-destruction')
    const kid = JSON.parse(open.plan).keys[0]
    return resume(moment, true, [confirmationFor([kid])], [...present])
  })
  expect(result.steps.map(({ step }) => step)).toEqual(stepsOf(open.kind))
  expect(outcome(await moment.state())).toEqual(whole)
  expect(await moment.verify()).toMatchObject({ tail: null })
  const { record } = parseRecord(readFileSync(join(result.recordFolder, 'record.json')))
  expect(record.deviations.at(-1)?.happened).toMatch(/^It was interrupted /)
  const anchor = join(moment.media, filesOf(moment.media).find((name) => name.startsWith('trust-anchor-')) ?? '')
  const report = await verifyFiles([result.recordFolder], anchor, moment.clock.now())
  expect(report.files.filter((file) => !file.ok)).toEqual([])
  return 'open'
}

const KINDS: CeremonyKind[] = ['onboard', 'enroll-runtime', 'handoff', 'intake', 'emergency', 'rotate', 'destroy']

describe('stopped at any moment, a ceremony resumes to the same result or is aborted', () => {
  it.each(KINDS)(
    '%s',
    async (kind) => {
      const { room, plan, confirm } = readyFor(kind)
      const untouched = room.content()
      const moments = new Moments(room, genesis.folder)
      await room.run(plan, {
        confirm,
        ports: (ports) => watchedPorts(ports, moments.take),
        vault: (vault) => watchedVault(vault, moments.take),
      })
      const whole = outcome(await room.state())
      const found: string[] = []
      for (const moment of moments.taken) {
        const started = JSON.stringify(moment.room.content()) !== JSON.stringify(untouched)
        if (started) found.push(await reopened(moment.room, genesis.folder, whole, PRESENT))
      }
      // At least: begun, after each step, and closed with its record still to be written.
      expect(found.filter((one) => one === 'open').length).toBeGreaterThan(SCRIPTS[kind].length)
      expect(found.at(-1)).toBe('closed')
    },
    120_000,
  )

  it('genesis', async () => {
    const whole = outcome(await genesis.room().state())
    const found: string[] = []
    for (const { room } of born.taken) {
      const moment = new Room(room.base, genesis.people, room.clock.now())
      if (!existsSync(moment.media)) mkdirSync(moment.media)
      if (!existsSync(moment.records)) mkdirSync(moment.records)
      found.push(await reopened(moment, genesis.folder, whole, EVERYONE))
    }
    expect(found.filter((one) => one === 'open').length).toBeGreaterThanOrEqual(SCRIPTS.genesis.length)
  }, 120_000)
})

describe('a failure inside a step', () => {
  const FAILING: [string, CeremonyKind, (ports: Ports<Quorum>) => Ports<Quorum>][] = [
    ['the generator fails', 'onboard', (ports) => ({ ...ports, makeKeys: refuse })],
    [
      'the bundle cannot be written',
      'handoff',
      (ports) => ({ ...ports, media: { ...ports.media, writeBundle: refuse } }),
    ],
    [
      'the material cannot be written',
      'handoff',
      (ports) => ({ ...ports, media: { ...ports.media, writeMaterial: refuse } }),
    ],
    [
      'the medium is pulled before it is read back',
      'handoff',
      (ports) => ({ ...ports, media: { ...ports.media, checkExport: refuse } }),
    ],
    ['the replacements cannot be made', 'emergency', (ports) => ({ ...ports, makeKeys: refuse })],
  ]
  const refuse = () => Promise.reject(new Error('the test pulled the plug'))

  it.each(FAILING)(
    '%s (%s): what was committed stays, nothing shows success, and it resumes',
    async (_, kind, ports) => {
      const { room, plan } = readyFor(kind)
      const records = filesOf(room.records)
      await expect(room.run(plan, { ports })).rejects.toThrow('pulled the plug')
      expect(filesOf(room.records)).toEqual(records)
      expect(room.said.some((line) => line.includes('Sign the record'))).toBe(false)
      expect(openCeremony(await room.state())).not.toBeNull()
      const { steps } = await resume(room, true)
      expect(steps.map(({ step }) => step)).toEqual(stepsOf(kind))
      expect(await room.verify()).toMatchObject({ tail: null })
    },
  )

  it('the records cannot be written: the ceremony is closed, and its record can be written again from the vault alone', async () => {
    const { room, plan } = readyFor('onboard')
    const work = room.run(plan, { ports: (ports) => ({ ...ports, writeRecord: refuse }) })
    await expect(work).rejects.toThrow('pulled the plug')
    const state = await room.state()
    const last = [...state.ceremonies.values()].at(-1)
    expect(last?.ended?.how).toBe('completed')
    expect(existsSync(join(room.records, last?.id ?? ''))).toBe(false)
    const folder = await room.withVault(
      (vault) => room.ports().writeRecord(writtenOf(vault, last?.id ?? '')),
      ['grace'],
    )
    const anchor = join(room.media, filesOf(room.media)[0] ?? '')
    const report = await verifyFiles([folder], anchor, room.clock.now())
    expect(report.files.filter((file) => !file.ok)).toEqual([])
    expect(report.files.find((file) => file.file.endsWith('record.json'))?.standing).toBe('verified')
  })
})

describe('after an abort the vault goes on', () => {
  /** The moment after `step` of a ceremony was committed. */
  async function abortedAfter(kind: CeremonyKind, step: string): Promise<Room> {
    const { room, plan, confirm } = readyFor(kind)
    const stop = (text: string) => {
      if (text.includes(step)) throw new Error('the test pulled the plug')
    }
    const work = room.run(plan, { confirm, ports: (ports) => ({ ...ports, say: stop }) })
    await expect(work).rejects.toThrow('pulled the plug')
    await room.withVault((vault) => abortCeremony(room.ports(), vault, { reason: 'Fire alarm', acceptTail: true }))
    return room
  }

  it('an aborted onboarding: the tenants get new keys by rotation, and the handoff holds no half-made key', async () => {
    const room = await abortedAfter('onboard', 'Make the keys')
    const erased = [...(await room.state()).keys.keys()]
    expect(erased).toHaveLength(6)
    const { state } = await room.run({ kind: 'rotate', tenants: 'all' })
    expect(keysOf(state, 'acme', { usable: true }).map((key) => key.times.propagation)).toEqual([
      'none (first key)',
      'full',
      'full',
    ])
    const runtime = await room.runtime('eu-new')
    await room.handoff(runtime)
    const { tenants } = runtime.runtime.status()
    expect(tenants.map((tenant) => tenant.signingKids.length)).toEqual([1, 1])
    const kids = tenants.flatMap((tenant) => tenant.phases.map((key) => key.kid))
    expect(kids.filter((kid) => erased.includes(kid))).toEqual([])
    runtime.runtime.close()
  })

  it('an aborted rotation: rotating again fills the schedule, and the handoff after the lost key’s start still works', async () => {
    const room = await abortedAfter('rotate', 'Make the keys')
    const lost = [...(await room.state()).keys.values()].filter((key) => key.destroyed)
    expect(lost).toHaveLength(1)
    await room.run({ kind: 'rotate', tenants: 'all' })
    room.clock.to((lost[0]?.times.signFrom ?? 0) + DAY)
    const runtime = await room.runtime('eu-new')
    const { state } = await room.handoff(runtime)
    const [acme] = runtime.runtime.status().tenants
    expect(acme?.phases.map((key) => key.kid)).not.toContain(lost[0]?.kid)
    expect(acme?.signingKids).toHaveLength(1)
    expect(state.keys.get(acme?.signingKids[0] ?? '')?.times.signFrom).toBe(lost[0]?.times.signFrom)
    runtime.runtime.close()
  })

  it.each(['Record the compromise', 'Make the replacements'])(
    'an emergency aborted after “%s”: the compromise stays, and another emergency makes the replacement',
    async (step) => {
      const room = await abortedAfter('emergency', step)
      expect(room.said.join('\n')).toMatch(/stay compromised.*Run another emergency ceremony/)
      const [stolen] = keysOf(await room.state(), 'acme')
      expect(stolen?.compromised?.reason).toBe('stolen')
      const { state } = await room.run({ kind: 'emergency', scope: { key: stolen?.kid }, reason: 'once more' })
      expect(state.keys.get(stolen?.kid ?? '')?.compromised).toEqual(stolen?.compromised)
      const replacements = [...state.keys.values()].filter((key) => key.replaces === stolen?.kid && !key.destroyed)
      expect(replacements).toHaveLength(1)
      await room.refused({ kind: 'emergency', scope: { key: stolen?.kid }, reason: 'once more' }, 'ceremony-conflict')
    },
  )

  it('an aborted rotation: the half-made key can be destroyed to the end, with the proof that nothing of it is left', async () => {
    const room = await abortedAfter('rotate', 'Make the keys')
    const kid = [...(await room.state()).keys.values()].find((key) => key.destroyed)?.kid ?? ''
    const plan = { kind: 'destroy', keys: [kid], reason: 'Half made' }
    const { state } = await room.run(plan, { confirm: [confirmationFor([kid])] })
    const key = state.keys.get(kid)
    const copies = key ? copiesOf(state, key) : []
    expect(copies.map(({ id, status }) => [id, status])).toEqual([
      ['vault', 'verified'],
      ['medium', 'open'],
    ])
    await room.refused(plan, 'ceremony-conflict', { confirm: [confirmationFor([kid])] })
  })

  it('attestations of an aborted destruction do not count: nobody signed its record', async () => {
    const { room, plan, confirm } = readyFor('destroy')
    const said = { copy: 'runtime:eu-two', by: 'grace', statement: 'No snapshot of it exists' }
    const stop = (text: string) => {
      if (text.includes('Confirm')) throw new Error('plug')
    }
    const work = room.run({ ...plan, attestations: [said] }, { confirm, ports: (ports) => ({ ...ports, say: stop }) })
    await expect(work).rejects.toThrow('plug')
    expect((await room.state()).attestations).toHaveLength(1)
    await room.withVault((vault) => abortCeremony(room.ports(), vault, { reason: 'Fire alarm', acceptTail: true }))
    expect((await room.state()).attestations).toEqual([])
  })

  it('an abort wants a reason; without one nothing is changed', async () => {
    const { room, plan } = readyFor('onboard')
    const makeKeys = () => Promise.reject(new Error('plug'))
    const work = room.run(plan, { ports: (ports) => ({ ...ports, makeKeys }) })
    await expect(work).rejects.toThrow('plug')
    const before = room.content()
    for (const reason of ['', '   ', 'x'.repeat(3000)]) {
      const abort = room.withVault((vault) => abortCeremony(room.ports(), vault, { reason, acceptTail: true }))
      expect((await failure(abort)).code).toBe('usage-invalid')
    }
    expect(room.content()).toEqual(before)
  })
})

describe('who resumes', () => {
  /** A room whose onboarding stopped after its first step. */
  async function stopped(): Promise<Room> {
    const { room, plan } = readyFor('onboard')
    const stop = (text: string) => {
      if (text.includes('Read the plan')) throw new Error('plug')
    }
    await expect(room.run(plan, { ports: (ports) => ({ ...ports, say: stop }) })).rejects.toThrow('plug')
    return room
  }

  it('fewer than M custodians neither resume nor abort', async () => {
    const room = await stopped()
    const before = room.content()
    expect((await failure(resume(room, true, [], ['ada', 'emmy', 'grace']))).code).toBe('quorum-missing')
    const abort = room.withVault(
      (vault) => abortCeremony(room.ports(), vault, { reason: 'x', acceptTail: true }),
      ['ada'],
    )
    expect((await failure(abort)).code).toBe('quorum-missing')
    expect(room.content()).toEqual(before)
  })

  it('whoever joins signs too, and the record of all of them verifies', async () => {
    const room = await stopped()
    const { recordFolder } = await resume(room, true, [], EVERYONE)
    const { record, signatures } = parseRecord(readFileSync(join(recordFolder, 'record.json')))
    expect(record.participants.map(({ id }) => id)).toEqual(EVERYONE)
    expect(Object.keys(signatures).sort()).toEqual([...EVERYONE].sort())
    const report = await verifyFiles([recordFolder], join(room.media, filesOf(room.media)[0] ?? ''), room.clock.now())
    expect(report.files.filter((file) => !file.ok)).toEqual([])
  })
})

describe('refusals of the runner leave the vault byte for byte as it was', () => {
  it('a clock behind the newest event', async () => {
    const room = genesis.room()
    room.clock.jump(-3600)
    await room.refused({ kind: 'onboard', tenants: [tenantPlan('acme')] }, 'clock-refused')
  })

  it('fewer than M custodians', async () => {
    for (const present of [['ada'], ['emmy', 'grace'], ['clara', 'emmy', 'grace']])
      await genesis.room().refused({ kind: 'onboard', tenants: [tenantPlan('acme')] }, 'quorum-missing', { present })
  })

  it('a failing self-test stops before the first key', async () => {
    const room = genesis.room()
    const work = room.run(
      { kind: 'onboard', tenants: [tenantPlan('acme')] },
      {
        ports: (ports) => ({
          ...ports,
          selfTest: () => {
            throw new Error('RS256 is broken')
          },
        }),
      },
    )
    await expect(work).rejects.toThrow('RS256 is broken')
    const state = await room.state()
    expect([state.keys.size, state.tenants.size, openCeremony(state)?.done]).toEqual([0, 0, []])
  })

  it.each([
    ['a rotation of an unknown tenant', { kind: 'rotate', tenants: ['nobody'] }, 'tenant-unknown'],
    ['a handoff to an unknown runtime', { kind: 'handoff', runtime: 'nowhere', tenants: 'all' }, 'runtime-unknown'],
    ['receipts of an unknown runtime', { kind: 'intake', runtime: 'nowhere', receipts: 'x' }, 'runtime-unknown'],
    ['a rotation of a vault without tenants', { kind: 'rotate', tenants: 'all' }, 'ceremony-conflict'],
    ['a genesis', GENESIS, 'ceremony-conflict'],
  ] as const)('%s', async (_, plan, code) => {
    await genesis.room().refused(plan, code)
  })

  it('resuming or aborting when nothing is open', async () => {
    const room = genesis.room()
    const before = room.content()
    expect((await failure(resume(room, true))).code).toBe('ceremony-unknown')
    const abort = room.withVault((vault) => abortCeremony(room.ports(), vault, { reason: 'none', acceptTail: true }))
    expect((await failure(abort)).code).toBe('ceremony-unknown')
    expect(room.content()).toEqual(before)
  })

  it('approvals of one step never serve another: the quorum is asked again for each', async () => {
    const room = genesis.room()
    const asked: string[] = []
    await room.run(
      { kind: 'onboard', tenants: [tenantPlan('acme')] },
      {
        vault: (vault) =>
          new Proxy(vault, {
            get(of, name) {
              const value: unknown = Reflect.get(of, name, of)
              if (typeof value !== 'function') return value
              return (...given: unknown[]) => {
                if (name === 'approve') asked.push((given[0] as { step: string }).step)
                return value.apply(of, given)
              }
            },
          }),
      },
    )
    expect(asked).toEqual(['make-keys', 'sign-off'])
  })
})

// Real processes, really killed.

const MAIN = fileURLToPath(new URL('../../electron/cli/main.ts', import.meta.url))

function start({ room, plan, confirm }: Ready): ChildProcess {
  const passphrases = writePassphrases(join(room.base, 'passphrases'), PRESENT)
  const path = join(room.base, 'plan.json')
  writeFileSync(path, JSON.stringify(plan))
  const args = ['ceremony', 'run', path, '--vault', room.vault, '--passphrases', passphrases, '--media', room.media]
  const more = ['--records', room.records, ...confirm.flatMap((words) => ['--confirm', words])]
  return spawn(process.execPath, [MAIN, ...args, ...more], { stdio: ['ignore', 'ignore', 'pipe'] })
}

/** Kills with SIGKILL `delay` ms after the `steps`-th step was told. Gives false when the child had ended before. */
function killAfter(child: ChildProcess, steps: number, delay: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let told = 0
    child.once('error', reject)
    child.once('close', (_, signal) => resolve(signal === 'SIGKILL'))
    child.stderr?.on('data', (chunk: Buffer) => {
      const before = told
      told += chunk.toString().split('✓').length - 1
      if (before < steps && told >= steps) setTimeout(() => child.kill('SIGKILL'), delay)
    })
  })
}

describe('kill -9 of a running ceremony', () => {
  const CASES: [CeremonyKind, number][] = [
    ['onboard', 1],
    ['onboard', 2],
    ['handoff', 2],
    ['destroy', 3],
    ['destroy', 4],
    ['destroy', 5],
    ['destroy', 7],
  ]

  it.each(CASES)(
    '%s, somewhere after step %i: every page verifies, and it resumes or was complete',
    async (kind, steps) => {
      const delay = Math.random() * 30
      const ready = readyFor(kind)
      const { room } = ready
      const before = await room.state()
      const killed = await killAfter(start(ready), steps, delay)
      room.clock.to(Math.floor(Date.now() / 1000) + 5)

      const opened = await room.open(PRESENT)
      const report = await verifyVault(opened)
      const ceremony = [...opened.state.ceremonies.values()].at(-1)
      opened.close()
      expect(report.events, `killed ${delay} ms after step ${steps}`).toBeGreaterThan(before.seq)
      expect(ceremony?.kind).toBe(kind)
      if (!killed) expect(ceremony?.ended?.how).toBe('completed')
      if (ceremony?.ended) return
      expect(ceremony?.done.length).toBeGreaterThanOrEqual(steps)
      const result = await resume(room, true, ready.confirm)
      expect(result.steps.map(({ step }) => step)).toEqual(stepsOf(kind))
      expect(await room.verify()).toMatchObject({ tail: null })
      expect(filesOf(room.vault)).toEqual(['people.json', 'vault.db'])
      const named = filesOf(room.media).filter((name) => !/^\.[0-9a-f]{16}\.partial$/.test(name))
      const anchor = named.find((name) => name.startsWith('trust-anchor-')) ?? ''
      const paths = [...named.map((name) => join(room.media, name)), result.recordFolder]
      const files = await verifyFiles(paths, join(room.media, anchor), room.clock.now())
      expect(files.files.filter((file) => !file.ok && !file.file.includes('receipts-'))).toEqual([])
    },
    60_000,
  )
})
