import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { abortCeremony } from '../../electron/ceremony/abort.ts'
import { confirmationFor } from '../../electron/ceremony/destroy.ts'
import type { Ports } from '../../electron/ceremony/ports.ts'
import { writtenOf } from '../../electron/ceremony/record.ts'
import { resumeCeremony } from '../../electron/ceremony/runner.ts'
import type { CeremonyResult } from '../../electron/ceremony/steps.ts'
import { verifyFiles } from '../../electron/evidence/verify.ts'
import type { Quorum } from '../../electron/vault/quorum.ts'
import { verifyVault } from '../../electron/vault/verify.ts'
import type { CeremonyKind } from '../../shared/domain/events.ts'
import { copiesOf } from '../../shared/domain/ledger.ts'
import { SCRIPTS } from '../../shared/domain/script.ts'
import { keysOf, openCeremony } from '../../shared/domain/state.ts'
import { parsePlan } from '../../shared/formats/plan.ts'
import { parseRecord } from '../../shared/formats/record.ts'
import {
  failure,
  filesOf,
  GENESIS,
  type Genesis,
  makeGenesis,
  PEOPLE,
  PRESENT,
  type Room,
  tenantPlan,
  writePassphrases,
} from './fixtures.ts'
import { type Ready, Story } from './kinds.ts'

/**
 * Crash, power cut, closed lid: reopening resumes at the last committed step, and the record says so. Here are a step that
 * fails, who resumes, aborts, refusals, and the command line killed; every single operation is fault 1 and 2.
 */

const DAY = 86_400
/** So long ago that a child process, which has the real clock, finds the first keys retired. */
const START = Math.floor(Date.now() / 1000) - 200 * DAY
const EVERYONE = PEOPLE.map(({ id }) => id)

let genesis: Genesis
let story: Story
beforeAll(async () => {
  genesis = await makeGenesis(START)
  story = new Story(genesis)
}, 240_000)
afterAll(() => genesis.remove())

const readyFor = (kind: CeremonyKind): Promise<Ready> => story.ready(kind)

const stepsOf = (kind: CeremonyKind): string[] => SCRIPTS[kind].map(({ id }) => id)

async function resume(
  room: Room,
  acceptTail: boolean,
  confirm: readonly string[] = [],
  present = PRESENT,
): Promise<CeremonyResult> {
  room.clock.advance(60)
  return room.withVault((vault) => resumeCeremony(room.ports(), vault, parsePlan, { confirm, acceptTail }), present)
}

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
      const { room, plan } = await readyFor(kind)
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
    const { room, plan } = await readyFor('onboard')
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
    const { room, plan, confirm } = await readyFor(kind)
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
    const { tenants } = await runtime.runtime.status()
    expect(tenants.map((tenant) => tenant.signingKids.length)).toEqual([1, 1])
    const kids = tenants.flatMap((tenant) => tenant.phases.map((key) => key.kid))
    expect(kids.filter((kid) => erased.includes(kid))).toEqual([])
    await runtime.runtime.close()
  })

  it('an aborted rotation: rotating again fills the schedule, and the handoff after the lost key’s start still works', async () => {
    const room = await abortedAfter('rotate', 'Make the keys')
    const lost = [...(await room.state()).keys.values()].filter((key) => key.destroyed)
    expect(lost).toHaveLength(1)
    await room.run({ kind: 'rotate', tenants: 'all' })
    room.clock.to((lost[0]?.times.signFrom ?? 0) + DAY)
    const runtime = await room.runtime('eu-new')
    const { state } = await room.handoff(runtime)
    const [acme] = (await runtime.runtime.status()).tenants
    expect(acme?.phases.map((key) => key.kid)).not.toContain(lost[0]?.kid)
    expect(acme?.signingKids).toHaveLength(1)
    expect(state.keys.get(acme?.signingKids[0] ?? '')?.times.signFrom).toBe(lost[0]?.times.signFrom)
    await runtime.runtime.close()
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
    const { room, plan, confirm } = await readyFor('destroy')
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
    const { room, plan } = await readyFor('onboard')
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
    const { room, plan } = await readyFor('onboard')
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
    ['onboard', 2],
    ['handoff', 2],
    ['destroy', 5],
  ]

  it.each(CASES)(
    '%s, somewhere after step %i: every page verifies, and it resumes or was complete',
    async (kind, steps) => {
      const delay = Math.random() * 30
      const ready = await readyFor(kind)
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
