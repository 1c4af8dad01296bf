import { describe, expect, it } from 'vitest'
import { MAX_PAST_KEYS, pastKeys } from '../../shared/domain/past-keys.ts'
import { DAY, DEFAULT_POLICY, SKEW } from '../../shared/domain/policy.ts'
import { firstKey } from '../../shared/domain/schedule.ts'
import { emptyState, keysOf, type Runtime, type Tenant, type VaultKey } from '../../shared/domain/state.ts'

/** Which keys left the published set, and when. */

const T0 = 1_760_000_000
const TIMES = firstKey(DEFAULT_POLICY, T0)
const LAST_TOKEN = TIMES.extendUntil + DEFAULT_POLICY.accessTokenLifetime + SKEW

const key = (kid: string, change: Partial<VaultKey> = {}): VaultKey => ({
  tenant: 'acme',
  kid,
  spec: 'ES256',
  jwk: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' },
  label: kid,
  times: TIMES,
  replaces: null,
  generator: null,
  imported: null,
  exported: [],
  bornAt: T0,
  bornIn: null,
  compromised: null,
  destroyed: null,
  absenceProved: null,
  certificate: null,
  ...change,
})

/** A vault with these keys; those named in `left` went to a runtime. */
function stateOf(keys: VaultKey[], left: string[] = []) {
  const state = emptyState('start')
  const tenant: Tenant = {
    tenant: 'acme',
    name: 'Acme',
    issuer: 'https://acme.example.com',
    policy: DEFAULT_POLICY,
    relyingParties: [],
    reserved: false,
    offboarded: null,
    kids: keys.map(({ kid }) => kid),
  }
  state.tenants.set('acme', tenant)
  for (const one of keys) state.keys.set(one.kid, one)
  const exported = { manifest: 'm', files: {}, at: T0 }
  const handoffs: Runtime['handoffs'] = [
    { number: 1, at: T0, transportKey: 't', tenants: ['acme'], keys: left, exported },
  ]
  const receipts = { upTo: 0, head: null, takenAt: null, statements: [] }
  const names = { runtimeId: 'edge', environment: 'practice', enrollment: 'e', acceptance: 'a', offer: null }
  state.runtimes.set('edge', { ...names, handoffs, envelopes: [], opened: [], revocations: [], receipts })
  return { state, tenant }
}

const ends = ({ state, tenant }: ReturnType<typeof stateOf>, now: number) =>
  pastKeys(state, tenant, now).map(({ kid, from, until, compromised }) => [kid, from, until, compromised])

describe('a key is past', () => {
  it('from its removal on, and not a second before', () => {
    const world = stateOf([key('a')], ['a'])
    expect(ends(world, TIMES.removeAt - 1)).toEqual([])
    expect(ends(world, TIMES.removeAt)).toEqual([['a', TIMES.signFrom, TIMES.removeAt, null]])
    expect(ends(world, TIMES.removeAt + 9)).toEqual([['a', TIMES.signFrom, TIMES.removeAt, null]])
  })

  it('from its compromise on; one that is found later leaves its end as it was and says since when', () => {
    const at = T0 + 5 * DAY
    const stolen = key('a', { compromised: { at, reason: 'x' } })
    expect(ends(stateOf([stolen], ['a']), at)).toEqual([['a', TIMES.signFrom, at, at]])
    const late = TIMES.removeAt + DAY
    const later = key('a', { compromised: { at: late, reason: 'x' } })
    expect(ends(stateOf([later], ['a']), late)).toEqual([['a', TIMES.signFrom, TIMES.removeAt, late]])
  })

  it('a compromised key that was announced and never signed has no span of its own', () => {
    const times = { ...TIMES, announceAt: T0 - 14 * DAY }
    const stolen = key('a', { times, compromised: { at: T0 - DAY, reason: 'x' } })
    expect(ends(stateOf([stolen]), T0)).toEqual([['a', T0 - DAY, T0 - DAY, T0 - DAY]])
  })

  it('once it is destroyed, but only after the last token of a runtime that had it', () => {
    const destroyed = key('a', { destroyed: { at: T0 + DAY, reason: 'x' } })
    expect(ends(stateOf([destroyed]), T0 + DAY)).toEqual([['a', TIMES.signFrom, T0 + DAY, null]])
    const had = stateOf([destroyed], ['a'])
    expect(ends(had, LAST_TOKEN - 1)).toEqual([])
    expect(ends(had, LAST_TOKEN)).toEqual([['a', TIMES.signFrom, LAST_TOKEN, null]])
  })

  it('where the vault that was lost destroyed it', () => {
    const world = stateOf([key('a')])
    world.state.elsewhere.set('a', { certificate: 'D-1', at: T0 + DAY })
    expect(ends(world, T0 + 2 * DAY)).toEqual([['a', TIMES.signFrom, T0 + DAY, null]])
  })

  it('never, where it ended before anybody was told of it', () => {
    const future = { ...TIMES, announceAt: T0 + 30 * DAY, signFrom: T0 + 44 * DAY }
    const at = T0 + DAY
    const world = stateOf([
      key('a', { times: future, compromised: { at, reason: 'x' } }),
      key('b', { times: future, destroyed: { at, reason: 'x' } }),
    ])
    expect(ends(world, at)).toEqual([])
    expect(keysOf(world.state, 'acme')).toHaveLength(2)
  })

  it('the newest 200 are named, in the order in which they ended', () => {
    const keys = Array.from({ length: MAX_PAST_KEYS + 5 }, (_, at) =>
      key(`k${at}`, { times: { ...TIMES, removeAt: TIMES.removeAt + at } }),
    )
    const named = ends(stateOf(keys.toReversed()), TIMES.removeAt + 1000).map(([kid]) => kid)
    expect(named).toEqual(keys.slice(5).map(({ kid }) => kid))
  })
})
