import { get } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { confirmationFor } from '../../electron/ceremony/destroy.ts'
import { readBundle } from '../../electron/handoff/bundle.ts'
import { createIssuerServer } from '../../electron/issuer/http/server.ts'
import { copiesOf } from '../../shared/domain/ledger.ts'
import { keysOf } from '../../shared/domain/state.ts'
import type { Code } from '../../shared/errors.ts'
import type { TenantLine } from '../../shared/formats/bundle.ts'
import { digest } from '../../shared/formats/bytes.ts'
import { openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import { failure, type Genesis, makeGenesis, type Room, type TestRuntime, tenantPlan } from './fixtures.ts'

const DAY = 86_400

/** Asks for a key set as a relying party of that host would. */
function request(port: number, host: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = get({ host: '127.0.0.1', port, path: '/.well-known/jwks.json', headers: { host } }, (answer) => {
      let body = ''
      answer.on('data', (chunk) => {
        body += chunk
      })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }))
    })
    asked.on('error', reject)
  })
}

let genesis: Genesis
let onboarded: Room
let kids: string[]
beforeAll(async () => {
  genesis = await makeGenesis()
  onboarded = genesis.room()
  const { state } = await onboarded.onboard(tenantPlan('acme'), tenantPlan('globex'))
  kids = keysOf(state, 'acme').map((key) => key.kid)
})
afterAll(() => genesis.remove())

const room = () => onboarded.copy(genesis.folder())
const amend = (...changes: object[]) => ({ kind: 'amend', reason: 'Agreed with the customer', changes })

