import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decideReplacements } from '../../shared/domain/emergency.ts'
import type { EventOf, VaultEvent } from '../../shared/domain/events.ts'
import { DAY, DEFAULT_POLICY } from '../../shared/domain/policy.ts'
import { firstKey, nextKey } from '../../shared/domain/schedule.ts'
import { emptyState, evolve, keysOf, openCeremony, type VaultState } from '../../shared/domain/state.ts'

/** State is never stored, only folded from events. */

const T0 = 1_760_000_000
const created: EventOf<'vault-created'> = {
  type: 'vault-created',
  vaultId: 'v',
  name: 'Vault',
  practice: true,
  anchor: 'anchor',
  successor: 'successor',
  roster: 'roster-1',
  agreements: { ada: 'a' },
  people: {},
  sealed: { 'key:root': 'd1', 'wrap:root': 'd2' },
  epoch: 1,
}
const started = (ceremony = 'G-2025-001'): VaultEvent => ({
  type: 'ceremony-started',
  ceremony,
  kind: 'genesis',
  planDigest: 'p',
  plan: '{}',
  present: ['ada'],
  clock: null,
  headCard: null,
})
const ended = (ceremony = 'G-2025-001'): VaultEvent => ({
  covers: { seq: 1, head: 'h1' },
  type: 'ceremony-ended',
  ceremony,
  record: 'r',
  signOffs: {},
})
const aborted = (ceremony = 'G-2025-001'): VaultEvent => ({ type: 'ceremony-aborted', ceremony, reason: 'no time' })
const tenant = (id = 'acme'): VaultEvent => ({
  type: 'tenant-added',
  tenant: id,
  name: id,
  issuer: `https://${id}.example.com`,
  policy: DEFAULT_POLICY,
  relyingParties: [],
})
const key = (kid: string, change: Partial<EventOf<'key-generated'>> = {}): EventOf<'key-generated'> => ({
  type: 'key-generated',
  tenant: 'acme',
  kid,
  spec: 'ES256',
  jwk: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' },
  label: kid,
  times: firstKey(DEFAULT_POLICY, T0),
  replaces: null,
  generator: { node: '24', openssl: '3', process: 'fresh' },
  sealed: { [`key:${kid}`]: `k-${kid}`, [`wrap:${kid}`]: `w-${kid}` },
  ...change,
})
const runtime = (id = 'edge'): VaultEvent => ({
  type: 'runtime-enrolled',
  runtimeId: id,
  environment: 'practice',
  enrollment: 'e',
  acceptance: 'a',
})
const intended = (number = 1): VaultEvent => ({
  type: 'handoff-intended',
  runtimeId: 'edge',
  number,
  transportKey: 't1',
  tenants: ['acme'],
  keys: ['k1'],
})
const exported = (number = 1): VaultEvent => ({
  type: 'handoff-exported',
  runtimeId: 'edge',
  number,
  manifest: 'm',
  merkleRoot: 'r',
  files: { bundle: 'b' },
})
const receipts: VaultEvent = {
  type: 'receipts-taken',
  runtimeId: 'edge',
  file: 'f',
  upTo: 3,
  head: 'h',
  offered: 't2',
  statements: [{ seq: 3, at: T0, stated: { type: 'imported' } }],
}
const epoch = (number: number): VaultEvent => ({
  type: 'epoch-activated',
  epoch: number,
  roster: `roster-${number}`,
  agreements: {},
  people: {},
  sealed: { 'wrap:root': 'd3' },
})
const destroyed = (kid: string): VaultEvent => ({
  type: 'keys-destroyed',
  kids: [kid],
  reason: 'retired',
  marks: { [`key:${kid}`]: 'm1', [`wrap:${kid}`]: 'm2' },
})

function fold(events: readonly VaultEvent[]): VaultState {
  const state = emptyState('start')
  events.forEach((event, index) => {
    evolve(state, { seq: index + 1, at: T0 + index, actor: 'ada', hash: `h${index + 1}`, signature: null, event })
  })
  return state
}

const LIFE: VaultEvent[] = [
  created,
  started(),
  tenant(),
  key('k1'),
  runtime(),
  intended(),
  exported(),
  receipts,
  { type: 'step-done', ceremony: 'G-2025-001', step: 'make-keys', observed: 'made' },
  { type: 'checkpoint', statement: 's' },
  ended(),
  started('D-2025-002'),
  destroyed('k1'),
  epoch(2),
  { type: 'certificate-issued', certificate: 'C-1', grade: 'deletion', kids: ['k1'], statement: 's', signatures: {} },
  aborted('D-2025-002'),
]

