import type { Field, FieldOf, Form } from './field-types.ts'

/** Fields that stand in more than one form, and the long ones. */

export const person: Form = [
  { name: 'name', type: 'line', words: 'personName' },
  { name: 'id', type: 'id', words: 'personId' },
  { name: 'role', type: 'choice', words: 'personRole', from: 'roles', initial: 'custodian' },
  { name: 'share', type: 'choice', words: 'personShare', from: 'sharePlaces', optional: true },
]

export const threshold: Field = {
  name: 'threshold',
  type: 'number',
  words: 'threshold',
  least: 2,
  most: 16,
  initial: 3,
}

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
  { name: 'tokenType', type: 'choice', words: 'tokenType', from: 'tokenTypes', optional: true },
  { name: 'ed25519Name', type: 'choice', words: 'ed25519Name', from: 'ed25519Names', optional: true },
  { name: 'x509', type: 'yes-no', words: 'x509', optional: true },
]

const policy: Field = { name: 'policy', type: 'policy', words: 'policy', fields: policyOptions }

export const tenant: Form = [
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

export const dice: Field = {
  name: 'dice',
  type: 'number',
  words: 'dice',
  least: 50,
  most: 1000,
  optional: true,
  folded: true,
}
export const reason: Field = { name: 'reason', type: 'reason', words: 'reason' }
export const fingerprint: Field = { name: 'fingerprint', type: 'fingerprint', words: 'fingerprint' }
export const runtime: Field = { name: 'runtime', type: 'runtime', words: 'runtime' }
export const tenants: Field = { name: 'tenants', type: 'tenants', words: 'whichTenants', initial: 'all' }
export const keys: Field = { name: 'keys', type: 'keys', words: 'keys' }
export const oneTenant: Field = { name: 'tenant', type: 'tenant', words: 'tenant' }
export const statement: Form = [
  { name: 'by', type: 'person', words: 'by' },
  { name: 'statement', type: 'reason', words: 'statement' },
]

export const changes: FieldOf<'either'> = {
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
