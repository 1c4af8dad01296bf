import type { KeySpec, PublicJwk } from '../../shared/domain/algorithms.ts'
import type { VaultEvent } from '../../shared/domain/events.ts'
import type { VaultState } from '../../shared/domain/state.ts'
import type { Approval } from '../../shared/formats/approval.ts'
import type { Manifest } from '../../shared/formats/bundle.ts'
import type { TenantEntry } from '../../shared/formats/bundle-check.ts'
import type { P256Jwk, StatementKey, StatementSigner } from '../../shared/formats/jws.ts'
import type { MaterialManifest } from '../../shared/formats/material.ts'
import type { PlanOf } from '../../shared/formats/plan.ts'
import type { Receipt } from '../../shared/formats/receipt.ts'
import type { Roster } from '../../shared/formats/roster.ts'
import type { Anchor } from '../../shared/formats/trust-anchor.ts'

import type { Written } from './record.ts'

/** What ceremonies need of the world. Composition roots connect the vault, the generator, the media and the clock. */

export type SealedRows = { put: Map<string, Uint8Array<ArrayBuffer>>; digests: Record<string, string> }

export type QuorumPort = {
  root(): Promise<StatementSigner>
  seal(tenant: string, kid: string, spec: string, pkcs8: Uint8Array): SealedRows
  unseal(kid: string): Uint8Array<ArrayBuffer>
}

export type ActPort = Pick<Approval, 'ceremony' | 'planDigest' | 'step' | 'objects'>
type Changes = { put?: ReadonlyMap<string, Uint8Array>; remove?: readonly string[] }

/** One open vault, for quorum handles of its own kind `Q`. */
export type VaultPort<Q extends QuorumPort = QuorumPort> = {
  readonly state: VaultState
  readonly anchor: Anchor
  readonly roster: Roster
  readonly present: ReadonlyMap<string, { id: string; signer: StatementSigner }>
  readonly tail: { from: number; to: number } | null
  tidy(): void
  describeTail(): string
  acceptTail(at: number, actor: string): Promise<void>
  commit(events: readonly VaultEvent[], at: number, actor: string | null, sealed?: Changes): void
  commitWithCheckpoint(
    events: readonly VaultEvent[],
    at: number,
    actor: string | null,
    quorum: Q,
    sealed?: Changes,
  ): Promise<string>
  approve(act: ActPort): Promise<string[]>
  withQuorum<T>(act: ActPort, approvals: readonly string[], work: (quorum: Q) => Promise<T>): Promise<T>
  proveShare(person: string): Promise<void>
  activateEpoch(quorum: Q, at: number, actor: string, also: (roster: Roster) => VaultEvent[]): Promise<void>
  moveToNewFile(events: (fileKey: string) => VaultEvent[], at: number, actor: string): Promise<void>
  marksOf(ids: readonly string[]): Record<string, string>
  proveAbsence(marks: Readonly<Record<string, string>>): { rows: number; pages: number }
  close(): void
}

export type MadeKey = { spec: KeySpec; jwk: PublicJwk; pkcs8: Uint8Array }
export type MadeKeys = { node: string; openssl: string; keys: MadeKey[] }

export type WrittenFile = { name: string; digest: string }

/** The medium that files are carried on, both ways. */
export type MediaPort = {
  writeAnchor(jws: string, at: number): WrittenFile
  readEnrollment(name: string): string
  writeBundle(
    manifest: Omit<Manifest, 'tenants' | 'merkleRoot'>,
    tenants: readonly TenantEntry[],
    root: StatementSigner,
    practice: boolean,
  ): Promise<WrittenFile & { manifestDigest: string; merkleRoot: string }>
  writeMaterial(
    manifest: Omit<MaterialManifest, 'keys' | 'merkleRoot' | 'transportKey'>,
    to: { key: P256Jwk; keys: Iterable<{ tenant: string; kid: string; pkcs8: Uint8Array }> },
    root: StatementSigner,
    practice: boolean,
  ): Promise<WrittenFile>
  /** Takes back a file that was written in this very step. */
  remove(name: string): void
  /** Takes back the files of a handoff that was interrupted before it was recorded; gives their names. */
  removeLeftovers(of: { vaultId: string; runtimeId: string; number: number }): string[]
  /** Reads both files back as a stranger would, from the trust anchor alone; gives counts. */
  checkExport(bundle: string, material: string, anchor: Anchor): Promise<{ tenants: number; keys: number }>
  readReceipts(
    name: string,
    expected: {
      signer: StatementKey
      runtimeId: string
      after: { seq: number; digest: string } | null
      practice: boolean
    },
  ): Promise<{
    receipts: Receipt[]
    head: { seq: number; digest: string } | null
    offer: string | null
    fileDigest: string
  }>
}

export type Ports<Q extends QuorumPort = QuorumPort> = {
  /** Seconds since 1970 UTC. */
  now(): number
  /** How those present show that they are there, in one sentence for the record. */
  presence: string
  /** Runs the self-test and says in one line what it covered. Code `self-test-failed`. */
  selfTest(): string
  media: MediaPort
  makeKeys(
    jobs: readonly { tenant: string; specs: KeySpec[] }[],
    onProgress: (done: number, total: number) => void,
  ): Promise<Map<string, MadeKeys>>
  createVault(plan: PlanOf<'genesis'>, first: VaultEvent[], actor: string, at: number): Promise<VaultPort<Q>>
  /** Writes the record folder (and certificates) and gives its path. */
  writeRecord(written: Written): Promise<string>
  say(text: string): void
  progress(label: string, done: number, total: number): void
}
