import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DEFAULT_POLICY } from '../../shared/domain/policy.ts'
import { isKeyriteError, type KeyriteError } from '../../shared/errors.ts'
import { digest } from '../../shared/formats/bytes.ts'
import { parsePlan } from '../../shared/formats/plan.ts'

/** Plans are written by people and hashed: one strict schema, and whatever does not fit is named before the room is full. */

const KID = digest('a key')
const PEOPLE = [
  { id: 'ada', name: 'Ada', role: 'custodian' },
  { id: 'blaise', name: 'Blaise', role: 'custodian' },
  { id: 'emmy', name: 'Emmy', role: 'compliance' },
  { id: 'grace', name: 'Grace', role: 'administrator' },
]
const TENANT = { tenant: 'acme', name: 'Acme', issuer: 'https://acme.example.com' }
const ATTESTATION = { copy: 'medium', by: 'grace', statement: 'Shredded' }

/** One sound plan of every kind. */
const PLANS = {
  genesis: { kind: 'genesis', vault: 'Vault', practice: true, threshold: 2, people: PEOPLE },
  onboard: { kind: 'onboard', tenants: [TENANT] },
  'enroll-runtime': { kind: 'enroll-runtime', enrollment: 'enrollment-1.keyrite', fingerprint: KID },
  handoff: { kind: 'handoff', runtime: 'eu-one', tenants: 'all' },
  rotate: { kind: 'rotate', tenants: ['acme'] },
  emergency: { kind: 'emergency', scope: { key: KID }, reason: 'stolen' },
  intake: { kind: 'intake', runtime: 'eu-one', receipts: 'receipts-1.keyrite' },
  destroy: { kind: 'destroy', keys: [KID], reason: 'End of schedule', attestations: [ATTESTATION] },
  'import-key': {
    kind: 'import-key',
    tenant: TENANT,
    keys: [{ file: 'old.pem', format: 'pem', spec: 'RS256' }],
    statement: 'Made in 2019',
  },
  'export-key': {
    kind: 'export-key',
    keys: [KID],
    format: 'jwks',
    recipient: 'recipient.json',
    fingerprint: KID,
    holder: 'Operators',
    reason: 'User logins',
  },
  amend: { kind: 'amend', reason: 'Agreed', changes: [{ tenant: 'acme', name: 'Acme Ltd' }] },
  backup: { kind: 'backup', holder: 'Grace', place: 'Safe 2' },
  restore: {
    kind: 'restore',
    backup: 1,
    receipts: [{ runtime: 'eu-one', file: 'receipts-1.keyrite' }],
    reason: 'Burned',
  },
  inventory: { kind: 'inventory' },
} as const
type Kind = keyof typeof PLANS
const KINDS = Object.keys(PLANS) as Kind[]

const text = (plan: unknown): string => JSON.stringify(plan)
const changed = (kind: Kind, change: object): string => text({ ...PLANS[kind], ...change })

/** A plan that must be refused: code, exit status, and that nothing of a hostile value is repeated. */
function refused(plan: string): KeyriteError {
  try {
    parsePlan(plan)
  } catch (error) {
    if (!isKeyriteError(error)) throw error
    expect([error.code, error.exit]).toEqual(['plan-invalid', 2])
    return error
  }
  throw new Error('this plan should have been refused')
}

describe('a sound plan', () => {
  it.each(KINDS)('%s is read, with its exact text and that text’s digest', (kind) => {
    const indented = `${JSON.stringify(PLANS[kind], null, 2)}\n`
    expect(parsePlan(indented)).toMatchObject({ text: indented, digest: digest(indented), plan: { kind } })
    expect(parsePlan(text(PLANS[kind])).digest).not.toBe(digest(indented))
  })

  it('defaults are those of the policy table, and a handoff is valid for seven days', () => {
    const { plan } = parsePlan(text(PLANS.onboard))
    expect(plan).toMatchObject({ tenants: [{ policy: DEFAULT_POLICY, relyingParties: [] }] })
    expect(parsePlan(text(PLANS.handoff)).plan).toMatchObject({ validFor: 7 * 86_400 })
    expect(parsePlan(changed('destroy', { attestations: undefined })).plan).toMatchObject({ attestations: [] })
  })

  it('how published keys and tokens look is chosen in the policy; what an amendment does not name stays', () => {
    const policy = { tokenType: 'JWT', ed25519Name: 'EdDSA', x509: true }
    const { plan } = parsePlan(changed('onboard', { tenants: [{ ...TENANT, policy }] }))
    expect(plan).toMatchObject({ tenants: [{ policy: { ...DEFAULT_POLICY, ...policy } }] })
    const amended = parsePlan(changed('amend', { changes: [{ tenant: 'acme', policy: { x509: false } }] })).plan
    expect(amended).toMatchObject({ changes: [{ tenant: 'acme', policy: { x509: false } }] })
    expect(amended.kind === 'amend' && Object.keys(amended.changes[0] ?? {})).toEqual(['tenant', 'policy'])
  })

  it.each([
    ['90d', 7_776_000],
    ['12h', 43_200],
    ['30m', 1800],
    ['45s', 45],
    ['0s', 0],
    ['99999d', 8_639_913_600],
  ])('a duration of %s is %i seconds', (said, seconds) => {
    expect(parsePlan(changed('rotate', { endingWithin: said })).plan).toMatchObject({ endingWithin: seconds })
  })
})