describe('amend', () => {
  it('changes name, policy and relying parties; what is not named stays; one approval covers all', async () => {
    const at = room()
    const before = await at.state()
    const { result, state } = await at.run(
      amend(
        { tenant: 'acme', name: 'Acme Ltd', policy: { accessTokenLifetime: '30m' } },
        { tenant: 'globex', relyingParties: [{ name: 'gateway', cache: '12h' }] },
      ),
    )
    expect(result.ceremony).toMatch(/^A-/)
    expect(result.steps.map(({ step }) => step)).toEqual(['check-machine', 'check-plan', 'make-changes'])
    expect(state.tenants.get('acme')).toMatchObject({
      name: 'Acme Ltd',
      policy: { ...before.tenants.get('acme')?.policy, accessTokenLifetime: 1800 },
    })
    expect(state.tenants.get('globex')).toMatchObject({
      name: 'Tenant globex',
      relyingParties: [{ cacheSeconds: 43_200 }],
    })
    expect(keysOf(state, 'acme')).toEqual(keysOf(before, 'acme'))
    expect([...state.ceremonies.values()].at(-1)?.approvals.filter(({ step }) => step === 'make-changes')).toHaveLength(
      1,
    )
    expect(await at.verify()).toMatchObject({ tail: null })
  })

  const REFUSED: [string, object[], Code][] = [
    ['a policy that breaks a rule', [{ tenant: 'acme', policy: { retentionDuration: '7d' } }], 'policy-rejected'],
    [
      'a slower relying party than keys are announced for',
      [{ tenant: 'acme', relyingParties: [{ name: 'g', cache: '15d' }] }],
      'policy-rejected',
    ],
    [
      'an announcement that keys made already do not have',
      [{ tenant: 'acme', policy: { propagationTime: '20d' } }],
      'policy-rejected',
    ],
    [
      'a first algorithm that nobody can sign with yet',
      [{ tenant: 'acme', policy: { signingAlgorithms: ['RS256', 'ES256'] } }],
      'policy-rejected',
    ],
    ['a tenant that does not exist', [{ tenant: 'nobody', name: 'X' }], 'tenant-unknown'],
    ['nothing to change', [{ tenant: 'acme' }], 'plan-invalid'],
    ['a tenant twice', [{ tenant: 'acme', name: 'A' }, { offboard: 'acme' }], 'plan-invalid'],
    ['a hold on a key that does not exist', [{ hold: 'h', keys: [digest('x')], reason: 'Case 7' }], 'key-unknown'],
    ['a hold to lift that was not placed', [{ lift: 'h' }], 'ceremony-conflict'],
    [
      'a hold placed and lifted at once',
      [{ hold: 'h', tenant: 'acme', reason: 'Case 7' }, { lift: 'h' }],
      'plan-invalid',
    ],
    ['an unknown member', [{ tenant: 'acme', issuer: 'https://b.example.com' }], 'plan-invalid'],
  ]
  it.each(REFUSED)('%s is refused, and everything stays byte for byte', async (_, changes, code) => {
    await room().refused(amend(...changes), code)
  })

  it('one more algorithm: a rotation makes its first key, which is announced in full before it signs', async () => {
    const at = room()
    const { result } = await at.run(amend({ tenant: 'acme', policy: { signingAlgorithms: ['ES256', 'RS256'] } }))
    expect(result.steps.at(-1)?.observed).toContain('RS256 has no key yet: a rotation makes it')
    const { state } = await at.run({ kind: 'rotate', tenants: ['acme'] })
    const [first] = keysOf(state, 'acme').filter((key) => key.spec === 'RS256')
    expect(first?.times.propagation).toBe('full')
    expect((first?.times.signFrom ?? 0) - (first?.times.announceAt ?? 0)).toBe(14 * DAY)
    at.clock.to(first?.times.signFrom ?? 0)
    const swapped = amend({ tenant: 'acme', policy: { signingAlgorithms: ['RS256', 'ES256'] } })
    expect((await at.run(swapped)).state.tenants.get('acme')?.policy.signingAlgorithms[0]).toBe('RS256')
  })

  it('a longer announcement is possible once the last key that was made signs, and the next keys have it', async () => {
    const at = room()
    const last = keysOf(await at.state(), 'acme').at(-1)
    at.clock.to((last?.times.signFrom ?? 0) + DAY)
    await at.run(amend({ tenant: 'acme', policy: { propagationTime: '20d' } }))
    const { state } = await at.run({ kind: 'rotate', tenants: ['acme'] })
    const next = keysOf(state, 'acme').at(-1)?.times
    expect((next?.signFrom ?? 0) - (next?.announceAt ?? 0)).toBe(20 * DAY)
  })

  it('the new policy reaches a runtime with the next handoff, its slots cut anew', async () => {
    const at = room()
    const runtime = await at.runtime()
    try {
      await at.handoff(runtime)
      await at.intake(runtime)
      await at.run(amend({ tenant: 'acme', name: 'Acme Ltd', policy: { accessTokenLifetime: '30m' } }))
      await at.handoff(runtime)
      expect((await runtime.runtime.find('acme.example.com', ''))?.accessTokenLifetime).toBe(1800)
      expect((await runtime.runtime.status()).tenants.map(({ name }) => name)).toEqual(['Acme Ltd', 'Tenant globex'])
    } finally {
      await runtime.runtime.close()
    }
  })
})

describe('legal hold', () => {
  it('keeps its keys from destruction until it is lifted', async () => {
    const at = room()
    const [kid = ''] = kids
    const { state } = await at.run(amend({ hold: 'case-7', tenant: 'acme', reason: 'Court order 7' }))
    expect(state.holds.get('case-7')).toMatchObject({ kids, reason: 'Court order 7' })
    at.clock.advance(120 * DAY)
    const destroy = { kind: 'destroy', keys: [kid], reason: 'Retired' }
    const confirm = [confirmationFor([kid])]
    const error = await at.refused(destroy, 'destruction-blocked', { confirm })
    expect(error.message).toContain('case-7')
    await at.refused(amend({ hold: 'case-7', keys: [kid], reason: 'Again' }), 'ceremony-conflict')
    expect((await at.run(amend({ lift: 'case-7' }))).state.holds.size).toBe(0)
    expect((await at.run(destroy, { confirm })).state.keys.get(kid)?.destroyed).not.toBeNull()
  })
})

