import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { confirmationFor } from '../../electron/ceremony/destroy.ts'
import { verifyFiles } from '../../electron/evidence/verify.ts'
import { readBundle } from '../../electron/handoff/bundle.ts'
import { openRuntime } from '../../electron/issuer/runtime.ts'
import { notInVault } from '../../shared/domain/copies.ts'
import { copiesOf } from '../../shared/domain/ledger.ts'
import { keysOf, type VaultState } from '../../shared/domain/state.ts'
import type { Code } from '../../shared/errors.ts'
import type { Manifest } from '../../shared/formats/bundle.ts'
import { openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import {
  failure,
  filesOf,
  type Genesis,
  issuerOf,
  makeGenesis,
  type Room,
  T0,
  type TestRuntime,
  tenantPlan,
} from './fixtures.ts'

/** Restoring from a backup: what the copy does not know comes from runtimes and from paper. */

const DAY = 86_400
const reason = 'The machine that held the vault burned'

let genesis: Genesis
/**
 * Day 0: acme is served, and backup 1 is made. Then the lost vault goes on: globex is onboarded, both are handed over as
 * bundle 2, and its receipts are taken. Day 110: acme's first key is destroyed with a certificate. Then the vault burns.
 */
let burned: Room
let certificates: string[]
let destroyedKid: string
beforeAll(async () => {
  genesis = await makeGenesis()
  const room = genesis.room()
  await room.onboard(tenantPlan('acme', { policy: { horizon: 3 } }))
  const live = await room.runtime()
  await room.handoff(live)
  await room.intake(live)
  await room.run({ kind: 'backup', holder: 'Grace Hopper', place: 'Safe 2' })
  await room.onboard(tenantPlan('globex'))
  await room.handoff(live)
  for (let day = 10; day <= 110; day += 10) {
    room.clock.to(T0 + day * DAY)
    await live.runtime.tick()
  }
  await room.intake(live)
  await live.runtime.close()
  destroyedKid = keysOf(await room.state(), 'acme')[0]?.kid ?? ''
  const gone = await room.run(
    { kind: 'destroy', keys: [destroyedKid], reason: 'End of schedule' },
    { confirm: [confirmationFor([destroyedKid])] },
  )
  certificates = filesOf(gone.result.recordFolder).filter((name) => /^certificate-.*[0-9]Z\.json$/.test(name))
  for (const name of certificates) cpSync(join(gone.result.recordFolder, name), join(room.media, name))
  const backup = (await room.state()).backups.get(1)?.made?.folder ?? ''
  rmSync(room.vault, { recursive: true })
  cpSync(join(room.media, backup), room.vault, { recursive: true })
  burned = room
}, 120_000)
afterAll(() => genesis.remove())

const room = () => burned.copy(genesis.folder())
const anchorFile = (at: Room) =>
  join(at.media, filesOf(at.media).find((name) => name.startsWith('trust-anchor-')) ?? '')
const opened = async (at: Room): Promise<TestRuntime> => {
  const dir = join(at.base, 'eu-one')
  return { id: 'eu-one', dir, runtime: await openRuntime({ dir, clock: at.clock }) }
}
async function receiptsOf(at: Room): Promise<string> {
  const { runtime } = await opened(at)
  await runtime.tick()
  const { path } = await runtime.exportReceipts(at.media)
  await runtime.close()
  return basename(path)
}
const restorePlan = (change: object = {}) => ({
  kind: 'restore',
  backup: 1,
  receipts: [],
  certificates: [],
  reason,
  ...change,
})
async function restored(at: Room, change: object = {}) {
  const file = await receiptsOf(at)
  return at.run(restorePlan({ receipts: [{ runtime: 'eu-one', file }], certificates, ...change }))
}
async function manifestOf(at: Room, state: VaultState): Promise<Manifest> {
  const anchor = await openTrustAnchor(state.anchor)
  const path = at.written.find((one) => one.includes('bundle-')) ?? ''
  return (await readBundle(path, anchor)).manifest
}

describe('restore', () => {
  it('declares the lost vault dead, takes the receipts, and names what only runtimes know', async () => {
    const at = room()
    const { result, state } = await restored(at)
    expect(result.steps.map(({ step }) => step)).toEqual([
      'check-machine',
      'check-plan',
      'read-losses',
      'restore-vault',
    ])
    expect(state.restores).toMatchObject([{ backup: 1, reason }])
    const declared = result.steps.at(-1)?.observed ?? ''
    expect(declared).toContain('The vault that was lost is dead')
    expect(declared).toContain('not in vault')
    const globex = notInVault(state)
    expect(new Set(globex.map(({ tenant }) => tenant))).toEqual(new Set(['globex']))
    expect(await at.verify()).toMatchObject({ tail: null })
    const report = await verifyFiles([result.recordFolder], anchorFile(at), at.clock.now())
    expect(report.files.filter((one) => !one.ok)).toEqual([])
  })

  it('the backup it came from and the vault that was lost are open copies of every key in it', async () => {
    const { state } = await restored(room())
    for (const key of state.keys.values()) {
      const open = copiesOf(state, key)
        .filter((copy) => copy.status === 'open')
        .map((copy) => copy.id)
      expect(open).toEqual(expect.arrayContaining(['backup:1', expect.stringMatching(/^lost:S-/)]))
    }
  })

  it('keys that the lost vault may have handed over count as copies there, since no receipt names them', async () => {
    const { state } = await restored(room())
    const later = keysOf(state, 'acme').at(-1)
    const copies = later ? copiesOf(state, later) : []
    expect(state.foreign).toMatchObject([{ runtimeId: 'eu-one', number: 2 }])
    const maybe = copies.filter((copy) => copy.id === 'file:eu-one:2' || copy.id === 'runtime:eu-one')
    expect(maybe.map((copy) => copy.id)).toEqual(['file:eu-one:2', 'runtime:eu-one'])
    expect(maybe[0]?.what).toContain('it may hold this key')
  })

  it('fault 23: a key that was destroyed comes back marked: alarm in the record, no signing, no export, a new destruction', async () => {
    const at = room()
    const ran = await restored(at)
    const { state } = ran
    expect(state.elsewhere.get(destroyedKid)).toMatchObject({ certificate: expect.stringMatching(/^D-2026-/) })
    const ceremony = state.ceremonies.get(ran.result.ceremony)
    expect(ceremony?.deviations[0]?.happened).toContain('Backup 1 brought back')
    expect(keysOf(state, 'acme', { usable: true }).map((key) => key.kid)).not.toContain(destroyedKid)
    const { state: after } = await at.run(
      { kind: 'destroy', keys: [destroyedKid], reason: 'Came back with backup 1' },
      { confirm: [confirmationFor([destroyedKid])] },
    )
    expect(after.keys.get(destroyedKid)?.destroyed).not.toBeNull()
  })

  const REFUSED: [string, object, Code][] = [
    [
      'receipts of a runtime that this copy does not know',
      { receipts: [{ runtime: 'us-one', file: 'x' }] },
      'runtime-unknown',
    ],
    ['a file that is not there', { receipts: [{ runtime: 'eu-one', file: 'nowhere' }] }, 'file-missing'],
    ['a certificate that is none', { certificates: ['nowhere.json'] }, 'file-missing'],
  ]
  it.each(REFUSED)('%s is refused, and nothing is changed', async (_, change, code) => {
    await room().refused(restorePlan(change), code)
  })

  it('a certificate with one byte changed is refused, and nothing is changed', async () => {
    const at = room()
    const name = certificates[0] ?? ''
    const path = join(at.media, name)
    const text = readFileSync(path, 'utf8')
    const at1 = text.indexOf('"certificate":"') + 120
    const changed = text.slice(0, at1) + (text[at1] === 'A' ? 'B' : 'A') + text.slice(at1 + 1)
    rmSync(path)
    writeFileSync(path, changed)
    const error = await failure(at.run(restorePlan({ certificates })))
    expect(error.exit).toBe(3)
    expect((await at.state()).restores).toEqual([])
  })
})

describe('exports after a restore', () => {
  it('wait until the newest receipts of every runtime are in, and the runtime is named', async () => {
    const at = room()
    await at.run(restorePlan())
    const error = await at.refused({ kind: 'handoff', runtime: 'eu-one', tenants: 'all' }, 'ceremony-conflict')
    expect(error.message).toContain('the newest receipts of eu-one are not in yet')
    const file = await receiptsOf(at)
    await at.run({ kind: 'intake', runtime: 'eu-one', receipts: file })
    expect((await at.state()).awaited.size).toBe(0)
    await at.run({ kind: 'handoff', runtime: 'eu-one', tenants: 'all' })
  })

  it('a runtime that is lost too is named dead, in this plan or in another for the same backup; its copies stay open', async () => {
    const at = room()
    await at.run(restorePlan())
    expect([...(await at.state()).awaited]).toEqual(['eu-one'])
    await at.refused(restorePlan({ dead: ['us-one'] }), 'runtime-unknown')
    const { state, result } = await at.run(restorePlan({ dead: ['eu-one'] }))
    expect(result.steps.at(-1)?.observed).toContain('Lost too, so that nobody knows what they have: eu-one')
    expect([state.awaited.size, state.restores.length]).toEqual([0, 1])
    const [key] = keysOf(state, 'acme')
    const copies = key ? copiesOf(state, key) : []
    expect(copies.find((copy) => copy.id === 'runtime:eu-one')?.status).toBe('open')
  })

  it('elsewhere receipts that name a bundle this vault never exported stay a sign of an older copy', async () => {
    const at = room()
    const file = await receiptsOf(at)
    await at.refused({ kind: 'intake', runtime: 'eu-one', receipts: file }, 'vault-rolled-back')
  })

  it('continue above the highest number seen, leave out one that the lost vault may have signed, and the runtime imports the catch-up', async () => {
    const at = room()
    await restored(at)
    const live = await opened(at)
    const { state } = await at.handoff(live)
    const manifest = await manifestOf(at, state)
    expect(manifest).toMatchObject({ number: 4, catchUp: { from: 3, to: 3 } })
    expect(manifest.previous).toBe(state.foreign[0]?.manifest)
    const service = await live.runtime.find(new URL(issuerOf('acme')).host, '')
    const signer = await service?.signer('ES256', at.clock.now())
    expect(state.keys.has(signer?.kid ?? '')).toBe(true)
    expect(signer?.kid).not.toBe(destroyedKid)
    await at.intake(live)
    const next = await at.handoff(live)
    expect(await manifestOf(at, next.state)).toMatchObject({ number: 5 })
    expect((await manifestOf(at, next.state)).catchUp).toBeUndefined()
    await live.runtime.close()
  })

  it('a bundle of the lost vault that turns up later is refused by the runtime', async () => {
    const at = room()
    await restored(at)
    const live = await opened(at)
    const old = filesOf(at.media)
      .filter((name) => name.startsWith('bundle-'))
      .map((name) => join(at.media, name))
    await at.handoff(live)
    for (const file of old)
      expect((await failure(live.runtime.importFiles([file]))).code).toMatch(/^(?:bundle-lower|file-expired)$/)
    await live.runtime.close()
  })
})
