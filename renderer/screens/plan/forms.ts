import type { CeremonyKind } from '../../state.tsx'
import type { Field, FieldOf, Form } from './field-types.ts'

/** One form for each kind of ceremony. A new kind is one entry. */

const person: Form = [
  { name: 'name', type: 'line', words: 'personName' },
  { name: 'id', type: 'id', words: 'personId' },
  { name: 'role', type: 'choice', words: 'personRole', from: 'roles', initial: 'custodian' },
  { name: 'share', type: 'choice', words: 'personShare', from: 'sharePlaces', optional: true },
]

const threshold: Field = { name: 'threshold', type: 'number', words: 'threshold', least: 2, most: 16, initial: 3 }

const relyingParties: FieldOf<'rows'> = {
  name: 'relyingParties',
  type: 'rows',
  words: 'relyingParties',
  least: 0,
  fields: [
    { name: 'name', type: 'line', words: 'relyingParty' },
    { name: 'cache', type: 'duration', words: 'cache', initial: '12h' },
    { name: 'refreshOnUnknownKid', type: 'yes-no', words: 'refreshOnUnknownKid', optional: true },
  ],
}

const policyOptions: Form = [
  { name: 'signingAlgorithms', type: 'specs', part: 'first', words: 'signingAlgorithms', optional: true },
  { name: 'signingAlgorithms', type: 'specs', part: 'others', words: 'alsoSign', optional: true },
  { name: 'rotationInterval', type: 'duration', words: 'rotationInterval', optional: true, standard: '90d' },
  { name: 'propagationTime', type: 'duration', words: 'propagationTime', optional: true, standard: '14d' },
  { name: 'retentionDuration', type: 'duration', words: 'retentionDuration', optional: true, standard: '14d' },
  { name: 'extension', type: 'duration', words: 'extension', optional: true, standard: '7d' },
  { name: 'accessTokenLifetime', type: 'duration', words: 'accessTokenLifetime', optional: true, standard: '1h' },
  { name: 'destructionCoolingOff', type: 'duration', words: 'destructionCoolingOff', optional: true, standard: '0d' },
  { name: 'slotLength', type: 'duration', words: 'slotLength', optional: true, standard: '30d' },
  { name: 'horizon', type: 'number', words: 'horizon', least: 1, most: 12, optional: true, standard: 2 },
  { name: 'materialAhead', type: 'number', words: 'materialAhead', least: 0, most: 12, optional: true, standard: 1 },
  { name: 'destroyPrivateAtRetirement', type: 'yes-no', words: 'destroyPrivateAtRetirement', optional: true },
  { name: 'standby', type: 'choice', words: 'standby', from: 'standbys', optional: true },
]

const policy: Field = { name: 'policy', type: 'policy', words: 'policy', fields: policyOptions }

const tenant: Form = [
  {
    name: '$customer',
    type: 'either',
    words: 'customer',
    shapes: [
      { id: 'named', tell: ['name'], fields: [{ name: 'name', type: 'line', words: 'tenantName' }] },
      { id: 'reserved', tell: ['reserved'], fields: [], always: { reserved: true } },
    ],
  },
  { name: 'tenant', type: 'id', words: 'tenantId' },
  { name: 'issuer', type: 'issuer', words: 'issuer', initial: 'https://' },
  policy,
  relyingParties,
]

const dice: Field = { name: 'dice', type: 'number', words: 'dice', least: 50, most: 1000, optional: true, folded: true }
const reason: Field = { name: 'reason', type: 'reason', words: 'reason' }
const fingerprint: Field = { name: 'fingerprint', type: 'fingerprint', words: 'fingerprint' }
const runtime: Field = { name: 'runtime', type: 'runtime', words: 'runtime' }
const tenants: Field = { name: 'tenants', type: 'tenants', words: 'whichTenants', initial: 'all' }
const keys: Field = { name: 'keys', type: 'keys', words: 'keys' }
const oneTenant: Field = { name: 'tenant', type: 'tenant', words: 'tenant' }
const statement: Form = [
  { name: 'by', type: 'person', words: 'by' },
  { name: 'statement', type: 'reason', words: 'statement' },
]

const changes: FieldOf<'either'> = {
  name: '$change',
  type: 'either',
  words: 'change',
  shapes: [
    {
      id: 'amend',
      tell: [],
      fields: [
        oneTenant,
        { name: 'name', type: 'line', words: 'newName', optional: true },
        { name: 'policy', type: 'policy', words: 'policy', fields: policyOptions, change: true },
        { ...relyingParties, words: 'newRelyingParties', replaces: true },
      ],
    },
    { id: 'holdKeys', tell: ['hold', 'keys'], fields: [{ name: 'hold', type: 'id', words: 'hold' }, keys, reason] },
    {
      id: 'holdTenant',
      tell: ['hold', 'tenant'],
      fields: [{ name: 'hold', type: 'id', words: 'hold' }, oneTenant, reason],
    },
    { id: 'lift', tell: ['lift'], fields: [{ name: 'lift', type: 'hold', words: 'lift' }] },
    { id: 'offboard', tell: ['offboard'], fields: [{ name: 'offboard', type: 'tenant', words: 'tenant' }] },
  ],
}