describe('offboarding', () => {
  let served: Room
  let runtime: TestRuntime
  beforeAll(async () => {
    served = room()
    runtime = await served.runtime()
    await served.handoff(runtime)
    await served.intake(runtime)
  })
  afterAll(() => runtime.runtime.close())

  it('no key of it signs, nothing is made for it, its id and issuer are never given out again', async () => {
    const at = room()
    const { result, state } = await at.run(amend({ offboard: 'acme' }))
    expect(result.steps.at(-1)?.observed).toContain('3 private keys are due for destruction')
    expect(state.tenants.get('acme')?.offboarded).toMatchObject({ reason: 'Agreed with the customer' })
    await at.refused(amend({ tenant: 'acme', name: 'Again' }), 'ceremony-conflict')
    await at.refused(amend({ offboard: 'acme' }), 'ceremony-conflict')
    await at.refused({ kind: 'rotate', tenants: ['acme'] }, 'ceremony-conflict')
    await at.refused(
      { kind: 'onboard', tenants: [tenantPlan('acme', { issuer: 'https://b.example.com' })] },
      'ceremony-conflict',
    )
    const reused = { kind: 'onboard', tenants: [tenantPlan('other', { issuer: 'https://acme.example.com' })] }
    await at.refused(reused, 'ceremony-conflict')
    at.clock.advance(100 * DAY)
    const rotated = await at.run({ kind: 'rotate', tenants: 'all' })
    expect(keysOf(rotated.state, 'acme')).toHaveLength(3)
  })

  it('a compromise of one of its keys is recorded, and nothing replaces it', async () => {
    const at = room()
    await at.run(amend({ tenant: 'acme', policy: { standby: 'hot' } }))
    await at.run(amend({ offboard: 'acme' }))
    const { state } = await at.run({ kind: 'emergency', scope: { key: kids[0] }, reason: 'stolen' })
    expect(state.keys.get(kids[0] ?? '')?.compromised).toMatchObject({ reason: 'stolen' })
    expect(keysOf(state, 'acme')).toHaveLength(3)
  })

  it('its keys may be destroyed at once, also those that were still to sign', async () => {
    const at = room()
    await at.run(amend({ offboard: 'acme' }))
    const { state } = await at.run(
      { kind: 'destroy', keys: kids, reason: 'Offboarded' },
      { confirm: [confirmationFor(kids)] },
    )
    expect(keysOf(state, 'acme', { usable: true })).toEqual([])
  })

  it('a runtime that never had the tenant is told nothing', async () => {
    const at = room()
    const fresh = await at.runtime('eu-new')
    try {
      await at.run(amend({ offboard: 'acme' }))
      await at.handoff(fresh)
      expect(await fresh.runtime.status()).toMatchObject({ tenants: [{ tenant: 'globex' }], offboarded: [] })
    } finally {
      await fresh.runtime.close()
    }
  })

  it('a runtime learns it with its next bundle: 404 from then on, private halves erased, receipts of it; nobody else notices', async () => {
    const { runtime: open } = runtime
    const server = await createIssuerServer(open, { listen: { host: '127.0.0.1', port: 0 } })
    const fetchKeys = async (host: string) => {
      const answer = await request(server.port, host)
      return { status: answer.status, body: answer.body }
    }
    try {
      const other = await fetchKeys('globex.example.com')
      expect((await fetchKeys('acme.example.com')).status).toBe(200)
      await open.clients.add('acme', { clientId: 'shop', method: 'client_secret_basic', audiences: ['a'] }, 'ops')
      await served.run(amend({ offboard: 'acme' }))
      const { result } = await served.handoff(runtime)
      expect(result.steps.find(({ step }) => step === 'export-files')?.observed).toContain('To be given up: acme.')
      expect((await fetchKeys('acme.example.com')).status).toBe(404)
      expect(await fetchKeys('globex.example.com')).toEqual(other)
      expect(await open.status()).toMatchObject({ tenants: [{ tenant: 'globex' }], offboarded: [{ tenant: 'acme' }] })
      expect(await open.clients.list('acme')).toEqual([])
      const add = () =>
        open.clients.add('acme', { clientId: 'x', method: 'client_secret_basic', audiences: ['a'] }, 'ops')
      await expect(add()).rejects.toMatchObject({ code: 'tenant-unknown' })
    } finally {
      await server.close()
    }
    const { state } = await served.intake(runtime)
    const said = state.runtimes.get('eu-one')?.receipts.statements.map(({ stated }) => stated) ?? []
    const erased = said.filter((one) => one.type === 'erased' && one.tenant === 'acme')
    expect(erased.length).toBeGreaterThan(0)
    expect(erased.every((one) => one.reason === 'offboarded')).toBe(true)
    expect(said).toContainEqual(expect.objectContaining({ type: 'phase', tenant: 'acme', phase: 'removed' }))
    const key = state.keys.get(String(erased[0]?.kid))
    expect(key && copiesOf(state, key).find(({ id }) => id === 'runtime:eu-one')?.evidence).toMatch(/^Erasure receipt/)
  })

  it('every later bundle says so again, and the tenant never comes back', async () => {
    const { state } = await served.handoff(runtime)
    const bundle = served.written.find((path) => path.includes('bundle-')) ?? ''
    const lines: TenantLine[] = []
    const { removed } = await readBundle(bundle, await openTrustAnchor(state.anchor), (line) => lines.push(line))
    expect(removed).toMatchObject([{ tenant: 'acme', issuer: 'https://acme.example.com' }])
    expect(lines.map(({ tenant }) => tenant)).toEqual(['globex'])
    await served.intake(runtime)
    const back = served.run(
      { kind: 'handoff', runtime: 'eu-one', tenants: 'all' },
      {
        ports: (ports) => ({
          ...ports,
          media: {
            ...ports.media,
            writeBundle: (manifest, entries, root, practice) => {
              const living = entries.flatMap((entry) => ('removed' in entry ? [] : [{ ...entry, tenant: 'acme' }]))
              return ports.media.writeBundle(manifest, living, root, practice)
            },
          },
        }),
      },
    )
    await back
    const error = await failure(runtime.runtime.importFiles(served.written))
    expect([error.code, error.message]).toEqual(['bundle-refused', expect.stringContaining('never comes back')])
  })
})

