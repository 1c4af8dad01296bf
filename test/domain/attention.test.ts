import { describe, expect, it } from 'vitest'
import {
  type Attention,
  attentionOf,
  FIRST_RECEIPTS,
  nextKeyDue,
  RECEIPTS_EVERY,
  SOON,
} from '../../shared/domain/attention.ts'
import { type PersonStatus, PROVE_EVERY } from '../../shared/domain/home.ts'
import { DAY, type Policy } from '../../shared/domain/policy.ts'
import {
  type Ceremony,
  emptyState,
  type Handoff,
  type Runtime,
  type Tenant,
  type VaultKey,
  type VaultState,
} from '../../shared/domain/state.ts'
import type { Backup } from '../../shared/domain/state-copies.ts'
import { policyOf, START, scheduleOf } from './world.ts'

/** desktop.md, "Home": what needs attention. */

const POLICY = policyOf({ signingAlgorithms: ['ES256'] })

const keyOf = (tenant: string, index: number, times: VaultKey['times'], more: Partial<VaultKey> = {}): VaultKey => ({
  tenant,
  kid: `${tenant}-${index + 1}`,
  spec: 'ES256',
  jwk: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' },
  label: `${tenant}-${index + 1}`,
  times,
  replaces: null,
  generator: { node: '24', openssl: '3', process: 'fresh' },
  bornAt: START,
  bornIn: null,
  imported: null,
  exported: [],
  compromised: null,
  destroyed: null,
  absenceProved: null,
  certificate: null,
  ...more,
})

type Given = { policy?: Policy; tenant?: Partial<Tenant>; keys?: (key: VaultKey, index: number) => Partial<VaultKey> }

/** A vault with one tenant whose keys were scheduled at the start: the first, and two after it. */
function vaultOf(
  { policy = POLICY, tenant = {}, keys = () => ({}) }: Given = {},
  more: Partial<VaultState> = {},
): VaultState {
  const all = scheduleOf(policy, [START]).map((times, index) => {
    const key = keyOf('acme', index, times)
    return { ...key, ...keys(key, index) }
  })
  const acme: Tenant = {
    tenant: 'acme',
    name: 'Acme',
    issuer: 'https://acme.example',
    policy,
    relyingParties: [],
    reserved: false,
    offboarded: null,
    kids: all.map(({ kid }) => kid),
    ...tenant,
  }
  return {
    ...emptyState('start'),
    createdAt: START,
    tenants: new Map([['acme', acme]]),
    keys: new Map(all.map((key) => [key.kid, key])),
    backups: new Map([[1, backupOf(all.map(({ kid }) => kid))]]),
    ...more,
  }
}

const backupOf = (kids: string[], more: Partial<Backup> = {}): Backup => ({
  number: 1,
  holder: 'Bruno',
  place: 'a safe',
  replaces: [],
  at: START,
  ceremony: null,
  epoch: 1,
  seq: 1,
  head: 'h',
  kids: new Set(kids),
  made: { folder: 'f', files: {}, at: START },
  openedAt: START,
  ...more,
})

const handoffOf = (keys: string[], at = START, more: Partial<Handoff> = {}): Handoff => ({
  number: 1,
  at,
  transportKey: 't1',
  tenants: ['acme'],
  keys,
  exported: { manifest: 'm', files: {}, at },
  ...more,
})

const runtimeOf = (handoffs: Handoff[], takenAt: number | null = null): Runtime => ({
  runtimeId: 'east',
  environment: 'practice',
  enrollment: 'e',
  acceptance: 'a',
  offer: null,
  handoffs,
  envelopes: [],
  revocations: [],
  opened: [],
  receipts: { upTo: 0, head: null, takenAt, statements: [] },
})
const withRuntime = (runtime: Runtime, given: Given = {}) => vaultOf(given, { runtimes: new Map([['east', runtime]]) })

const found = (state: VaultState, now: number, people: PersonStatus[] = []): Attention[] =>
  attentionOf(state, people, now)
const the = (what: Attention['what'], state: VaultState, now: number): Attention | undefined =>
  found(state, now).find((one) => one.what === what)
const whats = (state: VaultState, now: number) => found(state, now).map(({ what }) => what)

/** Three keys of 90 days each, announced 14 days ahead. */
const END = START + 270 * DAY
const DUE = END - 14 * DAY

