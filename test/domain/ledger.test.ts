import { describe, expect, it } from 'vitest'
import { copiesOf, gradeOf } from '../../shared/domain/ledger.ts'
import { emptyState, type Handoff, type Runtime, type VaultKey, type VaultState } from '../../shared/domain/state.ts'
import { policyOf, START, scheduleOf } from './world.ts'

/** The copy ledger: every known copy of a private key, and what is known of its end. */

const [times] = scheduleOf(policyOf(), [START])
if (!times) throw new Error('no key')
const KEY: VaultKey = {
  tenant: 'acme',
  kid: 'k1',
  spec: 'ES256',
  jwk: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' },
  label: 'k1',
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
}
const erased: VaultKey = { ...KEY, destroyed: { at: START, reason: 'retired' } }
const gone: VaultKey = { ...erased, absenceProved: { at: START, ceremony: 'D-2026-001' } }

const handoff = (number: number, keys: string[], transportKey = `t${number}`): Handoff => ({
  number,
  at: START,
  transportKey,
  tenants: ['acme'],
  keys,
  exported: { manifest: 'm', files: {}, at: START },
})
const runtime = (
  runtimeId: string,
  handoffs: Handoff[],
  stated: { type: string; [more: string]: unknown }[] = [],
): Runtime => ({
  runtimeId,
  environment: 'practice',
  enrollment: 'e',
  acceptance: 'a',
  offer: null,
  handoffs,
  envelopes: [],
  revocations: [],
  opened: [],
  receipts: {
    upTo: stated.length,
    head: 'h',
    takenAt: null,
    statements: stated.map((one, index) => ({ seq: index + 1, at: START, stated: one })),
  },
})
const stateOf = (runtimes: Runtime[], attested: [copy: string, kid: string][] = [], at = START): VaultState => ({
  ...emptyState('start'),
  runtimes: new Map(runtimes.map((one) => [one.runtimeId, one])),
  attestations: attested.map(([copy, kid]) => ({
    kids: [kid],
    copy,
    by: 'olga',
    statement: 'wiped',
    at,
    ceremony: null,
  })),
})
const ledger = (state: VaultState, key = KEY) =>
  Object.fromEntries(copiesOf(state, key).map((copy) => [copy.id, copy.status]))

const ERASED = { type: 'erased', kid: 'k1' }
const TRANSPORT = { type: 'transport-key-erased', key: 't1' }

describe('which copies there are', () => {
  it('a key that never left: the row in the vault and the medium under it', () => {
    expect(ledger(stateOf([runtime('edge', [])]))).toEqual({ vault: 'open', medium: 'open' })
  })

  it('a key that left: one file for each handoff that held it, one copy for each runtime, and no others', () => {
    const state = stateOf([
      runtime('edge', [handoff(1, ['k1']), handoff(2, ['k2']), handoff(3, ['k1'])]),
      runtime('west', [handoff(1, ['k1'])]),
      runtime('idle', [handoff(1, ['k2'])]),
    ])
    expect(Object.keys(ledger(state))).toEqual([
      'vault',
      'file:edge:1',
      'file:edge:3',
      'file:west:1',
      'runtime:edge',
      'runtime:west',
      'medium',
    ])
  })

  it('every copy says what it is, who holds it and what is known', () => {
    for (const copy of copiesOf(stateOf([runtime('edge', [handoff(1, ['k1'])])]), KEY))
      for (const text of [copy.what, copy.holder, copy.evidence]) expect(text).toMatch(/\S/)
  })
})