describe('reserved tenants', () => {
  const RESERVED = { tenant: 't-7f3k', issuer: 'https://id.example.com/t/7f3k', reserved: true }
  const onboard = { kind: 'onboard', tenants: [{ ...RESERVED, policy: { signingAlgorithms: ['ES256'] } }] }

  it('have keys, a schedule and their final issuer, but no name, until an amendment gives one', async () => {
    const at = room()
    const before = (await at.run(onboard)).state
    expect(before.tenants.get('t-7f3k')).toMatchObject({ reserved: true, name: 'Reserved t-7f3k' })
    expect(keysOf(before, 't-7f3k')).toHaveLength(3)
    const { state } = await at.run(amend({ tenant: 't-7f3k', name: 'Initech' }))
    expect(state.tenants.get('t-7f3k')).toMatchObject({ reserved: false, name: 'Initech' })
    expect(keysOf(state, 't-7f3k')).toEqual(keysOf(before, 't-7f3k'))
  })

  it('a name on a reserved tenant, and none on another, is refused', async () => {
    const at = room()
    await at.refused({ kind: 'onboard', tenants: [{ ...RESERVED, name: 'Initech' }] }, 'plan-invalid')
    const nameless = { tenant: 'x', issuer: 'https://x.example.com' }
    await at.refused({ kind: 'onboard', tenants: [nameless] }, 'plan-invalid')
  })

  it('a runtime labels one at once, before any ceremony: the label is all that changes', async () => {
    const at = room()
    await at.run(onboard)
    const fresh = await at.runtime('eu-new')
    try {
      await at.handoff(fresh)
      const before = (await fresh.runtime.status()).tenants.find(({ tenant }) => tenant === 't-7f3k')
      await fresh.runtime.assign('t-7f3k', 'Initech', 'ops')
      const after = (await fresh.runtime.status()).tenants.find(({ tenant }) => tenant === 't-7f3k')
      expect(after).toEqual({ ...before, name: 'Initech' })
      await expect(fresh.runtime.assign('nobody', 'X', 'ops')).rejects.toThrow(
        expect.objectContaining({ code: 'tenant-unknown' }),
      )
      await expect(fresh.runtime.assign('t-7f3k', 'a\nb', 'ops')).rejects.toThrow(
        expect.objectContaining({ code: 'usage-invalid' }),
      )
      const { state } = await at.intake(fresh)
      const said = state.runtimes.get('eu-new')?.receipts.statements.map(({ stated }) => stated)
      expect(said).toContainEqual({ type: 'tenant-named', tenant: 't-7f3k', name: 'Initech', actor: 'ops' })
    } finally {
      await fresh.runtime.close()
    }
  })
})
