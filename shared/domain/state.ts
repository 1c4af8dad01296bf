import { KeyriteError, never } from '../errors.ts'
import type { KeySpec, PublicJwk } from './algorithms.ts'
import type { CeremonyKind, EventOf, LoggedEvent, PersonDigests, StatedByRuntime } from './events.ts'
import type { KeyTimes } from './key.ts'
import type { Policy, RelyingParty } from './policy.ts'

/** What a vault's events add up to. The same fold draws screens, prints records, resumes after a crash and verifies. */

export type VaultKey = {
  tenant: string
  kid: string
  spec: KeySpec
  jwk: PublicJwk
  label: string
  times: KeyTimes
  replaces: string | null
  generator: EventOf<'key-generated'>['generator']
  bornAt: number
  bornIn: string | null
  compromised: { at: number; reason: string } | null
  destroyed: { at: number; reason: string } | null
  /** When and in which ceremony it was last proved that nothing of the erased key is left in the vault's file. */
  absenceProved: { at: number; ceremony: string | null } | null
  certificate: { id: string; grade: 'deletion' | 'destruction' } | null
}

export type Tenant = {
  tenant: string
  name: string
  issuer: string
  policy: Policy
  relyingParties: RelyingParty[]
  kids: string[]
}

/** One handoff: what was to leave and, once it did, what left. */
export type Handoff = {
  number: number
  at: number
  transportKey: string
  tenants: string[]
  keys: string[]
  exported: { manifest: string; files: Record<string, string>; at: number } | null
}

export type Runtime = {
  runtimeId: string
  environment: string
  enrollment: string
  acceptance: string
  /** The signed receipt that offers its newest transport key; null while only the enrollment's is known. */
  offer: string | null
  handoffs: Handoff[]
  receipts: { upTo: number; head: string | null; statements: StatedByRuntime[] }
}

export type Ended = {
  at: number
  how: 'completed' | 'aborted'
  reason: string | null
  record: string | null
  signOffs: Record<string, string>
  /** The last event that the record covers. */
  covers: { seq: number; head: string } | null
  /** The root's signature over the vault as the ceremony left it. */
  checkpoint: string | null
}

export type Ceremony = {
  id: string
  kind: CeremonyKind
  plan: string
  planDigest: string
  present: string[]
  startedAt: number
  firstSeq: number
  done: { step: string; at: number; by: string; observed: string }[]
  approvals: { step: string; objects: string; approvals: string[] }[]
  /** Every roster in force during the ceremony, oldest first. */
  rosters: string[]
  deviations: { at: number; by: string; expected: string; happened: string; action: string }[]
  ended: Ended | null
}

/** What a person said of a copy in a ceremony whose record they signed: an aborted one has no record, so nothing of it counts. */
export type Attestation = {
  kids: string[]
  copy: string
  by: string
  statement: string
  at: number
  ceremony: string | null
}

export type VaultState = {
  vaultId: string
  name: string
  practice: boolean
  createdAt: number
  anchor: string
  successor: string
  epoch: number
  roster: string
  agreements: Record<string, string>
  people: Record<string, PersonDigests>
  sealed: Map<string, string>
  /** Row -> first bytes of what was erased there. */
  marks: Record<string, string>
  tenants: Map<string, Tenant>
  keys: Map<string, VaultKey>
  runtimes: Map<string, Runtime>
  ceremonies: Map<string, Ceremony>
  attestations: Attestation[]
  certificates: { id: string; statement: string; signatures: Record<string, string>; at: number }[]
  /** Epoch -> when each custodian last proved their share. */
  proved: Map<number, Map<string, number>>
  seq: number
  head: string
  lastAt: number
  /** The event that holds the newest checkpoint, and its statement. */
  checkpoint: { seq: number; statement: string } | null
  /** The last event accepted by a quorum although no checkpoint covers it. */
  acceptedTail: number
}

/** The state before the first event. */
export function emptyState(chainStart: string): VaultState {
  return {
    vaultId: '',
    name: '',
    practice: false,
    createdAt: 0,
    anchor: '',
    successor: '',
    epoch: 0,
    roster: '',
    agreements: {},
    people: {},
    sealed: new Map(),
    marks: {},
    tenants: new Map(),
    keys: new Map(),
    runtimes: new Map(),
    ceremonies: new Map(),
    attestations: [],
    certificates: [],
    proved: new Map(),
    seq: 0,
    head: chainStart,
    lastAt: 0,
    checkpoint: null,
    acceptedTail: 0,
  }
}

