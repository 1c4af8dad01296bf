import type { CeremonyKind } from '../../state.tsx'
import type { Form } from './field-types.ts'
import {
  changes,
  dice,
  fingerprint,
  keys,
  oneTenant,
  person,
  reason,
  runtime,
  statement,
  tenant,
  tenants,
  threshold,
} from './form-parts.ts'

/** One form for each kind of ceremony. A new kind is one entry. */

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
