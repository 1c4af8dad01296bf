import type { KeySpec, PublicJwk } from './algorithms.ts'
import type { KeyTimes } from './key.ts'
import type { Policy, RelyingParty } from './policy.ts'
import type { SharePlace } from './roster.ts'

/** Everything that can happen to a vault. State is the fold of these; nothing else is stored. */

export const CEREMONY_KINDS = [
  'genesis',
  'onboard',
  'enroll-runtime',
  'handoff',
  'rotate',
  'emergency',
  'intake',
  'destroy',
  'custody',
  'passphrase',
  'root-rotate',
  'import-key',
  'export-key',
  'amend',
  'backup',
  'restore',
  'inventory',
  'envelope',
] as const
export type CeremonyKind = (typeof CEREMONY_KINDS)[number]

/** Digests of what stands in people.json, so that a swapped entry is named. */
export type PersonDigests = { identity: string; fileKeys: Record<string, string>; shares: Record<string, string> }
/** Digest of each row of the table of sealed blobs that an event adds or replaces. */
export type SealedDigests = Record<string, string>

export const IMPORT_FORMATS = ['pem', 'pfx', 'jwk'] as const
/** Where an imported key came from. Nobody can attest that it was made independently; nothing takes this mark away. */
export type Imported = { file: string; format: (typeof IMPORT_FORMATS)[number]; statement: string }