/** Folds one event into the state (in place: a vault has one owner). Throws `vault-history-broken` for an event that cannot follow. */
export function evolve(state: VaultState, logged: LoggedEvent): VaultState {
  apply(state, logged)
  state.seq = logged.seq
  state.head = logged.hash
  state.lastAt = logged.at
  return state
}

function apply(state: VaultState, { seq, at, actor, event }: LoggedEvent): void {
  if ((event.type === 'vault-created') !== (seq === 1)) broken(seq, 'a vault is created once, at its beginning')
  switch (event.type) {
    case 'vault-created': {
      const { vaultId, name, practice, anchor, successor, roster, agreements, people, epoch } = event
      Object.assign(state, {
        vaultId,
        name,
        practice,
        anchor,
        successor,
        roster,
        agreements,
        people,
        epoch,
        createdAt: at,
      })
      return addSealed(state, event.sealed)
    }
    case 'ceremony-started':
      if (openCeremony(state)) broken(seq, 'a ceremony starts while another is open')
      if (state.ceremonies.has(event.ceremony)) broken(seq, 'a ceremony starts twice')
      state.ceremonies.set(event.ceremony, {
        id: event.ceremony,
        kind: event.kind,
        plan: event.plan,
        planDigest: event.planDigest,
        present: event.present,
        startedAt: at,
        firstSeq: seq,
        done: [],
        approvals: [],
        rosters: [state.roster],
        deviations: [],
        ended: null,
      })
      return
    case 'step-done':
      running(state, event.ceremony, seq).done.push({ step: event.step, at, by: actor, observed: event.observed })
      return
    case 'deviation': {
      const { expected, happened, action } = event
      running(state, event.ceremony, seq).deviations.push({ at, by: actor, expected, happened, action })
      return
    }
    case 'ceremony-aborted':
      state.attestations = state.attestations.filter((said) => said.ceremony !== event.ceremony)
      running(state, event.ceremony, seq).ended = {
        at,
        how: 'aborted',
        reason: event.reason,
        record: null,
        signOffs: {},
        covers: null,
        checkpoint: null,
      }
      return
    case 'ceremony-ended': {
      const { record, signOffs, covers } = event
      running(state, event.ceremony, seq).ended = {
        at,
        how: 'completed',
        reason: null,
        record,
        signOffs,
        covers,
        checkpoint: null,
      }
      return
    }
    case 'share-proved':
      return void proofs(state, event.epoch).set(event.person, at)
    case 'tenant-added': {
      const { tenant, name, issuer, policy, relyingParties } = event
      if (state.tenants.has(tenant)) broken(seq, 'a tenant is added twice')
      state.tenants.set(tenant, { tenant, name, issuer, policy, relyingParties, kids: [] })
      return
    }
    case 'key-generated':
      return addKey(state, event, seq, at)
    case 'key-compromised':
      keyOf(state, event.kid, seq).compromised = { at: event.at, reason: event.reason }
      return
    case 'runtime-enrolled': {
      const { runtimeId, environment, enrollment, acceptance } = event
      if (state.runtimes.has(runtimeId)) broken(seq, 'a runtime is enrolled twice')
      const receipts = { upTo: 0, head: null, statements: [] }
      state.runtimes.set(runtimeId, {
        runtimeId,
        environment,
        enrollment,
        acceptance,
        offer: null,
        handoffs: [],
        receipts,
      })
      return
    }
    case 'handoff-intended': {
      const { number, transportKey, tenants, keys } = event
      runtimeOf(state, event.runtimeId, seq).handoffs.push({ number, at, transportKey, tenants, keys, exported: null })
      return
    }
    case 'handoff-exported': {
      const handoff = runtimeOf(state, event.runtimeId, seq).handoffs.at(-1)
      if (handoff?.number !== event.number) return broken(seq, 'a handoff is exported that was not intended')
      handoff.exported = { manifest: event.manifest, files: event.files, at }
      return
    }
    case 'receipts-taken': {
      const runtime = runtimeOf(state, event.runtimeId, seq)
      runtime.receipts.upTo = event.upTo
      runtime.receipts.head = event.head
      for (const statement of event.statements) runtime.receipts.statements.push(statement)
      if (event.offered) runtime.offer = event.offered
      return
    }
    case 'copy-attested': {
      const { kids, copy, by, statement } = event
      state.attestations.push({ kids, copy, by, statement, at, ceremony: openCeremony(state)?.id ?? null })
      return
    }
    case 'keys-destroyed':
      for (const kid of event.kids) keyOf(state, kid, seq).destroyed = { at, reason: event.reason }
      for (const id of Object.keys(event.marks)) state.sealed.delete(id)
      Object.assign(state.marks, event.marks)
      return
    case 'epoch-activated':
      if (event.epoch !== state.epoch + 1) broken(seq, 'an epoch is skipped')
      Object.assign(state, {
        epoch: event.epoch,
        roster: event.roster,
        agreements: event.agreements,
        people: event.people,
      })
      openCeremony(state)?.rosters.push(event.roster)
      return addSealed(state, event.sealed)
    case 'file-key-changed':
      state.people = event.people
      return
    case 'certificate-issued':
      for (const kid of event.kids) keyOf(state, kid, seq).certificate = { id: event.certificate, grade: event.grade }
      state.certificates.push({ id: event.certificate, statement: event.statement, signatures: event.signatures, at })
      return
    case 'tail-accepted':
      state.acceptedTail = Math.max(state.acceptedTail, event.to)
      return
    case 'checkpoint':
      state.checkpoint = { seq, statement: event.statement }
      for (const { ended } of state.ceremonies.values()) if (ended) ended.checkpoint ??= event.statement
      return
    case 'approved': {
      const { step, objects, approvals } = event
      running(state, event.ceremony, seq).approvals.push({ step, objects, approvals })
      return
    }
    case 'absence-proved':
      for (const kid of event.kids) {
        const key = keyOf(state, kid, seq)
        if (!key.destroyed) broken(seq, 'the absence of a key is proved that was never erased')
        key.absenceProved = { at, ceremony: openCeremony(state)?.id ?? null }
      }
      return
    default:
      never(event)
  }
}