export const FORMS: Record<CeremonyKind, Form> = {
  genesis: [
    { name: 'vault', type: 'line', words: 'vault' },
    { name: 'practice', type: 'yes-no', words: 'practice', initial: false },
    threshold,
    { name: 'people', type: 'rows', words: 'people', least: 4, fields: person },
  ],
  onboard: [{ name: 'tenants', type: 'rows', words: 'tenants', least: 1, fields: tenant }, dice],
  'enroll-runtime': [{ name: 'enrollment', type: 'file', words: 'enrollment', kinds: ['enrollment'] }, fingerprint],
  handoff: [
    runtime,
    tenants,
    { name: 'validFor', type: 'duration', words: 'handoffFor', optional: true, standard: '7d', initial: '7d' },
    { name: 'lost', type: 'number', words: 'lost', least: 1, most: 1_000_000, optional: true, folded: true },
  ],
  envelope: [
    runtime,
    tenants,
    { name: 'validFor', type: 'duration', words: 'envelopeFor', optional: true, standard: '365d', initial: '365d' },
  ],
  rotate: [tenants, { name: 'endingWithin', type: 'duration', words: 'endingWithin', optional: true }, dice],
  emergency: [
    {
      name: 'scope',
      type: 'group',
      words: 'scope',
      fields: [
        {
          name: '$scope',
          type: 'either',
          words: 'scope',
          shapes: [
            { id: 'key', tell: ['key'], fields: [{ name: 'key', type: 'key', words: 'key' }] },
            { id: 'tenant', tell: ['tenant'], fields: [oneTenant] },
            { id: 'runtime', tell: ['runtime'], fields: [runtime] },
          ],
        },
      ],
    },
    { name: 'reason', type: 'reason', words: 'reasonEmergency' },
  ],
  custody: [reason, threshold, { name: 'people', type: 'rows', words: 'peopleAfter', least: 4, fields: person }],
  passphrase: [{ name: 'person', type: 'person', words: 'person' }],
  'root-rotate': [reason, { name: 'compromised', type: 'yes-no', words: 'compromised', initial: false }],
  intake: [runtime, { name: 'receipts', type: 'file', words: 'receipts', kinds: ['receipts'] }],
  destroy: [
    {
      name: '$what',
      type: 'either',
      words: 'destroyWhat',
      shapes: [
        { id: 'keys', tell: ['keys'], fields: [{ name: 'keys', type: 'keys', words: 'keys', doomed: true }] },
        { id: 'everyKey', tell: ['tenant'], fields: [oneTenant] },
        { id: 'retired', tell: ['retired'], fields: [], always: { retired: true } },
      ],
    },
    reason,
    {
      name: 'attestations',
      type: 'rows',
      words: 'attestations',
      least: 0,
      fields: [{ name: 'copy', type: 'copy', words: 'copy' }, ...statement],
    },
    {
      name: 'negativeRestore',
      type: 'files',
      words: 'negativeRestore',
      kinds: ['backup'],
      optional: true,
      folded: true,
    },
  ],
  backup: [
    { name: 'holder', type: 'line', words: 'holder' },
    { name: 'place', type: 'line', words: 'place' },
    { name: 'replaces', type: 'backups', words: 'replaces', optional: true },
    {
      name: 'attestations',
      type: 'rows',
      words: 'backupAttestations',
      least: 0,
      fields: [{ name: 'backup', type: 'backup', words: 'backup' }, ...statement],
    },
  ],
  restore: [
    { name: 'backup', type: 'number', words: 'backup', least: 1, most: 1_000_000 },
    {
      name: 'receipts',
      type: 'rows',
      words: 'newReceipts',
      least: 0,
      keepEmpty: true,
      fields: [runtime, { name: 'file', type: 'file', words: 'receipts', kinds: ['receipts'] }],
    },
    { name: 'dead', type: 'runtimes', words: 'dead', optional: true },
    { name: 'certificates', type: 'files', words: 'certificates', kinds: ['certificate'], optional: true },
    reason,
  ],
  inventory: [],
  'import-key': [
    { name: 'tenant', type: 'group', words: 'importTenant', fields: tenant },
    {
      name: 'keys',
      type: 'rows',
      words: 'importKeys',
      least: 1,
      fields: [
        { name: 'file', type: 'file', words: 'keyFile', kinds: ['other', 'exported key'] },
        { name: 'format', type: 'choice', words: 'format', from: 'importFormats' },
        { name: 'spec', type: 'choice', words: 'spec', from: 'specs' },
      ],
    },
    { name: 'signFor', type: 'duration', words: 'signFor', optional: true },
    { name: 'statement', type: 'reason', words: 'provenance' },
  ],
  'export-key': [
    keys,
    { name: 'format', type: 'choice', words: 'format', from: 'exportFormats', initial: 'jwks' },
    { name: 'recipient', type: 'file', words: 'recipient', kinds: ['other'] },
    fingerprint,
    { name: 'holder', type: 'line', words: 'exportHolder' },
    reason,
  ],
  amend: [reason, { name: 'changes', type: 'rows', words: 'changes', least: 1, fields: [changes] }],
}

/** Kinds in the order in which people look for them. */
export const GROUPS = {
  setUp: ['genesis', 'enroll-runtime', 'onboard', 'import-key'],
  everyDay: ['rotate', 'handoff', 'intake', 'amend', 'backup', 'inventory'],
  emergencies: ['emergency', 'envelope', 'root-rotate', 'restore'],
  people: ['custody', 'passphrase'],
  takingOut: ['destroy', 'export-key'],
} as const satisfies Record<string, readonly CeremonyKind[]>