describe('the fold of a whole life', () => {
  const state = fold(LIFE)

  it('knows where it stands: sequence, head, time, checkpoint', () => {
    expect(state).toMatchObject({ seq: 16, head: 'h16', lastAt: T0 + 15, checkpoint: { seq: 10, statement: 's' } })
  })

  it('knows the vault and its newest epoch', () => {
    expect(state).toMatchObject({ vaultId: 'v', practice: true, createdAt: T0, epoch: 2, roster: 'roster-2' })
  })

  it('knows the sealed rows: added, replaced, erased', () => {
    expect([...state.sealed]).toEqual([
      ['key:root', 'd1'],
      ['wrap:root', 'd3'],
    ])
    expect(state.marks).toEqual({ 'key:k1': 'm1', 'wrap:k1': 'm2' })
  })

  it('knows the key: where it was born, that it is destroyed, and by which certificate', () => {
    expect(state.keys.get('k1')).toMatchObject({
      bornIn: 'G-2025-001',
      bornAt: T0 + 3,
      compromised: null,
      destroyed: { at: T0 + 12, reason: 'retired' },
      certificate: { id: 'C-1', grade: 'deletion' },
    })
    expect(keysOf(state, 'acme').map((one) => one.kid)).toEqual(['k1'])
    expect(keysOf(state, 'acme', { usable: true })).toEqual([])
    expect(keysOf(state, 'nobody')).toEqual([])
  })

  it('knows the runtime: what left for it, what it said, the transport key it offered', () => {
    expect(state.runtimes.get('edge')).toMatchObject({
      offer: 't2',
      handoffs: [{ number: 1, transportKey: 't1', keys: ['k1'], exported: { manifest: 'm', at: T0 + 6 } }],
      receipts: { upTo: 3, head: 'h' },
    })
  })

  it('knows the ceremonies: completed, aborted, none open', () => {
    expect([...state.ceremonies.values()].map((one) => one.ended?.how)).toEqual(['completed', 'aborted'])
    expect(openCeremony(state)).toBeNull()
    expect(state.ceremonies.get('G-2025-001')?.done).toEqual([
      { step: 'make-keys', at: T0 + 8, by: 'ada', observed: 'made' },
    ])
  })

  it('is the same whenever it is folded, and grows by each event', () => {
    expect(fold(LIFE)).toEqual(state)
    fc.assert(
      fc.property(fc.integer({ min: 1, max: LIFE.length }), (length) => {
        const part = fold(LIFE.slice(0, length))
        expect(part.seq).toBe(length)
        LIFE.slice(length).forEach((event, index) => {
          const seq = length + index + 1
          evolve(part, { seq, at: T0 + seq - 1, actor: 'ada', hash: `h${seq}`, signature: null, event })
        })
        expect(part).toEqual(state)
      }),
    )
  })
})

describe('what is known of an erased key', () => {
  const before = [created, tenant(), key('k1'), started('D-2025-001')]
  const proof: VaultEvent = { type: 'absence-proved', kids: ['k1'], rows: 2, pages: 9 }

  it('its absence is proved by that event alone, in the ceremony that looked', () => {
    expect(fold([...before, destroyed('k1')]).keys.get('k1')?.absenceProved).toBeNull()
    const proved = fold([...before, destroyed('k1'), proof]).keys.get('k1')?.absenceProved
    expect(proved).toEqual({ at: T0 + 5, ceremony: 'D-2025-001' })
  })

  it('an attestation counts with the ceremony whose record is signed; an aborted one leaves none', () => {
    const said: VaultEvent = { type: 'copy-attested', kids: ['k1'], copy: 'medium', by: 'ada', statement: 'shredded' }
    const state = fold([...before, said])
    expect(state.attestations).toMatchObject([{ copy: 'medium', by: 'ada', at: T0 + 4, ceremony: 'D-2025-001' }])
    expect(fold([...before, said, ended('D-2025-001')]).attestations).toHaveLength(1)
    expect(fold([...before, said, aborted('D-2025-001')]).attestations).toEqual([])
  })
})