describe('strictness', () => {
  it.each(KINDS)('%s: an unknown member is refused', (kind) => {
    expect(refused(changed(kind, { extra: 1 })).message).toContain('extra')
  })

  it.each(KINDS)('%s: a missing member is refused and named', (kind) => {
    const optional = new Set(['attestations'])
    for (const name of Object.keys(PLANS[kind]).filter((one) => !optional.has(one)))
      if (name !== 'kind') expect(refused(changed(kind, { [name]: undefined })).message).toContain(name)
  })

  it.each(KINDS)('%s: a duplicate key is refused, whichever value it would have won with', (kind) => {
    const doubled = text(PLANS[kind]).replace('{', `{"kind":"${kind}",`)
    expect(refused(doubled).message).toContain('duplicate')
  })

  const SYNTAX: [string, string][] = [
    ['nothing', ''],
    ['a byte order mark', `\uFEFF${text(PLANS.rotate)}`],
    ['trailing bytes', `${text(PLANS.rotate)}x`],
    ['two plans', text(PLANS.rotate).repeat(2)],
    ['a comment', `// plan\n${text(PLANS.rotate)}`],
    ['single quotes', text(PLANS.rotate).replaceAll('"', "'")],
    ['a lone surrogate', '{"kind":"rotate","tenants":["\\ud800"]}'],
    ['-0', changed('genesis', { threshold: 0 }).replace('"threshold":0', '"threshold":-0')],
    ['a number over 2^53', changed('genesis', {}).replace('"threshold":2', '"threshold":9007199254740993')],
    ['ten thousand levels', '['.repeat(10_000)],
    ['an array', '[]'],
    ['null', 'null'],
    ['another kind', text({ kind: 'restore' })],
    ['a kind of another type', text({ kind: ['rotate'] })],
    ['a kind from the prototype', text({ kind: 'constructor' })],
  ]
  it.each(SYNTAX)('%s is refused', (_, plan) => {
    refused(plan)
  })

  it('a plan of more than 4 MB is refused before any other work', () => {
    const big = `${' '.repeat(4 * 1024 * 1024)}${text(PLANS.rotate)}`
    expect(() => parsePlan(big)).toThrow(expect.objectContaining({ code: 'file-too-large' }))
  })
})