describe('what closes a copy, and what does not', () => {
  const left = [handoff(1, ['k1'])]
  it.each<[string, string, VaultState, VaultKey, string]>([
    ['the vault: only its own destruction', 'vault', stateOf([]), gone, 'verified'],
    ['the vault: not an erasure whose absence nobody proved', 'vault', stateOf([]), erased, 'open'],
    ['the vault: an attestation is not enough', 'vault', stateOf([], [['vault', 'k1']]), KEY, 'open'],
    [
      'the file: the receipt that its transport key is erased',
      'file:edge:1',
      stateOf([runtime('edge', left, [TRANSPORT])]),
      KEY,
      'stated',
    ],
    [
      'the file: not the erasure of another transport key',
      'file:edge:1',
      stateOf([runtime('edge', left, [{ ...TRANSPORT, key: 't9' }])]),
      KEY,
      'open',
    ],
    [
      'the file: not the erasure of the key itself',
      'file:edge:1',
      stateOf([runtime('edge', left, [ERASED])]),
      KEY,
      'open',
    ],
    [
      "the file: not another runtime's receipt",
      'file:edge:1',
      stateOf([runtime('edge', left), runtime('west', [], [TRANSPORT])]),
      KEY,
      'open',
    ],
    [
      'the runtime: nothing said',
      'runtime:edge',
      stateOf([runtime('edge', left)], [['runtime:edge', 'k1']]),
      KEY,
      'open',
    ],
    [
      'the runtime: a receipt, but nobody attested its snapshots',
      'runtime:edge',
      stateOf([runtime('edge', left, [ERASED])]),
      KEY,
      'open',
    ],
    [
      'the runtime: a receipt and an attestation',
      'runtime:edge',
      stateOf([runtime('edge', left, [ERASED])], [['runtime:edge', 'k1']]),
      KEY,
      'stated',
    ],
    [
      'the runtime: not a receipt for another key',
      'runtime:edge',
      stateOf([runtime('edge', left, [{ ...ERASED, kid: 'k2' }])], [['runtime:edge', 'k1']]),
      KEY,
      'open',
    ],
    [
      'the runtime: not an attestation for another key',
      'runtime:edge',
      stateOf([runtime('edge', left, [ERASED])], [['runtime:edge', 'k2']]),
      KEY,
      'open',
    ],
    [
      'the runtime: not an attestation for another runtime',
      'runtime:edge',
      stateOf([runtime('edge', left, [ERASED])], [['runtime:west', 'k1']]),
      KEY,
      'open',
    ],
    [
      'the runtime: not an attestation from before the receipt was stated',
      'runtime:edge',
      stateOf([runtime('edge', left, [ERASED])], [['runtime:edge', 'k1']], START - 1),
      KEY,
      'open',
    ],
    ['the medium: its attestation', 'medium', stateOf([], [['medium', 'k1']]), gone, 'attested'],
    [
      'the medium: not an attestation from before the erasure on it',
      'medium',
      stateOf([], [['medium', 'k1']], START - 1),
      gone,
      'open',
    ],
    ['the medium: not an attestation while the key is on it', 'medium', stateOf([], [['medium', 'k1']]), KEY, 'open'],
    ['the medium: not the destruction of the row on it', 'medium', stateOf([]), gone, 'open'],
  ])('%s', (_what, id, state, key, status) => {
    expect(ledger(state, key)[id]).toBe(status)
  })
})

describe('what is said of the row in the vault', () => {
  it.each([
    ['while it is there', KEY, 'Sealed row in the vault'],
    ['erased, and nobody looked for it', erased, 'Row overwritten and deleted; nobody proved its absence yet'],
    ['erased, and proved absent', gone, 'Row overwritten and deleted; absence proved on decrypted pages'],
  ])('%s', (_what, key, evidence) => {
    expect(copiesOf(stateOf([]), key)[0]?.evidence).toBe(evidence)
  })

  it('an attestation names its ceremony, whose record carries the signature', () => {
    const state = stateOf([], [['medium', 'k1']])
    state.attestations = state.attestations.map((said) => ({ ...said, ceremony: 'D-2026-007' }))
    expect(copiesOf(state, gone).at(-1)?.evidence).toBe('olga in D-2026-007: wiped')
  })

  it('the newest erasure counts: a key that came back needs a newer attestation', () => {
    const state = stateOf([runtime('edge', [handoff(1, ['k1'])], [ERASED, ERASED])], [['runtime:edge', 'k1']])
    expect(ledger(state)['runtime:edge']).toBe('stated')
    const [, again] = state.runtimes.get('edge')?.receipts.statements ?? []
    if (again) again.at = START + 1
    expect(ledger(state)['runtime:edge']).toBe('open')
  })
})