export const EXPORT_FORMATS = ['pkcs8', 'pfx', 'jwks'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

/** A statement from a receipt, as the vault keeps it: what the runtime said, when, and its number in the runtime's chain. */
export type StatedByRuntime = { seq: number; at: number; stated: { type: string } & Record<string, unknown> }

/**
 * A revocation for one runtime: the keys that never sign there again, and the standby keys that take over. `prepared`: it is
 * kept sealed for a later day, and marks nothing compromised.
 */
export type RevocationIntent = {
  runtimeId: string
  id: string
  /** Counts the revocations for the runtime; a number is never used again. */
  order: number
  reason: string
  prepared: boolean
  keys: string[]
  standbys: string[]
  /** Until when a runtime takes it. */
  exp: number
}

/** One copy of the vault and the keys that opened from it; `copy` is its id in the ledger, `why` why the others did not. */
export type RestoreTrial = { folder: string; copy: string; opened: string[]; why: string }

export type VaultEvent =
  | {
      type: 'vault-created'
      vaultId: string
      name: string
      practice: boolean
      anchor: string
      successor: string
      roster: string
      agreements: Record<string, string>
      people: Record<string, PersonDigests>
      sealed: SealedDigests
      epoch: number
      /** Custodians whose share lies on their own medium. */
      medium?: string[] | undefined
    }
  | {
      type: 'ceremony-started'
      ceremony: string
      kind: CeremonyKind
      planDigest: string
      plan: string
      present: string[]
      /** What two people's watches said; null where nobody was asked. */
      clock: { offset: number; by: string[] } | null
      /** The head card that was shown; null where none was. */
      headCard: { seq: number; head: string } | null
    }
  /** Who is there from now on: written when a ceremony goes on with other people than before. */
  | { type: 'attendance'; ceremony: string; present: string[] }
  | { type: 'approved'; ceremony: string; step: string; objects: string; approvals: string[] }
  | { type: 'step-done'; ceremony: string; step: string; observed: string }
  | { type: 'deviation'; ceremony: string; expected: string; happened: string; action: string }
  | { type: 'ceremony-aborted'; ceremony: string; reason: string }
  /** `covers`: the last event that the signed record covers, and its link. */
  | {
      type: 'ceremony-ended'
      ceremony: string
      record: string
      signOffs: Record<string, string>
      covers: { seq: number; head: string }
    }
  | { type: 'share-proved'; person: string; epoch: number }
  | {
      type: 'tenant-added'
      tenant: string
      name: string
      issuer: string
      policy: Policy
      relyingParties: RelyingParty[]
      /** Its keys are made ahead; no customer has it yet. */
      reserved?: true
    }
  | { type: 'tenant-amended'; tenant: string; name: string; policy: Policy; relyingParties: RelyingParty[] }
  /** Its keys stop signing, and neither its id nor its issuer is ever given out again. */
  | { type: 'tenant-offboarded'; tenant: string; reason: string }
  /** While a hold names a key, nobody destroys it. */
  | { type: 'hold-placed'; hold: string; kids: string[]; reason: string }
  | { type: 'hold-lifted'; hold: string; reason: string }
  | {
      type: 'key-generated'
      tenant: string
      kid: string
      spec: KeySpec
      jwk: PublicJwk
      /** Its self-signed certificate (RFC 7517 section 4.7), where its tenant's policy asks for one. */
      x5c?: [string] | undefined
      label: string
      times: KeyTimes
      replaces: string | null
      standby?: true | undefined
      generator: { node: string; openssl: string; process: 'fresh' }
      sealed: SealedDigests
    }
  | {
      type: 'key-imported'
      tenant: string
      kid: string
      spec: KeySpec
      jwk: PublicJwk
      label: string
      times: KeyTimes
      imported: Imported
      sealed: SealedDigests
    }
  /** Before a key leaves for an existing issuer: from here on the file counts as a copy. */
  | {
      type: 'export-intended'
      number: number
      kids: string[]
      format: ExportFormat
      recipient: string
      holder: string
      reason: string
    }
  | { type: 'export-written'; number: number; file: string; digest: string }
  /** From now on the standby key signs by these times; it is no standby any more. */
  | { type: 'standby-activated'; tenant: string; kid: string; times: KeyTimes; replaces: string }
  | { type: 'key-compromised'; tenant: string; kid: string; at: number; reason: string }
  | {
      type: 'runtime-enrolled'
      runtimeId: string
      environment: string
      enrollment: string
      acceptance: string
    }
  | {
      type: 'handoff-intended'
      runtimeId: string
      number: number
      transportKey: string
      tenants: string[]
      keys: string[]
    }
  | {
      type: 'handoff-exported'
      runtimeId: string
      number: number
      manifest: string
      merkleRoot: string
      files: Record<string, string>
    }
  | {
      type: 'envelopes-intended'
      runtimeId: string
      envelopes: { number: number; tenant: string; kid: string; transportKey: string }[]
    }
  | { type: 'envelope-sealed'; runtimeId: string; number: number; file: string; digest: string }
  /** Before revocations are written: from here on their numbers are used. */
  | { type: 'revocations-intended'; revocations: RevocationIntent[] }
  /** `statement`: the digest by which a receipt names it. */
  | { type: 'revocation-signed'; runtimeId: string; order: number; statement: string; file: string; digest: string }
  | {
      type: 'receipts-taken'
      runtimeId: string
      file: string
      upTo: number
      head: string
      /** The signed receipt that offers the next transport key. */
      offered: string | null
      statements: StatedByRuntime[]
    }
  | { type: 'copy-attested'; kids: string[]; copy: string; by: string; statement: string }
  /** `marks`: the first 16 bytes of each erased row, by which its absence is proved later. */
  | { type: 'keys-destroyed'; kids: string[]; reason: string; marks: Record<string, string> }
  | {
      type: 'epoch-activated'
      epoch: number
      roster: string
      agreements: Record<string, string>
      people: Record<string, PersonDigests>
      sealed: SealedDigests
    }
  /** New shares are dealt and wait: the next roster (canonical JSON, not in force), and what people.json will then hold. */
  | {
      type: 'custody-dealt'
      epoch: number
      roster: string
      custodians: Record<string, SharePlace>
      people: Record<string, PersonDigests>
    }
  /** The new threshold approves the roster that is dealt. */
  | { type: 'custody-accepted'; ceremony: string; step: string; objects: string; approvals: string[] }
  /** A person sealed their keys anew; `identity` is the digest of what people.json then holds of them. */
  | { type: 'passphrase-changed'; person: string; identity: string }
  /** The sealed successor took over. `acceptances`: those of every runtime, signed by the new root. */
  | {
      type: 'root-rotated'
      succession: { old: string; next: string; anchor: string }
      compromised: boolean
      successor: string
      roster: string
      agreements: Record<string, string>
      acceptances: Record<string, string>
      sealed: SealedDigests
      removed: string[]
    }
  | { type: 'file-key-changed'; fileKey: string; people: Record<string, PersonDigests> }
  | { type: 'absence-proved'; kids: string[]; rows: number; pages: number }
  | {
      type: 'certificate-issued'
      certificate: string
      grade: 'deletion' | 'destruction'
      kids: string[]
      statement: string
      signatures: Record<string, string>
    }
  /** What a destruction is about, fixed before it is confirmed: a plan may name a tenant, or everything retired. */
  | { type: 'keys-chosen'; ceremony: string; kids: string[] }
  /** What a real quorum met when it tried to open erased keys from these copies: only what is named `opened` opened. */
  | { type: 'restore-tried'; folders: string[]; kids: string[]; trials: RestoreTrial[] }
  /** `seq` and `head`: the checkpointed state that the copy is to hold. */
  | {
      type: 'backup-intended'
      number: number
      holder: string
      place: string
      replaces: number[]
      seq: number
      head: string
    }
  | { type: 'backup-made'; number: number; folder: string; files: Record<string, string> }
  | { type: 'backup-opened'; number: number; seq: number; head: string }
  /** `seq` and `head`: where the copy ended. `seen`: the last event that a runtime knew of the vault that was lost. */
  | {
      type: 'vault-restored'
      backup: number
      reason: string
      seq: number
      head: string
      seen: number
      /** Runtimes that will never tell what they have: nobody waits for them, and their copies stay open. */
      dead: string[]
      elsewhere: { kid: string; certificate: string; at: number }[]
    }
  | { type: 'inventory-taken'; inventory: string; statement: string }
  | { type: 'tail-accepted'; from: number; to: number; head: string; approvals: string[] }
  | { type: 'checkpoint'; statement: string }

export type EventType = VaultEvent['type']
export type EventOf<T extends EventType> = Extract<VaultEvent, { type: T }>

/** An event as it stands in the log. `actor` is a person's id, or `keyrite` where the software acts by itself. */
export type LoggedEvent = {
  seq: number
  at: number
  actor: string
  hash: string
  signature: string | null
  event: VaultEvent
}