describe('a vault in which all is well', () => {
  it('needs nobody', () => {
    expect(found(vaultOf(), START + DAY)).toEqual([])
    expect(found(emptyState('start'), START)).toEqual([])
  })
})

describe('the next key', () => {
  const acme = (state: VaultState) => state.tenants.get('acme') as Tenant

  it('is due a propagation time before the last one ends, once none waits after the one that signs', () => {
    const state = vaultOf()
    expect(nextKeyDue(state, acme(state), START + 179 * DAY)).toBeNull()
    expect(nextKeyDue(state, acme(state), START + 181 * DAY)).toBe(DUE)
  })

  it('is shown thirty days before, and overdue from the second on in which it is due', () => {
    const state = vaultOf()
    expect(the('rotation-due', state, DUE - SOON - 1)).toBeUndefined()
    const about = [{ id: 'acme', name: 'Acme' }]
    expect(the('rotation-due', state, DUE - SOON)).toEqual({
      what: 'rotation-due',
      by: DUE,
      overdue: false,
      about,
      count: 1,
    })
    expect(the('rotation-due', state, DUE - 1)?.overdue).toBe(false)
    expect(the('rotation-due', state, DUE)?.overdue).toBe(true)
  })

  it('of two algorithms, the one that ends first counts; one of its standby keys counts for none', () => {
    const policy = policyOf({ signingAlgorithms: ['ES256', 'Ed25519'] })
    const both = vaultOf({ policy, keys: (_, index) => (index === 0 ? { spec: 'Ed25519' } : {}) })
    const end = START + 90 * DAY - 14 * DAY
    expect(nextKeyDue(both, acme(both), START + 100 * DAY)).toBeNull()
    expect(nextKeyDue(both, acme(both), START + DAY)).toBe(end)
    const standby = vaultOf({ keys: (_, index) => (index === 2 ? { standby: true } : {}) })
    expect(nextKeyDue(standby, acme(standby), START + 91 * DAY)).toBe(START + 180 * DAY - 14 * DAY)
  })

  it('is needed by nobody who was offboarded', () => {
    const state = vaultOf({ tenant: { offboarded: { at: START, reason: 'left' } } })
    expect(nextKeyDue(state, acme(state), DUE)).toBeNull()
    expect(whats(state, DUE)).not.toContain('rotation-due')
  })
})

describe('no key', () => {
  it('is said once nothing may sign, since the extension ended, and the rotation is not said beside it', () => {
    const over = END + POLICY.extension
    expect(the('no-key', vaultOf(), over - 1)).toBeUndefined()
    expect(the('no-key', vaultOf(), over)).toMatchObject({ by: over, overdue: true, count: 1 })
    expect(whats(vaultOf(), over)).not.toContain('rotation-due')
  })

  it('is said at once when the key that signs is compromised', () => {
    const at = START + DAY
    const state = vaultOf({ keys: (_, index) => (index === 0 ? { compromised: { at, reason: 'stolen' } } : {}) })
    expect(the('no-key', state, at)).toMatchObject({ by: at, overdue: true, about: [{ id: 'acme', name: 'Acme' }] })
  })

  it('is not said of somebody who was offboarded', () => {
    const state = vaultOf({ tenant: { offboarded: { at: START, reason: 'left' } } })
    expect(whats(state, END + 30 * DAY)).not.toContain('no-key')
  })
})

describe('destruction', () => {
  const retired = START + 90 * DAY + POLICY.extension
  it('is due once no successor can be late any more, not before', () => {
    expect(the('destruction-due', vaultOf(), retired - 1)).toBeUndefined()
    const about = [{ id: 'acme-1', name: 'acme-1' }]
    expect(the('destruction-due', vaultOf(), retired)).toMatchObject({ by: retired, overdue: true, about, count: 1 })
  })

  it('is not due of a key that a hold names, or whose policy keeps it', () => {
    const held = { hold: 'court', kids: ['acme-1'], reason: 'a court asks', at: START }
    expect(whats(vaultOf({}, { holds: new Map([['court', held]]) }), retired)).not.toContain('destruction-due')
    const policy = { ...POLICY, destroyPrivateAtRetirement: false }
    expect(whats(vaultOf({ policy }), retired)).not.toContain('destruction-due')
  })

  it('leaves open copies: those of destroyed keys, a shared one counted once', () => {
    expect(the('open-copies', vaultOf(), retired)).toBeUndefined()
    const gone = (_: VaultKey, index: number) =>
      index < 2
        ? { destroyed: { at: retired, reason: 'retired' }, absenceProved: { at: retired, ceremony: 'D-2026-001' } }
        : {}
    // The backup and the medium hold both.
    expect(the('open-copies', vaultOf({ keys: gone }), retired)).toMatchObject({
      by: null,
      overdue: false,
      about: [{ id: 'acme-1' }, { id: 'acme-2' }],
      count: 2,
    })
  })

  it('that nobody proved counts the row of each key', () => {
    const erased = (_: VaultKey, index: number) => (index < 2 ? { destroyed: { at: retired, reason: 'retired' } } : {})
    expect(the('open-copies', vaultOf({ keys: erased }), retired)?.count).toBe(4)
  })
})