describe('an event that cannot follow: vault-history-broken, naming it', () => {
  it.each<[string, VaultEvent[], VaultEvent]>([
    ['something before the vault was created', [], tenant()],
    ['a vault created twice', [created], created],
    ['a ceremony while another is open', [created, started()], started('O-2025-002')],
    [
      'a step of a ceremony that never started',
      [created],
      { type: 'step-done', ceremony: 'G-2025-001', step: 's', observed: 'o' },
    ],
    [
      'a step of a ceremony that ended',
      [created, started(), ended()],
      { type: 'step-done', ceremony: 'G-2025-001', step: 's', observed: 'o' },
    ],
    [
      'a deviation without a ceremony',
      [created],
      { type: 'deviation', ceremony: 'G-2025-001', expected: 'e', happened: 'h', action: 'a' },
    ],
    [
      'an approval without a ceremony',
      [created],
      { type: 'approved', ceremony: 'G-2025-001', step: 's', objects: 'o', approvals: [] },
    ],
    ['an end of a ceremony that ended', [created, started(), ended()], ended()],
    ['an abort of a ceremony that ended', [created, started(), ended()], aborted()],
    ['an abort after an abort', [created, started(), aborted()], aborted()],
    ['a tenant added twice', [created, tenant()], tenant()],
    ['a key without a tenant', [created], key('k1')],
    ['a key made twice', [created, tenant(), key('k1')], key('k1')],
    [
      'a key made twice, for another tenant',
      [created, tenant(), tenant('other'), key('k1')],
      key('k1', { tenant: 'other' }),
    ],
    [
      'a compromise of a key that does not exist',
      [created],
      { type: 'key-compromised', tenant: 'acme', kid: 'k1', at: T0, reason: 'r' },
    ],
    ['a destruction of a key that does not exist', [created], destroyed('k1')],
    [
      'a certificate for a key that does not exist',
      [created],
      { type: 'certificate-issued', certificate: 'C', grade: 'deletion', kids: ['k1'], statement: 's', signatures: {} },
    ],
    [
      'a proof of absence of a key that was never erased',
      [created, tenant(), key('k1')],
      { type: 'absence-proved', kids: ['k1'], rows: 1, pages: 1 },
    ],
    ['a runtime enrolled twice', [created, runtime()], runtime()],
    ['a handoff to nobody', [created], intended()],
    ['an export to nobody', [created], exported()],
    ['an export that was not intended', [created, runtime()], exported()],
    ['an export of another number', [created, runtime(), intended(1)], exported(2)],
    ['receipts of nobody', [created], receipts],
    ['an epoch skipped', [created], epoch(3)],
    ['an epoch repeated', [created], epoch(1)],
    ['an epoch going back', [created, epoch(2)], epoch(1)],
  ])('%s', (_what, before, event) => {
    const state = fold(before)
    const seq = before.length + 1
    expect(() => evolve(state, { seq, at: T0, actor: 'ada', hash: 'h', signature: null, event })).toThrow(
      expect.objectContaining({ code: 'vault-history-broken', message: expect.stringContaining(`Event ${seq} `) }),
    )
    expect(state.seq).toBe(before.length)
  })
})

describe('keysOf', () => {
  it('is in the order of signFrom, whatever the order of making', () => {
    const first = firstKey(DEFAULT_POLICY, T0)
    const second = nextKey(DEFAULT_POLICY, first, T0)
    const state = fold([created, tenant(), key('late', { times: second }), key('early', { times: first })])
    expect(keysOf(state, 'acme').map((one) => one.kid)).toEqual(['early', 'late'])
  })

  it('usable leaves out compromised keys too', () => {
    const state = fold([
      created,
      tenant(),
      key('k1'),
      key('k2'),
      { type: 'key-compromised', tenant: 'acme', kid: 'k1', at: T0, reason: 'r' },
    ])
    expect(keysOf(state, 'acme', { usable: true }).map((one) => one.kid)).toEqual(['k2'])
  })
})

describe('which compromised keys need a replacement', () => {
  const first = firstKey(DEFAULT_POLICY, T0)
  const second = nextKey(DEFAULT_POLICY, first, T0)
  const alone = [created, tenant(), key('k1', { times: first })]
  const compromised: VaultEvent = { type: 'key-compromised', tenant: 'acme', kid: 'k1', at: T0, reason: 'r' }
  const replacements = (events: VaultEvent[], now: number) => {
    const state = fold([...events, compromised])
    return decideReplacements(
      state,
      keysOf(state, 'acme').filter((one) => one.kid === 'k1'),
      now,
    ).jobs.length
  }

  it.each([
    ['the key that signs', alone, first.signFrom + DAY, 1],
    ['a key that goes on in its extension, because nothing follows', alone, first.signUntil + DAY, 1],
    ['a key that may not sign any more', alone, first.extendUntil, 0],
    ['a key whose successor signs', [...alone, key('k2', { times: second })], first.signUntil + DAY, 0],
  ])('%s', (_what, events, now, count) => {
    expect(replacements(events, now)).toBe(count)
  })
})