describe('values', () => {
  const DURATIONS = [
    '',
    '90',
    'd',
    '-1d',
    '+1d',
    '1.5d',
    '1e3d',
    ' 90d',
    '90d ',
    '90 d',
    '90D',
    '90w',
    '100000d',
    '٩d',
    '1d\n',
    '1d12h',
  ]
  it.each(DURATIONS)('the duration %j is refused and its place is named', (duration) => {
    expect(refused(changed('rotate', { endingWithin: duration })).message).toContain('endingWithin')
    const policy = { rotationInterval: duration }
    expect(refused(changed('onboard', { tenants: [{ ...TENANT, policy }] })).message).toContain('rotationInterval')
  })
  it.each([90, null, true, ['90d'], {}])('the duration %j of another type is refused', (duration) => {
    refused(changed('rotate', { endingWithin: duration }))
  })

  const FILES = [
    '',
    '.',
    '..',
    '../enrollment',
    '/etc/passwd',
    'a/b',
    'a\\b',
    'C:\\a',
    '.hidden',
    '-rf',
    'a\0b',
    'a\nb',
    'a b',
    'a%2fb',
    'ä',
    'a\u202Eb',
    `${'a'.repeat(122)}`,
    'file:///a',
    '~root',
  ]
  it.each(FILES)('the file name %j is refused: a file on the medium, never a path', (name) => {
    expect(refused(changed('enroll-runtime', { enrollment: name })).message).toContain('enrollment')
    expect(refused(changed('intake', { receipts: name })).message).toContain('receipts')
  })

  const IDS = [
    '',
    '..',
    '../acme',
    'a/b',
    '%2f',
    'acme\0',
    'Acme',
    'аcme',
    'con',
    'constructor',
    '__proto__',
    'acme-',
    '-acme',
    'a--b',
    '1acme',
    "a'; DROP TABLE",
    'a\r\nb',
    'a'.repeat(64),
    'a b',
  ]
  it.each(IDS)('the id %j is refused wherever an id stands', (id) => {
    refused(changed('onboard', { tenants: [{ ...TENANT, tenant: id }] }))
    refused(changed('rotate', { tenants: [id] }))
    refused(changed('handoff', { runtime: id }))
    refused(changed('intake', { runtime: id }))
    refused(changed('emergency', { scope: { tenant: id } }))
    refused(changed('emergency', { scope: { runtime: id } }))
    refused(changed('genesis', { people: [...PEOPLE, { id, name: 'X', role: 'custodian' }] }))
    refused(changed('destroy', { attestations: [{ ...ATTESTATION, by: id }] }))
  })

  const KIDS = [
    '',
    'x',
    KID.slice(1),
    `${KID}A`,
    KID.replace(/.$/, 'B'),
    ` ${KID.slice(1)}`,
    `${KID.slice(0, -1)}=`,
    `${KID}\n`,
    `${'../'.repeat(14)}A`,
  ]
  it.each(KIDS)('the key id %j is refused: a canonical base64url SHA-256', (kid) => {
    refused(changed('destroy', { keys: [kid] }))
    refused(changed('emergency', { scope: { key: kid } }))
    refused(changed('enroll-runtime', { fingerprint: kid }))
  })

  const NAMES = ['', 'a\nb', 'a\0b', 'a\u001b[31mb', 'a\u202Eb', 'a\u2028b', 'a\u2066b', 'x'.repeat(201)]
  it.each(NAMES)('the name %j is refused: one line without control characters', (name) => {
    refused(changed('genesis', { vault: name }))
    refused(changed('onboard', { tenants: [{ ...TENANT, name }] }))
    refused(changed('genesis', { people: PEOPLE.map((one, at) => (at === 0 ? { ...one, name } : one)) }))
  })

  const OTHER: [string, Kind, object][] = [
    ['one custodian alone', 'genesis', { threshold: 1 }],
    ['a threshold of 17', 'genesis', { threshold: 17 }],
    ['half a threshold', 'genesis', { threshold: 2.5 }],
    ['a threshold in words', 'genesis', { threshold: '2' }],
    ['three people', 'genesis', { people: PEOPLE.slice(1) }],
    ['an unknown role', 'genesis', { people: PEOPLE.map((one) => ({ ...one, role: 'root' })) }],
    ['practice that is not said', 'genesis', { practice: 'yes' }],
    ['no tenant', 'onboard', { tenants: [] }],
    ['no tenant to rotate', 'rotate', { tenants: [] }],
    ['some word for tenants', 'rotate', { tenants: 'some' }],
    ['no algorithm', 'onboard', { tenants: [{ ...TENANT, policy: { signingAlgorithms: [] } }] }],
    ['five algorithms', 'onboard', { tenants: [{ ...TENANT, policy: { signingAlgorithms: Array(5).fill('ES256') } }] }],
    ['a token type that is none', 'onboard', { tenants: [{ ...TENANT, policy: { tokenType: 'jwt' } }] }],
    ['an empty token type', 'onboard', { tenants: [{ ...TENANT, policy: { tokenType: '' } }] }],
    ['another name for Ed25519', 'onboard', { tenants: [{ ...TENANT, policy: { ed25519Name: 'ed25519' } }] }],
    ['certificates by a word', 'onboard', { tenants: [{ ...TENANT, policy: { x509: 'yes' } }] }],
    ['alg none', 'onboard', { tenants: [{ ...TENANT, policy: { signingAlgorithms: ['none'] } }] }],
    ['HS256', 'onboard', { tenants: [{ ...TENANT, policy: { signingAlgorithms: ['HS256'] } }] }],
    ['RSA of 1024 bits', 'onboard', { tenants: [{ ...TENANT, policy: { signingAlgorithms: ['RS256-1024'] } }] }],
    ['an unknown policy', 'onboard', { tenants: [{ ...TENANT, policy: { rotation: '90d' } }] }],
    ['a horizon of 13', 'onboard', { tenants: [{ ...TENANT, policy: { horizon: 13 } }] }],
    ['a cache without a name', 'onboard', { tenants: [{ ...TENANT, relyingParties: [{ cache: '1h' }] }] }],
    ['two scopes at once', 'emergency', { scope: { key: KID, tenant: 'acme' } }],
    ['no scope', 'emergency', { scope: {} }],
    ['no reason', 'emergency', { reason: '' }],
    ['a reason of 501 characters', 'destroy', { reason: 'x'.repeat(501) }],
    ['no key', 'destroy', { keys: [] }],
    ['a confirmation inside the plan', 'destroy', { confirm: [`DESTROY ${KID.slice(0, 8)}`] }],
  ]
  it.each(OTHER)('%s is refused (%s)', (_, kind, change) => {
    refused(changed(kind, change))
  })
})

describe('any plan', () => {
  it('whatever the text, a plan is read or refused as plan-invalid; nothing else is thrown', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (given) => {
        refused(given)
      }),
      { numRuns: 300 },
    )
  })

  it('a plan is never changed by reading it twice, and never reaches a prototype', () => {
    const hostile = changed('onboard', {}).replace('"kind"', '"__proto__":{"polluted":true},"kind"')
    refused(hostile)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    expect(parsePlan(text(PLANS.onboard))).toEqual(parsePlan(text(PLANS.onboard)))
  })
})
