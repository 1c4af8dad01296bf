import { z } from 'zod'
import { fingerprint, idText, instant, keySpec, keyTimes, kind, nothing, pathText, person } from './common.ts'
import { planStep } from './plan.ts'

/** What was held, what there is, and what can be shown of it. All of the open vault. */

/** The id of a ceremony, like R-2026-014. */
const ceremonyId = idText.regex(/^[A-Z]+-\d{4}-\d{3,6}$/)
/** The name of a page or a file in a record folder. */
const pageName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,120}$/)

export const recordRow = z.strictObject({
  ceremony: z.string(),
  kind,
  startedAt: instant,
  endedAt: instant.nullable(),
  how: z.enum(['open', 'completed', 'aborted']),
  /** What it was about, in one line. */
  about: z.string(),
  people: z.array(z.string()),
  deviations: z.int(),
  certificates: z.array(z.string()),
  /** The record folder is where it was written. */
  folder: z.string().nullable(),
})
export type RecordRow = z.output<typeof recordRow>

export const recordView = z.strictObject({
  ...recordRow.shape,
  plan: z.array(z.string()),
  planDigest: fingerprint,
  recordDigest: fingerprint.nullable(),
  present: z.array(z.strictObject({ at: instant, people: z.array(person) })),
  /** What happened, in order: for the playback. */
  moments: z.array(
    z.strictObject({
      at: instant,
      what: z.enum(['started', 'step', 'deviation', 'attendance', 'ended', 'aborted']),
      title: z.string(),
      by: z.string(),
      text: z.string(),
      noWayBack: z.boolean(),
    }),
  ),
  steps: z.array(planStep),
  signed: z.array(z.strictObject({ person, agrees: z.boolean(), reason: z.string().nullable(), at: instant })),
  reason: z.string().nullable(),
  files: z.array(z.strictObject({ name: z.string(), title: z.string(), size: z.number(), page: z.boolean() })),
})
export type RecordView = z.output<typeof recordView>

export const finding = z.strictObject({
  file: z.string(),
  kind: z.string(),
  standing: z.enum(['verified', 'consistent', 'failed', 'unanchored']),
  facts: z.array(z.string()),
  remarks: z.array(z.string()),
  problems: z.array(z.string()),
})
export const verified = z.strictObject({
  anchored: z.boolean(),
  files: z.array(finding),
  failed: z.int(),
})
export type Verified = z.output<typeof verified>

export const copy = z.strictObject({
  id: z.string(),
  what: z.string(),
  holder: z.string(),
  evidence: z.string(),
  status: z.enum(['open', 'verified', 'stated', 'attested']),
})

export const keyRow = z.strictObject({
  kid: z.string(),
  label: z.string(),
  tenant: z.string(),
  tenantName: z.string(),
  spec: keySpec,
  phase: z.string(),
  /** NIST SP 800-57 Part 1, 8. */
  state: z.string(),
  times: keyTimes,
  standby: z.boolean(),
  compromisedAt: instant.nullable(),
  destroyedAt: instant.nullable(),
  remarks: z.array(z.string()),
  copies: z.array(copy),
  openCopies: z.int(),
  certificate: z.strictObject({ id: z.string(), grade: z.enum(['deletion', 'destruction']) }).nullable(),
})
export type KeyRow = z.output<typeof keyRow>

/** Tenant by tenant: what must never be shared, and whether it is. */
export const isolation = z.strictObject({
  tenants: z.array(z.strictObject({ tenant: z.string(), name: z.string(), issuer: z.string(), keys: z.int() })),
  /** Pairs of tenants that share an issuer, a key, a modulus or a factor: none, or something is badly wrong. */
  shared: z.array(z.strictObject({ first: z.string(), second: z.string(), what: z.string() })),
  /** What was compared, in sentences. */
  checked: z.array(z.string()),
})
export type Isolation = z.output<typeof isolation>

export const control = z.strictObject({
  framework: z.string(),
  control: z.string(),
  title: z.string(),
  /** What in this vault speaks to it: ceremonies, counts, dates. */
  evidence: z.array(z.string()),
  met: z.enum(['shown', 'partly', 'not shown']),
})

export const RECORD_METHODS = {
  records: { takes: nothing, gives: z.strictObject({ records: z.array(recordRow) }) },
  record: { takes: z.strictObject({ ceremony: ceremonyId }), gives: recordView },
  /** Draws a page for printing: of a record folder, or one that follows from the open vault. */
  openPage: {
    takes: z.discriminatedUnion('page', [
      z.strictObject({ page: z.literal('file'), ceremony: ceremonyId, name: pageName }),
      z.strictObject({ page: z.literal('script'), plan: z.string().max(4 * 1024 * 1024) }),
      z.strictObject({ page: z.literal('key'), kid: z.string().length(43) }),
      z.strictObject({ page: z.literal('evidence') }),
      z.strictObject({ page: z.literal('head-card') }),
    ]),
    /** A shell gives `html` to its printer and answers the page with `address` (browser) or neither (Electron prints). */
    gives: z.strictObject({ title: z.string(), html: z.string().nullable(), address: z.string().nullable() }),
  },
  /** Copies a record folder to the medium. Codes `file-exists`, `medium-full`. */
  exportRecord: { takes: z.strictObject({ ceremony: ceremonyId }), gives: z.strictObject({ folder: z.string() }) },
  /**
   * Writes the record folder of a completed ceremony of the open vault again, where it is missing or was never written.
   * Codes `ceremony-unknown`, `folder-not-empty`, `medium-full`.
   */
  writeRecord: { takes: z.strictObject({ ceremony: ceremonyId }), gives: z.strictObject({ folder: z.string() }) },
  /** Checks a record folder of this vault, or any folder or file, from a trust anchor alone. */
  verify: {
    takes: z.strictObject({
      what: z.union([z.strictObject({ ceremony: ceremonyId }), z.strictObject({ path: pathText })]),
      /** null: the open vault's own. */
      anchor: pathText.nullable(),
    }),
    gives: verified,
  },
  /** Every page, event, signature and checkpoint of the open vault. */
  verifyVault: { takes: nothing, gives: z.strictObject({ said: z.array(z.string()) }) },
  keys: { takes: nothing, gives: z.strictObject({ keys: z.array(keyRow) }) },
  isolation: { takes: nothing, gives: isolation },
  controls: { takes: nothing, gives: z.strictObject({ controls: z.array(control) }) },
  /** Builds the audit pack into a new folder of the home folder. Everybody who opened the vault signs it: whoever looks. */
  buildEvidence: {
    takes: nothing,
    gives: z.strictObject({ folder: z.string(), files: z.array(z.string()), missing: z.array(z.string()) }),
  },
} as const
