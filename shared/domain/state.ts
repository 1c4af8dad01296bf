import { KeyriteError, never } from '../errors.ts'
import type { KeySpec, PublicJwk } from './algorithms.ts'
import { notAlone } from './alone.ts'
import type { CeremonyKind, EventOf, Imported, LoggedEvent, RevocationIntent, StatedByRuntime } from './events.ts'
import type { KeyTimes } from './key.ts'
import type { Policy, RelyingParty } from './policy.ts'
import { applyCopies, type CopiesState, noCopies, noteReceipts } from './state-copies.ts'
import { applyPeople, firstHolders, noPeople, type PeopleState } from './state-people.ts'

/** What a vault's events add up to. The same fold draws screens, prints records, resumes after a crash and verifies. */

export type VaultKey = {
  tenant: string
  kid: string
  spec: KeySpec
  jwk: PublicJwk
  /** Its certificate, where its tenant's policy asked for one when it was made. */
  x5c?: [string] | undefined
  label: string
  times: KeyTimes
  replaces: string | null
  /** Announced, and waiting to be called upon. */
  standby?: true | undefined
  /** The times that it stood by with, and when it was called upon. */
  stoodBy?: { until: number; times: KeyTimes } | undefined
  /** Null for an imported key. */
  generator: EventOf<'key-generated'>['generator'] | null
  /** Where it came from, if it was not made here: its independence is attested by nobody. */
  imported: Imported | null
  /** The numbers of the exports that took it to another issuer. */
  exported: number[]
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
  /** The policies that were amended since, oldest first, with the time until which each was in force. */
  earlier?: { until: number; policy: Policy }[] | undefined
  relyingParties: RelyingParty[]
  /** Its keys were made ahead, and no customer has it yet. */
  reserved: boolean
  /** From here on no key of it signs. */
  offboarded: { at: number; reason: string } | null
  kids: string[]
}

/** While a hold names a key, nobody destroys it. */
export type Hold = { hold: string; kids: string[]; reason: string; at: number }

