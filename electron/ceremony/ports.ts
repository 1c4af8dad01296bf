import type { KeySpec, PublicJwk } from '../../shared/domain/algorithms.ts'
import type { Imported, VaultEvent } from '../../shared/domain/events.ts'
import type { PastKey } from '../../shared/domain/past-keys.ts'
import type { AlgorithmName } from '../../shared/domain/policy.ts'
import type { PlannedPerson } from '../../shared/domain/roster.ts'
import type { Step } from '../../shared/domain/script.ts'
import type { VaultState } from '../../shared/domain/state.ts'
import type { PendingRoster } from '../../shared/domain/state-people.ts'
import type { Approval } from '../../shared/formats/approval.ts'
import type { Manifest, RemovedLine } from '../../shared/formats/bundle.ts'
import type { TenantEntry, TenantToSign } from '../../shared/formats/bundle-check.ts'
import type { Envelope } from '../../shared/formats/envelope.ts'
import type { ExportName } from '../../shared/formats/exported-key.ts'
import type { P256Jwk, StatementKey, StatementSigner } from '../../shared/formats/jws.ts'
import type { LogRow } from '../../shared/formats/log.ts'
import type { MaterialManifest } from '../../shared/formats/material.ts'
import type { PlanOf } from '../../shared/formats/plan.ts'
import type { Receipt } from '../../shared/formats/receipt.ts'
import type { Revocation, RevokedLine } from '../../shared/formats/revocation.ts'
import type { Roster } from '../../shared/formats/roster.ts'
import type { SuccessionFile } from '../../shared/formats/succession.ts'
import type { Anchor } from '../../shared/formats/trust-anchor.ts'
import type { CertificateFor, X5c } from '../../shared/formats/x509.ts'

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

export type DealtPort = Pick<PendingRoster, 'roster' | 'custodians'>
export type SuccessorPort = { kid: string }

/** One open vault, for quorum handles of its own kind `Q`, dealt shares `D` and successors `S`. */
export type VaultPort<
  Q extends QuorumPort = QuorumPort,
  D extends DealtPort = DealtPort,
  S extends SuccessorPort = SuccessorPort,
> = {
  readonly state: VaultState
  readonly anchor: Anchor
  readonly roster: Roster
  readonly present: ReadonlyMap<string, { id: string; signer: StatementSigner }>
  readonly tail: { from: number; to: number } | null
  /** Folders with custodians' own media. */
  readonly shareFolders: readonly string[]
  /** The link of the chain at an event, or null where there is none. */
  headAt(seq: number): string | null
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
  /** Approvals of these custodians (of the first M present unless told). */
  approve(act: ActPort, by?: readonly string[]): Promise<string[]>
  withQuorum<T>(act: ActPort, approvals: readonly string[], work: (quorum: Q) => Promise<T>): Promise<T>
  proveShare(person: string): Promise<void>
  activateEpoch(quorum: Q, at: number, actor: string, also: (roster: Roster) => VaultEvent[]): Promise<void>
  /** New shares for another list of people: dealt in memory, then kept beside those in force. */
  dealNext(next: {
    people: readonly PlannedPerson[]
    threshold: number
    passphrases: ReadonlyMap<string, string>
  }): Promise<D>
  keepDealt(dealt: D, also: (present: string[]) => VaultEvent[], at: number, actor: string): void
  /** A present custodian's share of the roster that is dealt. */
  proveNext(person: string): Promise<void>
  approveNext(act: ActPort, by: readonly string[]): Promise<string[]>
  activateNext(
    quorum: Q,
    given: { by: readonly string[]; also: readonly VaultEvent[] },
    at: number,
    actor: string,
  ): Promise<void>
  changePassphrase(person: string, passphrase: string, also: readonly VaultEvent[], at: number): Promise<void>
  makeSuccessor(): S
  rotateRoot(
    quorum: Q,
    given: { successor: S; compromised: boolean; also: readonly VaultEvent[] },
    at: number,
    actor: string,
  ): Promise<void>
  moveToNewFile(events: (fileKey: string) => VaultEvent[], at: number, actor: string): Promise<void>
  marksOf(ids: readonly string[]): Record<string, string>
  /** The rows of the log from `from` to `to`, as they stand in the vault. */
  rows(from: number, to: number): Iterable<LogRow>
  proveAbsence(marks: Readonly<Record<string, string>>): { rows: number; pages: number }
  close(): void
}

