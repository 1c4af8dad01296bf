import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { compactVerify, createLocalJWKSet } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readBundle } from '../../electron/handoff/bundle.ts'
import { readMaterial } from '../../electron/handoff/material.ts'
import type { Vault } from '../../electron/vault/vault.ts'
import { KEY_SPECS, type KeySpec } from '../../shared/domain/algorithms.ts'
import { handedOver } from '../../shared/domain/handoff.ts'
import { copiesOf } from '../../shared/domain/ledger.ts'
import { keysOf } from '../../shared/domain/state.ts'
import type { Code } from '../../shared/errors.ts'
import type { Manifest, TenantLine } from '../../shared/formats/bundle.ts'
import { digest } from '../../shared/formats/bytes.ts'
import { parseRecord } from '../../shared/formats/record.ts'
import { openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import { failure, type Genesis, makeGenesis, type Room, type TestRuntime, tenantPlan } from './fixtures.ts'

const DAY = 86_400
/** Every algorithm and size that Keyrite offers, once. */
const TENANTS: [string, KeySpec[]][] = [
  ['acme', ['ES256', 'RS256', 'PS256', 'ES384']],
  ['globex', ['Ed25519', 'RS256-3072', 'PS256-3072']],
  ['initech', ['RS256-4096', 'PS256-4096']],
]

let genesis: Genesis
let served: Room
/** The same room before any handoff. Its files of the runtime are a copy that nobody opens. */
let ready: Room
let runtime: TestRuntime
beforeAll(async () => {
  genesis = await makeGenesis()
  served = genesis.room()
  await served.onboard(
    ...TENANTS.map(([id, specs]) => tenantPlan(id, { specs, policy: { horizon: 1, materialAhead: 0 } })),
  )
  runtime = await served.runtime()
  ready = served.copy(genesis.folder())
}, 240_000)
afterAll(async () => {
  await runtime.runtime.close()
  genesis.remove()
})

const room = () => ready.copy(genesis.folder())

async function read(at: Room, name: string): Promise<{ manifest: Manifest; tenants: TenantLine[] }> {
  const anchor = await openTrustAnchor((await at.state()).anchor)
  const tenants: TenantLine[] = []
  const { manifest } = await readBundle(join(at.media, name), anchor, (line) => tenants.push(line))
  return { manifest, tenants }
}
const bundleOf = (at: Room): string => basename(at.written.find((path) => path.includes('bundle-')) ?? '')
const materialOf = (at: Room): string => basename(at.written.find((path) => path.includes('material-')) ?? '')

describe('enroll-runtime', () => {
  it('accepts a runtime whose fingerprint was read aloud: root-signed, with its environment and transport key', async () => {
    const state = await served.state()
    const known = state.runtimes.get('eu-one')
    expect(known).toMatchObject({ environment: 'test', handoffs: [], receipts: { upTo: 0, head: null } })
    expect([...state.ceremonies.values()].at(-1)?.done.map(({ step }) => step)).toEqual([
      'check-machine',
      'compare-enrollment',
      'accept-runtime',
    ])
  })

  it('a fingerprint that is another stops: there is no "continue anyway", and nothing is changed', async () => {
    const at = room()
    const { enrollmentFile } = await at.init('eu-two')
    const plan = { kind: 'enroll-runtime', enrollment: basename(enrollmentFile), fingerprint: digest('misheard') }
    await at.refused(plan, 'comparison-failed')
  })

  it('a runtime that the vault knows is not enrolled again', async () => {
    const at = room()
    const known = [...(await at.state()).runtimes.values()][0]?.enrollment ?? ''
    const name = Object.keys(at.content()).find((path) => path.startsWith('media/enrollment-')) ?? ''
    const plan = { kind: 'enroll-runtime', enrollment: basename(name), fingerprint: digest(known) }
    await at.refused(plan, 'enrollment-refused')
  })

  it('an enrollment for another vault is refused', async () => {
    const other = await makeGenesis()
    try {
      const { enrollmentFile, fingerprint } = await other.room().init('eu-two')
      const at = room()
      writeFileSync(join(at.media, 'enrollment-x'), readFileSync(enrollmentFile))
      await at.refused({ kind: 'enroll-runtime', enrollment: 'enrollment-x', fingerprint }, 'vault-mismatch')
    } finally {
      other.remove()
    }
  })

  const BAD: [string, (at: Room) => string, Code][] = [
    ['that is missing', () => 'nowhere', 'file-missing'],
    ['that is a link', (at) => linked(at), 'file-refused'],
    [
      'that is no enrollment',
      (at) => Object.keys(at.content()).find((name) => name.includes('trust-anchor-')) ?? '',
      'format-invalid',
    ],
  ]
  it.each(BAD)('a file %s is refused and nothing is changed', async (_, name, code) => {
    const at = room()
    const plan = { kind: 'enroll-runtime', enrollment: basename(name(at)), fingerprint: digest('x') }
    await at.refused(plan, code)
  })

  function linked(at: Room): string {
    const name = Object.keys(at.content()).find((path) => path.startsWith('media/enrollment-')) ?? ''
    symlinkSync(basename(name), join(at.media, 'link'))
    return 'link'
  }
})

describe('handoff', () => {
  it('one handoff brings every algorithm into service, each signature verified by jose under the published set alone', async () => {
    const { result, state } = await served.handoff(runtime)
    expect(result.steps.map(({ step }) => step)).toEqual([
      'check-machine',
      'check-plan',
      'export-files',
      'compare-files',
    ])
    const now = served.clock.now()
    const signed: string[] = []
    for (const [tenant, specs] of TENANTS) {
      const service = await runtime.runtime.find(`${tenant}.example.com`, '')
      if (!service) throw new Error(`${tenant} is not served`)
      const { keys } = service.published(now)
      expect(keys.map((key) => key.kid).sort()).toEqual(
        keysOf(state, tenant)
          .filter((key) => key.times.announceAt <= now)
          .map((key) => key.kid)
          .sort(),
      )
      for (const spec of specs) {
        const signer = await service.signer(KEY_SPECS[spec].alg, now)
        if (!signer) throw new Error(`${tenant} does not sign with ${spec}`)
        const header = Buffer.from(JSON.stringify({ alg: signer.alg, kid: signer.kid })).toString('base64url')
        const input = `${header}.${Buffer.from(spec).toString('base64url')}`
        const jws = `${input}.${signer.sign(input)}`
        const { payload, protectedHeader } = await compactVerify(jws, createLocalJWKSet({ keys: [...keys] }))
        expect([Buffer.from(payload).toString(), protectedHeader.alg]).toEqual([spec, KEY_SPECS[spec].alg])
        expect(state.keys.get(signer.kid)).toMatchObject({ tenant, spec })
        signed.push(spec)
      }
    }
    expect(signed.sort()).toEqual(Object.keys(KEY_SPECS).sort())
  })

  it('exports exactly the signing key and as many after it as the policy lets out, once', async () => {
    const at = room()
    const { state } = await at.run({ kind: 'handoff', runtime: 'eu-one', tenants: ['acme'] })
    const anchor = await openTrustAnchor(state.anchor)
    const kids: string[] = []
    await readMaterial(join(at.media, materialOf(at)), anchor, ({ kid }) => kids.push(kid))
    const signing = keysOf(state, 'acme').filter((key) => key.times.propagation === 'none (first key)')
    expect(kids.sort()).toEqual(signing.map((key) => key.kid).sort())
    const { manifest, tenants } = await read(at, bundleOf(at))
    expect(manifest).toMatchObject({ number: 1, previous: null, runtimeId: 'eu-one', environment: 'test', tenants: 1 })
    expect(manifest.exp - manifest.iat).toBe(7 * DAY)
    expect(tenants.map((line) => line.tenant)).toEqual(['acme'])
  })

  it('logs its intent before, its verified outcome after, and names both files with their digests', async () => {
    const at = room()
    const { state } = await at.run({ kind: 'handoff', runtime: 'eu-one', tenants: 'all' })
    const [handoff] = state.runtimes.get('eu-one')?.handoffs ?? []
    expect(handoff).toMatchObject({ number: 1, tenants: ['acme', 'globex', 'initech'] })
    for (const name of [bundleOf(at), materialOf(at)])
      expect(handoff?.exported?.files[name]).toBe(digest(readFileSync(join(at.media, name))))
  })

  it('a second handoff before the receipts of the first is refused: its one-time transport key is spent', async () => {
    const at = room()
    await at.run({ kind: 'handoff', runtime: 'eu-one', tenants: 'all' })
    const { hint } = await at.refused({ kind: 'handoff', runtime: 'eu-one', tenants: 'all' }, 'ceremony-conflict')
    expect(hint).toContain('intake')
  })

  const REFUSED: [string, object, Code][] = [
    ['an unknown runtime', { runtime: 'us-one' }, 'runtime-unknown'],
    ['an unknown tenant', { tenants: ['nobody'] }, 'tenant-unknown'],
    ['a bundle that is never valid', { validFor: '0d' }, 'plan-invalid'],
    ['a bundle valid beyond all dates', { validFor: '99999d' }, 'plan-invalid'],
  ]
  it.each(REFUSED)('%s is refused and nothing is changed', async (_, change, code) => {
    await room().refused({ kind: 'handoff', runtime: 'eu-one', tenants: 'all', ...change }, code)
  })

  it('a tenant whose slots cannot be signed is refused by name before anything begins', async () => {
    const at = room()
    const spoilt = (vault: Vault) => {
      const [, second] = keysOf(vault.state, 'initech')
      if (second) second.times = { ...second.times, removeAt: second.times.signUntil }
      return vault
    }
    const plan = { kind: 'handoff', runtime: 'eu-one', tenants: 'all' }
    const { message } = await at.refused(plan, 'policy-rejected', { vault: spoilt })
    expect(message).toContain('Tenant initech')
  })

  it('a torn or changed file does not pass the comparison', async () => {
    const at = room()
    const spoil = (name: string) =>
      writeFileSync(join(at.media, name), readFileSync(join(at.media, name)).subarray(0, -20))
    const work = at.run(
      { kind: 'handoff', runtime: 'eu-one', tenants: 'all' },
      {
        ports: (ports) => ({
          ...ports,
          media: {
            ...ports.media,
            checkExport: (bundle, material, anchor) => {
              spoil(material)
              return ports.media.checkExport(bundle, material, anchor)
            },
          },
        }),
      },
    )
    expect((await failure(work)).exit).toBe(3)
    const ceremony = [...(await at.state()).ceremonies.values()].at(-1)
    expect([ceremony?.done.at(-1)?.step, ceremony?.ended]).toEqual(['export-files', null])
  })
})

describe('intake', () => {
  it('takes the chain, closes the material file in the ledger, and the next handoff uses the offered key', async () => {
    const { result, state } = await served.intake(runtime)
    expect(result.steps.map(({ step }) => step)).toEqual(['check-machine', 'check-receipts', 'take-receipts'])
    const known = state.runtimes.get('eu-one')
    expect(known?.receipts.statements.some(({ stated }) => stated.type === 'imported')).toBe(true)
    const [kid = ''] = known ? handedOver(known) : []
    const key = state.keys.get(kid)
    const copies = key ? copiesOf(state, key) : []
    expect(copies.map(({ id, status }) => [id, status])).toEqual([
      ['vault', 'open'],
      ['file:eu-one:1', 'stated'],
      ['runtime:eu-one', 'open'],
      ['medium', 'open'],
    ])
    const next = await served.handoff(runtime)
    expect(next.state.runtimes.get('eu-one')?.handoffs.map(({ number }) => number)).toEqual([1, 2])
    expect(next.state.runtimes.get('eu-one')?.handoffs[1]?.keys).toEqual([])
  })

  it('the same receipts again are refused, and so are receipts of another runtime', async () => {
    await served.intake(runtime)
    const names = Object.keys(served.content()).filter((name) => name.startsWith('media/receipts-'))
    const receipts = basename(names[0] ?? '')
    const at = served.copy(genesis.folder())
    await at.refused({ kind: 'intake', runtime: 'eu-one', receipts }, 'ceremony-conflict')
    await at.refused({ kind: 'intake', runtime: 'eu-two', receipts }, 'runtime-unknown')
    const second = await at.runtime('eu-two')
    await second.runtime.close()
    await at.refused({ kind: 'intake', runtime: 'eu-two', receipts }, 'signature-invalid')
  })
})

it('each record says what was approved by whom, and every approval is by M custodians', async () => {
  const state = await served.state()
  for (const id of state.ceremonies.keys()) {
    const { record } = parseRecord(readFileSync(join(served.records, id, 'record.json')))
    for (const approval of record.approvals) expect([id, approval.approvals.length]).toEqual([id, 2])
  }
  expect(await served.verify()).toMatchObject({ tail: null })
})
