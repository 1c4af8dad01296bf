import type { KeySpec, PublicJwk } from './algorithms.ts'
import type { KeyTimes } from './key.ts'
import type { Policy, RelyingParty } from './policy.ts'

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
] as const
export type CeremonyKind = (typeof CEREMONY_KINDS)[number]

/** Digests of what stands in people.json, so that a swapped entry is named. */
export type PersonDigests = { identity: string; fileKeys: Record<string, string>; shares: Record<string, string> }
/** Digest of each row of the table of sealed blobs that an event adds or replaces. */
export type SealedDigests = Record<string, string>

/** A statement from a receipt, as the vault keeps it: what the runtime said, when, and its number in the runtime's chain. */
export type StatedByRuntime = { seq: number; at: number; stated: { type: string } & Record<string, unknown> }

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
    }
  | {
      type: 'ceremony-started'
      ceremony: string
      kind: CeremonyKind
      planDigest: string
      plan: string
      present: string[]
    }
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
    }
  | {
      type: 'key-generated'
      tenant: string
      kid: string
      spec: KeySpec
      jwk: PublicJwk
      label: string
      times: KeyTimes
      replaces: string | null
      generator: { node: string; openssl: string; process: 'fresh' }
      sealed: SealedDigests
    }
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