describe('runtimes', () => {
  const KEYS = ['acme-1', 'acme-2']

  it('state something within a week of a handoff; shown at once, overdue after the week', () => {
    const state = withRuntime(runtimeOf([handoffOf(KEYS)]))
    const by = START + FIRST_RECEIPTS
    expect(the('receipts-missing', state, START + DAY)).toMatchObject({ by, overdue: false, about: [{ id: 'east' }] })
    expect(the('receipts-missing', state, by)?.overdue).toBe(true)
  })

  it('and every five weeks after, whether or not there was news in it', () => {
    const state = withRuntime(runtimeOf([handoffOf(KEYS)], START + DAY))
    const by = START + DAY + RECEIPTS_EVERY
    expect(the('receipts-missing', state, by - 1)).toBeUndefined()
    expect(the('receipts-missing', state, by)).toMatchObject({ by, overdue: true })
  })

  it('are waited for after a restore, whatever came before', () => {
    const state = withRuntime(runtimeOf([handoffOf(KEYS)], START + DAY))
    const at = START + 2 * DAY
    const restores = [{ backup: 1, at, ceremony: null, reason: 'lost', seq: 1, seen: 1, kids: new Set<string>() }]
    const restored = { ...state, awaited: new Set(['east']), restores }
    expect(the('receipts-missing', restored, at)).toMatchObject({ by: at, overdue: true })
  })

  it('that have what they need wait for no handoff', () => {
    expect(whats(withRuntime(runtimeOf([handoffOf(KEYS)], START)), START + DAY)).toEqual([])
  })

  it('wait for the key that is to sign next, by then', () => {
    const state = withRuntime(runtimeOf([handoffOf(['acme-1'])], START))
    expect(the('handoff-due', state, START + DAY)).toMatchObject({
      by: START + 90 * DAY,
      overdue: false,
      about: [{ id: 'east', name: 'east' }],
    })
  })

  it('wait for a key that no bundle names yet, by the day it is announced', () => {
    const made = START + 20 * DAY
    const state = withRuntime(runtimeOf([handoffOf(KEYS)], START), {
      keys: (_, index) => (index === 2 ? { bornAt: made } : {}),
    })
    expect(the('handoff-due', state, made)).toMatchObject({ by: START + 180 * DAY - 14 * DAY, overdue: false })
  })

  it('wait for a tenant that was never handed over where there is one runtime; a reserved one waits for its customer', () => {
    expect(the('handoff-due', withRuntime(runtimeOf([])), START + DAY)).toMatchObject({ by: START, overdue: true })
    expect(whats(withRuntime(runtimeOf([]), { tenant: { reserved: true } }), START + DAY)).not.toContain('handoff-due')
    const two = withRuntime(runtimeOf([]))
    two.runtimes.set('west', { ...runtimeOf([]), runtimeId: 'west' })
    expect(whats(two, START + DAY)).not.toContain('handoff-due')
  })

  it('must be told of a compromise and of an end', () => {
    const at = START + DAY
    const compromised = (_: VaultKey, index: number) => (index === 0 ? { compromised: { at, reason: 'stolen' } } : {})
    expect(
      the('handoff-due', withRuntime(runtimeOf([handoffOf(KEYS)], START), { keys: compromised }), at)?.overdue,
    ).toBe(true)
    const told = withRuntime(runtimeOf([handoffOf(KEYS), handoffOf([], at, { number: 2 })], at), { keys: compromised })
    expect(the('handoff-due', told, at)).toBeUndefined()
    const gone = { offboarded: { at, reason: 'left' } }
    expect(the('handoff-due', withRuntime(runtimeOf([handoffOf(KEYS)], START), { tenant: gone }), at)).toMatchObject({
      by: at,
      overdue: true,
    })
  })
})