/** Keys on their way to an existing issuer; `file` is null until what was written has been read back. */
export type KeyExport = Omit<EventOf<'export-intended'>, 'type'> & {
  at: number
  ceremony: string | null
  file: { name: string; digest: string } | null
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

/** An emergency envelope that was to be written and, once it was, its file. `seq`: the event that intended it. */
export type SealedEnvelope = {
  number: number
  tenant: string
  kid: string
  transportKey: string
  at: number
  seq: number
  ceremony: string | null
  file: { name: string; digest: string } | null
}

/** A revocation that was to be signed and, once it was, its file. `seq`: the event that intended it. */
export type SignedRevocation = Omit<RevocationIntent, 'runtimeId'> & {
  at: number
  seq: number
  ceremony: string | null
  file: { name: string; digest: string; statement: string } | null
}

export type Runtime = {
  runtimeId: string
  environment: string
  enrollment: string
  acceptance: string
  /** The signed receipt that offers its newest transport key; null while only the enrollment's is known. */
  offer: string | null
  handoffs: Handoff[]
  /** Sealed emergency envelopes, in the order of their numbers. */
  envelopes: SealedEnvelope[]
  /** In the order of their numbers. */
  revocations: SignedRevocation[]
  /** Standby keys that came to it in an envelope, by its receipts. */
  opened: string[]
  /** `takenAt`: when receipts last came in. */
  receipts: { upTo: number; head: string | null; takenAt: number | null; statements: StatedByRuntime[] }
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
  /** The trust anchor in force, at its end the new one where it brought one. */
  anchor: string
  /** Who began it. */
  present: string[]
  /** Who was there from when on; the first entry is who began it, the last one signs its record. */
  attendance: { at: number; present: string[] }[]
  clock: { offset: number; by: string[] } | null
  headCard: { seq: number; head: string } | null
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

export type VaultState = CopiesState &
  PeopleState & {
    vaultId: string
    name: string
    practice: boolean
    createdAt: number
    anchor: string
    successor: string
    epoch: number
    roster: string
    agreements: Record<string, string>
    sealed: Map<string, string>
    /** Row -> first bytes of what was erased there. */
    marks: Record<string, string>
    tenants: Map<string, Tenant>
    keys: Map<string, VaultKey>
    runtimes: Map<string, Runtime>
    ceremonies: Map<string, Ceremony>
    holds: Map<string, Hold>
    exports: KeyExport[]
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
    ...noCopies(),
    ...noPeople(),
    vaultId: '',
    name: '',
    practice: false,
    createdAt: 0,
    anchor: '',
    successor: '',
    epoch: 0,
    roster: '',
    agreements: {},
    sealed: new Map(),
    marks: {},
    tenants: new Map(),
    keys: new Map(),
    runtimes: new Map(),
    ceremonies: new Map(),
    holds: new Map(),
    exports: [],
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
  const refused = notAlone(state, { actor, event, ceremony: openCeremony(state) })
  if (refused !== null) broken(seq, refused)
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
        epochSince: at,
        holders: firstHolders(event),
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
        anchor: state.anchor,
        present: event.present,
        attendance: [{ at, present: event.present }],
        clock: event.clock,
        headCard: event.headCard,
        startedAt: at,
        firstSeq: seq,
        done: [],
        approvals: [],
        rosters: [state.roster],
        deviations: [],
        ended: null,
      })
      return
    case 'attendance':
      running(state, event.ceremony, seq).attendance.push({ at, present: event.present })
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
      state.pending = null
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
      const reserved = event.reserved === true
      state.tenants.set(tenant, { tenant, name, issuer, policy, relyingParties, reserved, offboarded: null, kids: [] })
      return
    }
    case 'tenant-amended': {
      const { name, policy, relyingParties } = event
      const tenant = livingTenant(state, event.tenant, seq)
      tenant.earlier = [...(tenant.earlier ?? []), { until: at, policy: tenant.policy }]
      Object.assign(tenant, { name, policy, relyingParties, reserved: tenant.reserved && name === tenant.name })
      return
    }
    case 'tenant-offboarded':
      livingTenant(state, event.tenant, seq).offboarded = { at, reason: event.reason }
      return
    case 'hold-placed': {
      const { hold, kids, reason } = event
      if (state.holds.has(hold)) broken(seq, 'a hold is placed twice')
      for (const kid of kids) keyOf(state, kid, seq)
      state.holds.set(hold, { hold, kids, reason, at })
      return
    }
    case 'hold-lifted':
      if (!state.holds.delete(event.hold)) broken(seq, 'a hold is lifted that was not placed')
      return
    case 'key-generated': {
      const { type: _, sealed, ...key } = event
      return addKey(state, { ...key, imported: null }, sealed, seq, at)
    }
    case 'key-imported': {
      const { type: _, sealed, ...key } = event
      return addKey(state, { ...key, replaces: null, generator: null }, sealed, seq, at)
    }
    case 'export-intended': {
      const { type: _, ...intended } = event
      if (event.number !== state.exports.length + 1) broken(seq, 'an export is not numbered in order')
      for (const kid of event.kids) keyOf(state, kid, seq).exported.push(event.number)
      state.exports.push({ ...intended, at, ceremony: openCeremony(state)?.id ?? null, file: null })
      return
    }
    case 'export-written': {
      const intended = state.exports[event.number - 1]
      if (!intended || intended.file) return broken(seq, 'an export is written that was not intended')
      intended.file = { name: event.file, digest: event.digest }
      return
    }
    case 'standby-activated': {
      const key = keyOf(state, event.kid, seq)
      if (!key.standby || key.destroyed || key.compromised)
        return broken(seq, 'a key is called upon that does not stand by')
      const stoodBy = { until: at, times: key.times }
      Object.assign(key, { times: event.times, replaces: event.replaces, standby: undefined, stoodBy })
      return
    }
    case 'key-compromised':
      keyOf(state, event.kid, seq).compromised = { at: event.at, reason: event.reason }
      return
    case 'runtime-enrolled': {
      const { runtimeId, environment, enrollment, acceptance } = event
      if (state.runtimes.has(runtimeId)) broken(seq, 'a runtime is enrolled twice')
      const receipts = { upTo: 0, head: null, takenAt: null, statements: [] }
      state.runtimes.set(runtimeId, {
        runtimeId,
        environment,
        enrollment,
        acceptance,
        offer: null,
        handoffs: [],
        envelopes: [],
        revocations: [],
        opened: [],
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
      state.skips.delete(event.runtimeId)
      return
    }
    case 'envelopes-intended': {
      const runtime = runtimeOf(state, event.runtimeId, seq)
      const ceremony = openCeremony(state)?.id ?? null
      // An earlier try that was interrupted may have left files behind: its numbers are not used again.
      for (const one of event.envelopes) runtime.envelopes.push({ ...one, at, seq, ceremony, file: null })
      return
    }
    case 'envelope-sealed': {
      const envelope = runtimeOf(state, event.runtimeId, seq).envelopes.find((one) => one.number === event.number)
      if (!envelope || envelope.file) return broken(seq, 'an envelope is sealed that was not intended')
      envelope.file = { name: event.file, digest: event.digest }
      return
    }
    case 'revocations-intended': {
      const ceremony = openCeremony(state)?.id ?? null
      for (const { runtimeId, ...intent } of event.revocations) {
        const { revocations } = runtimeOf(state, runtimeId, seq)
        if (revocations.some(({ order }) => order >= intent.order)) broken(seq, 'a revocation is not numbered in order')
        revocations.push({ ...intent, at, seq, ceremony, file: null })
      }
      return
    }
    case 'revocation-signed': {
      const intent = runtimeOf(state, event.runtimeId, seq).revocations.find(({ order }) => order === event.order)
      if (!intent || intent.file) return broken(seq, 'a revocation is signed that was not intended')
      intent.file = { name: event.file, digest: event.digest, statement: event.statement }
      return
    }
    case 'receipts-taken': {
      const runtime = runtimeOf(state, event.runtimeId, seq)
      Object.assign(runtime.receipts, { upTo: event.upTo, head: event.head, takenAt: at })
      for (const statement of event.statements) {
        runtime.receipts.statements.push(statement)
        const { type, kid } = statement.stated
        if (type === 'envelope-opened' && typeof kid === 'string') runtime.opened.push(kid)
      }
      if (event.offered) runtime.offer = event.offered
      return noteReceipts(state, event)
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
    case 'custody-dealt':
    case 'custody-accepted':
    case 'epoch-activated':
    case 'passphrase-changed':
    case 'root-rotated':
      return applyPeople(state, { seq, at, actor, event, ceremony: openCeremony(state) })
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
    case 'keys-chosen':
    case 'restore-tried':
    case 'backup-intended':
    case 'backup-made':
    case 'backup-opened':
    case 'vault-restored':
    case 'inventory-taken':
      return applyCopies(state, { seq, at, event, ceremony: openCeremony(state)?.id ?? null })
    default:
      never(event)
  }
}

type NewKey = Omit<EventOf<'key-generated'>, 'type' | 'sealed' | 'generator'> & Pick<VaultKey, 'generator' | 'imported'>

function addKey(state: VaultState, key: NewKey, sealed: Record<string, string>, seq: number, at: number): void {
  const tenant = state.tenants.get(key.tenant)
  if (!tenant || state.keys.has(key.kid)) return broken(seq, 'a key has no tenant or exists already')
  const bornIn = openCeremony(state)?.id ?? null
  state.keys.set(key.kid, {
    ...key,
    exported: [],
    bornAt: at,
    bornIn,
    compromised: null,
    destroyed: null,
    absenceProved: null,
    certificate: null,
  })
  tenant.kids.push(key.kid)
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

function livingTenant(state: VaultState, id: string, seq: number): Tenant {
  const tenant = state.tenants.get(id)
  if (!tenant || tenant.offboarded) return broken(seq, 'a tenant does not exist, or not any more')
  return tenant
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

/** The keys of a tenant in order of `signFrom`, without those that may not sign (compromised, destroyed here or elsewhere) where `usable`. */
export function keysOf(state: VaultState, tenant: string, { usable = false } = {}): VaultKey[] {
  const kids = state.tenants.get(tenant)?.kids ?? []
  const keys = kids.flatMap((kid) => state.keys.get(kid) ?? [])
  const kept = usable ? keys.filter((key) => !key.destroyed && !key.compromised && !state.elsewhere.has(key.kid)) : keys
  return kept.sort((a, b) => a.times.signFrom - b.times.signFrom)
}