export type MadeKey = { spec: KeySpec; jwk: PublicJwk; pkcs8: Uint8Array; x5c?: X5c | undefined }
/** A private key that leaves for another issuer; `alg` is the name that its tenant publishes. */
export type ExportKey = Omit<MadeKey, 'x5c'> & { kid: string; alg: AlgorithmName }
/** The keys of one tenant to make; `certificates`: for each spec what its certificate is for, or null. */
export type MakeJob = { tenant: string; specs: KeySpec[]; certificates: (CertificateFor | null)[] }
export type MadeKeys = { node: string; openssl: string; keys: MadeKey[] }

export type WrittenFile = { name: string; digest: string }

/** The medium that files are carried on, both ways. */
export type MediaPort = {
  writeAnchor(jws: string, at: number): WrittenFile
  writeSuccession(succession: SuccessionFile, at: number): WrittenFile
  readEnrollment(name: string): string
  writeBundle(
    manifest: Omit<Manifest, 'tenants' | 'merkleRoot'>,
    tenants: readonly (TenantToSign | RemovedLine)[],
    root: StatementSigner,
    practice: boolean,
  ): Promise<WrittenFile & { manifestDigest: string; merkleRoot: string }>
  writeMaterial(
    manifest: Omit<MaterialManifest, 'keys' | 'merkleRoot' | 'transportKey'>,
    to: { key: P256Jwk; keys: Iterable<{ tenant: string; kid: string; pkcs8: Uint8Array }> },
    root: StatementSigner,
    practice: boolean,
  ): Promise<WrittenFile>
  writeEnvelope(
    envelope: Omit<Envelope, 'transportKey' | 'sealed'>,
    to: { key: P256Jwk; pkcs8: Uint8Array },
    root: StatementSigner,
    practice: boolean,
  ): Promise<WrittenFile>
  /** Reads an envelope back and checks it from the trust anchor alone. */
  checkEnvelope(name: string, anchor: Anchor): Promise<void>
  /** Signs each tenant's slots without the revoked keys; `entry` is the tenant as the runtime's bundle names it. */
  writeRevocation(
    revocation: Omit<Revocation, 'tenants' | 'merkleRoot'>,
    tenants: readonly (Pick<RevokedLine, 'revoke' | 'standby'> & { entry: TenantEntry; past?: readonly PastKey[] })[],
    root: StatementSigner,
    practice: boolean,
  ): Promise<WrittenFile & { statement: string }>
  /** Reads a revocation back and checks it from the trust anchor alone; gives counts. */
  checkRevocation(name: string, anchor: Anchor): Promise<{ tenants: number; keys: number }>
  /** Takes back a file that was written in this very step. */
  remove(name: string): void
  /** Takes back the files of something that was interrupted before it was recorded; gives their names. */
  removeLeftovers(of: {
    what: 'handoff' | 'envelope' | 'revocation'
    vaultId: string
    runtimeId: string
    number: number
  }): string[]
  /** Reads the private key in a file; its password is asked only where it has one. Whoever takes it wipes `pkcs8`. */
  readKey(
    name: string,
    want: { format: Imported['format']; spec: KeySpec },
    password: () => Promise<string>,
  ): Promise<{ jwk: PublicJwk; pkcs8: Uint8Array }>
  readRecipient(name: string): { jwk: P256Jwk; fingerprint: string }
  /** Writes keys for another issuer, encrypted to its key, and reads the file back. */
  writeExport(
    keys: readonly ExportKey[],
    to: { recipient: P256Jwk; name: ExportName; password: string | null; at: number },
  ): Promise<WrittenFile>
  /** Takes back the file of an export that was interrupted before it was recorded; gives its name. */
  removeExport(of: { vaultId: string; number: number }): string[]
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

/** What became of trying to open keys from a copy; `seq` null where the copy itself did not open. */
export type TriedCopy =
  | { seq: number; head: string; opened: string[]; why: string }
  | { seq: null; opened: []; why: string }

/** Copies of an open vault on the medium. */
export type CopiesPort<Q extends QuorumPort = QuorumPort> = {
  /** Writes backup `number` as the vault stood at event `upTo`, reads it back and compares. */
  write(
    vault: VaultPort<Q>,
    backup: { number: number; at: number; upTo: number },
  ): Promise<{ folder: string; files: Record<string, string> }>
  /** Takes back what an interrupted try of this backup left; gives the names. */
  takeBack(vault: VaultPort<Q>, number: number): string[]
  /** Opens a copy with the shares of those present and unseals the root from it: where its history ends, and its root. */
  open(vault: VaultPort<Q>, folder: string, act: ActPort): Promise<{ seq: number; head: string; root: string }>
  /** Tries to open these keys from a copy; that it fails is an answer, not an error. */
  tryKeys(vault: VaultPort<Q>, folder: string, kids: readonly string[], act: ActPort): Promise<TriedCopy>
  /** A file of the medium as it is, at most `maxBytes` long. */
  read(name: string, maxBytes: number): Uint8Array
}

/** Something that did not go as the script says: anyone may say so at any step. */
export type Deviation = { expected: string; happened: string; action: string }

/** What two people read from watches of their own: how many seconds this machine's clock is behind them (or ahead: below 0). */
export type ConfirmedTime = { offset: number; by: string[] }
/** What somebody's newest head card says: the event's number and at least the first 16 hex digits of its link. */
export type ShownCard = { seq: number; head: string }

/**
 * The people at the table, as the engine asks them: at a terminal, on a screen, or answered by a script (`automated`), and
 * then the record says so. Each may throw `ceremony-paused`; what was committed before stays, and nothing else does.
 */
export type DeskPort = {
  readonly automated: boolean
  /** How those present show that they are there, in one sentence for the record. */
  readonly presence: string
  /** Asks two people for UTC from their own watches, before anything is signed; null where nobody was asked. */
  confirmTime(machine: number, present: readonly string[]): Promise<ConfirmedTime | null>
  /** Asks for the newest head card; null where nobody shows one. `kept` is the newest checkpoint of the vault itself. */
  headCard(kept: ShownCard | null): Promise<ShownCard | null>
  /** Shows a step before it is done: read aloud, do. */
  begin(step: Omit<Step, 'act'>, place: { number: number; of: number }): Promise<void>
  /** What was observed: gives who puts their initials to it (null: whoever acts), and what deviated. */
  observed(step: Omit<Step, 'act'>, observed: string): Promise<{ initials: string | null; deviations: Deviation[] }>
  /** Deviations that people noted and that no step has recorded; given once. */
  noted?(): Deviation[]
  /** Takes back what could not be recorded: it is given again. */
  takeBack?(deviations: readonly Deviation[]): void
  /** What the watches said of this machine's clock, in seconds; 0 before anybody was asked. */
  readonly offset?: number
  /** Which of these custodians approve, once `needed` of them do; asked again for every act. */
  approve(title: string, custodians: readonly string[], needed: number): Promise<string[]>
  /** Compares a digest with what another side shows. Code `comparison-failed`: there is no going on. */
  compare(what: string, digest: string): Promise<string>
  /** Has each of these people type the words; gives how, for the record. Code `confirmation-missing`. */
  confirm(words: string, people: readonly string[]): Promise<string>
  /** Rolls of dice typed in by those present, digits 1 to 6. */
  dice(rolls: number): Promise<string>
  /** A secret that only one person knows. Never shown, logged or kept. */
  secret(what: string, owner: string, kind: 'new passphrase' | 'password'): Promise<string>
  /** What a participant says of the record before signing. */
  agrees(person: string, digest: string): Promise<{ agrees: true } | { agrees: false; reason: string }>
}

export type Ports<Q extends QuorumPort = QuorumPort> = {
  /** Seconds since 1970 UTC, by the clock of this machine. */
  now(): number
  /** Seconds on a clock that nobody can set; only differences count. */
  elapsed(): number
  /** A new UUID. */
  newId(): string
  desk: DeskPort
  /** Runs the self-test and says in one line what it covered. Code `self-test-failed`. */
  selfTest(): string
  media: MediaPort
  copies: CopiesPort<Q>
  makeKeys(jobs: readonly MakeJob[], onProgress: (done: number, total: number) => void): Promise<Map<string, MadeKeys>>
  /** Mixes rolls of dice into the system's random pool where that is possible; says in one sentence what that adds. */
  stir(rolls: string): string
  createVault(plan: PlanOf<'genesis'>, first: VaultEvent[], actor: string, at: number): Promise<VaultPort<Q>>
  /** Writes the record folder (and certificates) and gives its path. */
  writeRecord(written: Written): Promise<string>
  say(text: string): void
  progress(label: string, done: number, total: number): void
}