describe('backups', () => {
  const all = ['acme-1', 'acme-2', 'acme-3']
  it.each([
    ['none was made', new Map<number, Backup>(), 0],
    ['one was begun and never made', new Map([[1, backupOf(all, { made: null })]]), 0],
    ['nobody opened the newest', new Map([[1, backupOf(all, { openedAt: null })]]), 1],
    ['a key is not in the newest', new Map([[1, backupOf(['acme-1'])]]), 1],
  ])('%s', (_what, backups, count) => {
    expect(the('backup-untested', vaultOf({}, { backups }), START)).toMatchObject({ by: null, overdue: false, count })
  })

  it('a key that was destroyed need not be in it', () => {
    const destroyed = { at: START, reason: 'retired' }
    const state = vaultOf(
      { keys: (_, index) => (index === 0 ? { destroyed } : {}) },
      { backups: new Map([[1, backupOf(['acme-2', 'acme-3'])]]) },
    )
    expect(whats(state, START)).not.toContain('backup-untested')
  })
})

describe('people, ceremonies and the log', () => {
  const person = (due: number): PersonStatus => ({
    id: 'ada',
    name: 'Ada',
    role: 'custodian',
    share: 'vault',
    lastProved: due - PROVE_EVERY,
    due,
    overdue: false,
  })

  it('a passphrase is shown thirty days before it is due', () => {
    const due = START + 40 * DAY
    expect(attentionOf(vaultOf(), [person(due)], due - SOON - 1)).toEqual([])
    expect(
      attentionOf(vaultOf(), [person(due), { ...person(due + DAY), id: 'emil', name: 'Emil' }], due - DAY),
    ).toEqual([
      {
        what: 'passphrase-due',
        by: due,
        overdue: false,
        about: [
          { id: 'ada', name: 'Ada' },
          { id: 'emil', name: 'Emil' },
        ],
        count: 2,
      },
    ])
    expect(attentionOf(vaultOf(), [person(due)], due)[0]?.overdue).toBe(true)
  })

  it('the newest head card is named by the event on it: the one before its checkpoint', () => {
    const state = vaultOf({}, { checkpoint: { seq: 41, statement: 's' } })
    expect(the('head-card', state, START)).toEqual({
      what: 'head-card',
      by: null,
      overdue: false,
      about: [],
      count: 40,
    })
  })

  const open = (more: Partial<Ceremony> = {}) =>
    ({ id: 'D-2026-004', kind: 'destroy', startedAt: START, done: [], ended: null, ...more }) as Ceremony

  it('an open ceremony is overdue from its beginning; a destruction that cools off, from the end of its wait', () => {
    const ceremonies = (one: Ceremony) => new Map([[one.id, one]])
    expect(the('ceremony-open', vaultOf({}, { ceremonies: ceremonies(open()) }), START)).toMatchObject({
      by: START,
      overdue: true,
      about: [{ id: 'D-2026-004', name: 'D-2026-004' }],
    })
    const confirmed = open({ done: [{ step: 'confirm-destruction', at: START, by: 'ada', observed: '' }] })
    const waiting = vaultOf(
      { policy: { ...POLICY, destructionCoolingOff: DAY } },
      { ceremonies: ceremonies(confirmed), chosen: new Map([['D-2026-004', ['acme-1']]]) },
    )
    expect(the('ceremony-open', waiting, START + 1)).toMatchObject({ by: START + DAY, overdue: false })
    expect(the('ceremony-open', waiting, START + DAY)?.overdue).toBe(true)
  })

  it('events that no quorum accepted are counted', () => {
    const [first] = attentionOf(vaultOf(), [], START, { from: 8, to: 10 })
    expect(first).toEqual({ what: 'tail', by: null, overdue: true, about: [], count: 3 })
  })

  it('what is overdue comes first, then what has a day, then what has none', () => {
    const state = vaultOf({}, { checkpoint: { seq: 41, statement: 's' } })
    const now = DUE - DAY
    const said = attentionOf(state, [person(now)], now).map(({ what, overdue }) => [what, overdue])
    expect(said).toEqual([
      ['destruction-due', true],
      ['passphrase-due', true],
      ['rotation-due', false],
      ['head-card', false],
    ])
  })
})