describe('backups of a runtime', () => {
  const IMPORTED = { type: 'imported', number: 1, manifest: 'm', keys: 1 }
  const BACKUP = { type: 'backup-made', backup: 'b1', keys: 1, storageKey: 'storage-key-one', actor: 'ops' }
  const ROTATED = { type: 'storage-key-rotated', from: 'storage-key-one', to: 'storage-key-two', actor: 'ops' }
  const ID = 'runtime-backup:edge:storage-key-'
  const at = (stated: { type: string; [more: string]: unknown }[], attested = false, kid = 'k1') =>
    stateOf([runtime('edge', [handoff(1, ['k1'])], stated)], attested ? [[ID, kid]] : [])
  const shown = (state: VaultState) => copiesOf(state, KEY).find(({ id }) => id === ID)

  it.each<[string, VaultState, string | undefined]>([
    ['none while the runtime made none', at([IMPORTED]), undefined],
    ['none where the key came after it', at([BACKUP, IMPORTED]), undefined],
    ['none where the key was erased before it', at([IMPORTED, ERASED, BACKUP]), undefined],
    [
      'none of another runtime',
      stateOf([runtime('edge', [handoff(1, ['k1'])], [IMPORTED]), runtime('west', [], [BACKUP])]),
      undefined,
    ],
    ['one where the runtime held the key', at([IMPORTED, BACKUP]), 'open'],
    ['open also after the key was erased there', at([IMPORTED, BACKUP, ERASED]), 'open'],
    ['open while nobody attests that the old storage key is gone', at([IMPORTED, BACKUP, ROTATED]), 'open'],
    ['stated once both are said', at([IMPORTED, BACKUP, ROTATED], true), 'stated'],
    ['attested where somebody attests the end of the backups themselves', at([IMPORTED, BACKUP], true), 'attested'],
    ['open where another key was attested', at([IMPORTED, BACKUP, ROTATED], true, 'k2'), 'open'],
    [
      'open where the key that was rotated is another',
      at([IMPORTED, BACKUP, { ...ROTATED, from: 'storage-key-zero' }]),
      'open',
    ],
    [
      'a key that signs is held, whatever brought it',
      at([{ type: 'phase', kid: 'k1', phase: 'signing' }, BACKUP]),
      'open',
    ],
    ['a bundle without private keys brings none', at([{ ...IMPORTED, keys: 0 }, BACKUP]), undefined],
  ])('%s', (_what, state, status) => {
    expect(shown(state)?.status).toBe(status)
  })

  it('an attestation from before the rotation, or before a newer backup, does not count', () => {
    const state = at([IMPORTED, BACKUP, ROTATED], true)
    const [, , rotated] = state.runtimes.get('edge')?.receipts.statements ?? []
    if (rotated) rotated.at = START + 1
    expect(shown(state)?.status).toBe('open')
    const again = at([IMPORTED, BACKUP], true)
    expect(shown(again)?.status).toBe('attested')
    again.runtimes.get('edge')?.receipts.statements.push({ seq: 3, at: START + 1, stated: { ...BACKUP, backup: 'b2' } })
    expect(shown(again)).toMatchObject({ status: 'open', what: expect.stringContaining('2 backups of runtime edge') })
  })

  it('those under one storage key are one copy, those under another are another', () => {
    const two = { ...BACKUP, backup: 'b3', storageKey: 'another-storage-key' }
    const ids = copiesOf(at([IMPORTED, BACKUP, { ...BACKUP, backup: 'b2' }, ROTATED, two]), KEY).map(({ id }) => id)
    expect(ids.filter((id) => id.startsWith('runtime-backup:'))).toEqual([ID, 'runtime-backup:edge:another-stor'])
  })

  it('an open one keeps a destruction a deletion', () => {
    const stated = [IMPORTED, BACKUP, ERASED, TRANSPORT]
    const state = stateOf(
      [runtime('edge', [handoff(1, ['k1'])], stated)],
      [
        ['runtime:edge', 'k1'],
        ['medium', 'k1'],
      ],
    )
    expect(gradeOf(copiesOf(state, gone))).toBe('deletion')
    state.attestations.push({ kids: ['k1'], copy: ID, by: 'olga', statement: 'shredded', at: START, ceremony: null })
    expect(gradeOf(copiesOf(state, gone))).toBe('destruction')
  })

  it('a restored runtime has again what was in its backup, until it erases it once more', () => {
    const restored = { type: 'restored', backup: 'b1', fromSeq: 2, actor: 'ops' }
    const told = (stated: { type: string; [more: string]: unknown }[]) =>
      ledger(stateOf([runtime('edge', [handoff(1, ['k1'])], stated)], [['runtime:edge', 'k1']]))['runtime:edge']
    expect(told([IMPORTED, BACKUP, ERASED])).toBe('stated')
    expect(told([IMPORTED, BACKUP, ERASED, restored])).toBe('open')
    expect(told([IMPORTED, BACKUP, ERASED, restored, ERASED])).toBe('stated')
    expect(told([IMPORTED, ERASED, BACKUP, restored])).toBe('stated')
    // Of a copy that nobody said was made, only where it ended is known.
    expect(told([IMPORTED, ERASED, { ...restored, backup: 'of nobody', fromSeq: 1 }])).toBe('open')
    expect(told([IMPORTED, ERASED, { ...restored, backup: 'of nobody', fromSeq: 2 }])).toBe('stated')
  })

  it('after a restore of the vault, a bundle that nobody here knows may have brought any key of it', () => {
    const state = at([{ ...IMPORTED, manifest: 'of the vault that was lost' }, BACKUP])
    expect(shown(state)).toBeUndefined()
    state.restores.push({
      backup: 1,
      at: START,
      ceremony: null,
      reason: 'fire',
      seq: 1,
      seen: 1,
      kids: new Set(['k1']),
    })
    expect(shown(state)?.status).toBe('open')
  })
})

describe('the grade: destruction only when no known copy is open', () => {
  const closed = stateOf(
    [runtime('edge', [handoff(1, ['k1'])], [ERASED, TRANSPORT])],
    [
      ['runtime:edge', 'k1'],
      ['medium', 'k1'],
    ],
  )

  it('everything closed is a destruction; without copies left open nothing else is needed', () => {
    expect(gradeOf(copiesOf(closed, gone))).toBe('destruction')
  })

  it('any single copy still open makes it a deletion', () => {
    const copies = copiesOf(closed, gone)
    for (const open of copies)
      expect(gradeOf(copies.map((copy) => (copy === open ? { ...copy, status: 'open' } : copy))), open.id).toBe(
        'deletion',
      )
  })

  it('the row still in the vault makes it a deletion', () => {
    expect(gradeOf(copiesOf(closed, KEY))).toBe('deletion')
  })
})