function addKey(state: VaultState, event: EventOf<'key-generated'>, seq: number, at: number): void {
  const tenant = state.tenants.get(event.tenant)
  if (!tenant || state.keys.has(event.kid)) return broken(seq, 'a key has no tenant or exists already')
  const { type: _, sealed, ...key } = event
  const bornIn = openCeremony(state)?.id ?? null
  state.keys.set(event.kid, {
    ...key,
    bornAt: at,
    bornIn,
    compromised: null,
    destroyed: null,
    absenceProved: null,
    certificate: null,
  })
  tenant.kids.push(event.kid)
  addSealed(state, sealed)
}

function addSealed(state: VaultState, sealed: Record<string, string>): void {
  for (const [id, digest] of Object.entries(sealed)) state.sealed.set(id, digest)
}

function proofs(state: VaultState, epoch: number): Map<string, number> {
  const known = state.proved.get(epoch) ?? new Map<string, number>()
  state.proved.set(epoch, known)
  return known
}

function running(state: VaultState, id: string, seq: number): Ceremony {
  const ceremony = state.ceremonies.get(id)
  if (!ceremony || ceremony.ended) return broken(seq, 'a ceremony is not open')
  return ceremony
}

function keyOf(state: VaultState, kid: string, seq: number): VaultKey {
  return state.keys.get(kid) ?? broken(seq, 'a key does not exist')
}

function runtimeOf(state: VaultState, id: string, seq: number): Runtime {
  return state.runtimes.get(id) ?? broken(seq, 'a runtime does not exist')
}

function broken(seq: number, why: string): never {
  throw new KeyriteError('vault-history-broken', `Event ${seq} of the vault cannot follow the ones before it: ${why}.`)
}

/** The ceremony that is not closed yet; there is at most one. */
export function openCeremony(state: VaultState): Ceremony | null {
  for (const ceremony of state.ceremonies.values()) if (!ceremony.ended) return ceremony
  return null
}

/** The keys of a tenant in order of `signFrom`, without destroyed ones where `usable`. */
export function keysOf(state: VaultState, tenant: string, { usable = false } = {}): VaultKey[] {
  const kids = state.tenants.get(tenant)?.kids ?? []
  const keys = kids.flatMap((kid) => state.keys.get(kid) ?? [])
  const kept = usable ? keys.filter((key) => !key.destroyed && !key.compromised) : keys
  return kept.sort((a, b) => a.times.signFrom - b.times.signFrom)
}
