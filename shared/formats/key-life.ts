import type { KeySpec } from '../domain/algorithms.ts'
import type { StatedByRuntime } from '../domain/events.ts'
import { holdingsOf, isIn, type RuntimeBackup } from '../domain/holdings.ts'
import { type KeyState, type KeyTimes, keyState } from '../domain/key.ts'
import { knownKey, knownTenant } from '../domain/known.ts'
import { type Copy, copiesOf } from '../domain/ledger.ts'
import type { Runtime, VaultKey, VaultState } from '../domain/state.ts'
import { utf8 } from './bytes.ts'
import { certificateSchema } from './certificate.ts'
import { MB } from './json.ts'
import { peekStatement, readStatementHeader } from './jws.ts'
import { type InclusionProof, inclusionProof, inclusionProofs, merkleRootOf } from './merkle.ts'

/** One key's life as the vault knows it: birth, what left, what runtimes said, its end, and every copy. */

/** Something that happened, with where it is written. */
export type Moment = { at: number; what: string; evidence: string }

export type KeyLife = {
  vault: { name: string; practice: boolean }
  kid: string
  label: string
  spec: KeySpec
  tenant: string
  tenantName: string
  issuer: string
  state: KeyState
  times: KeyTimes
  hold: string | null
  moments: Moment[]
  copies: Copy[]
  /** Its place under the digest of all keys that were made with it, which its ceremony read aloud; null for an imported key. */
  birth: { ceremony: string; merkleRoot: string; proof: InclusionProof } | null
  certificate: {
    id: string
    grade: 'deletion' | 'destruction'
    merkleRoot: string | null
    proof: InclusionProof | null
  } | null
}

/** Codes `key-unknown`. */
export function lifeOf(state: VaultState, kid: string, now: number): KeyLife {
  const key = knownKey(state, kid)
  const { label, spec, tenant, times, compromised, destroyed } = key
  const { name: tenantName, issuer } = knownTenant(state, tenant)
  const moments = [
    ...birthOf(state, key),
    ...departures(state, key),
    ...[...state.runtimes.values()].flatMap((runtime) => told(state, runtime, key)),
    ...copiesMade(state, key),
    ...ending(state, key),
  ]
  return {
    vault: { name: state.name, practice: state.practice },
    kid,
    label,
    spec,
    tenant,
    tenantName,
    issuer,
    state: keyState(times, now, { compromised: compromised !== null, destroyed: destroyed !== null }),
    times,
    hold: [...state.holds.values()].find((one) => one.kids.includes(kid))?.hold ?? null,
    moments: moments.sort((a, b) => a.at - b.at),
    copies: copiesOf(state, key),
    birth: bornUnder(state, key),
    certificate: certificateOf(state, key),
  }
}

/** Who approved that it was made, by the signatures in the ceremony of its birth. */
function approvers(state: VaultState, ceremony: string | null, step: string): string[] {
  const approvals = state.ceremonies.get(ceremony ?? '')?.approvals.filter((one) => one.step === step) ?? []
  return [...new Set(approvals.flatMap((one) => one.approvals.map((jws) => readStatementHeader(jws, MB).kid ?? '')))]
}

function birthOf(state: VaultState, { bornAt: at, bornIn, generator, imported, replaces }: VaultKey): Moment[] {
  const step = imported ? 'take-keys' : 'make-keys'
  const by = approvers(state, bornIn, step)
  const observed = state.ceremonies.get(bornIn ?? '')?.done.find((one) => one.step === step)?.observed
  const where = bornIn ? ` in ${bornIn}` : ''
  const made = generator
    ? `Made${where} by Node ${generator.node}, OpenSSL ${generator.openssl}, in a ${generator.process} process; linted before it was sealed`
    : `Imported${where} from ${imported?.file}: independence not attested; linted before it was sealed`
  const instead = replaces ? `; it replaces ${replaces}` : ''
  const approved = by.length > 0 ? `Approved by ${named(by)}. ` : ''
  return [{ at, what: `${made}${instead}`, evidence: `${approved}${observed ?? ''}`.trim() || 'Its event in the log' }]
}

const named = (people: readonly string[]): string =>
  people.length < 2 ? people.join('') : `${people.slice(0, -1).join(', ')} and ${people.at(-1)}`

const departures = (state: VaultState, { kid }: VaultKey): Moment[] => [
  ...[...state.runtimes.values()].flatMap(({ runtimeId, handoffs }) =>
    handoffs.flatMap(({ number, at, keys, exported }) =>
      keys.includes(kid)
        ? [
            {
              at: exported?.at ?? at,
              what: exported
                ? `Left for ${runtimeId} in handoff ${number}`
                : `Handoff ${number} to ${runtimeId} was begun`,
              evidence: exported ? Object.keys(exported.files).join(', ') : 'Only its intent is recorded',
            },
          ]
        : [],
    ),
  ),
  ...state.exports.flatMap(({ number, at, kids, holder, file, ceremony }) =>
    kids.includes(kid)
      ? [
          {
            at,
            what: `Exported to ${holder}, export ${number}`,
            evidence: `${ceremony ?? ''} ${file?.name ?? 'interrupted'}`.trim(),
          },
        ]
      : [],
  ),
]

function told(state: VaultState, runtime: Runtime, { kid }: VaultKey): Moment[] {
  const { runtimeId, receipts, revocations } = runtime
  const { keys, backups } = holdingsOf(state, runtime)
  const spans = keys.get(kid)
  const inBackup = (is: (one: RuntimeBackup) => boolean) => backups.some((one) => is(one) && isIn(spans, one))
  /** Statements that name no key are about those that the runtime held, or that the revocation names. */
  const concerns = ({ seq, stated }: StatedByRuntime): boolean => {
    if (stated.type === 'revoked') return revocations.some((one) => one.id === stated['id'] && one.keys.includes(kid))
    if (stated.type === 'backup-made') return inBackup((one) => one.seq === seq)
    if (stated.type === 'restored') return spans?.some(({ from }) => from === seq) ?? false
    if (stated.type === 'storage-key-rotated')
      return inBackup((one) => one.storageKey === stated['from'] && one.seq < seq)
    return stated['kid'] === kid
  }
  return receipts.statements.filter(concerns).map(({ seq, at, stated }) => ({
    at,
    what: `${runtimeId}: ${saying(stated)}`,
    evidence: `Receipt ${seq}, as the runtime stated`,
  }))
}

function saying(stated: StatedByRuntime['stated']): string {
  if (stated.type === 'phase') return String(stated.phase)
  if (stated.type === 'erased') return `private half erased (${stated.reason})`
  if (stated.type === 'revoked') return `never signs again and is not published, by revocation ${stated['order']}`
  if (stated.type === 'backup-made') return `copied with a backup of the runtime`
  if (stated.type === 'restored') return `came back with a backup of the runtime`
  if (stated.type === 'storage-key-rotated') return `the storage key of backups that hold it was rotated`
  return stated.type
}

const copiesMade = (state: VaultState, { kid }: VaultKey): Moment[] => [
  ...[...state.backups.values()]
    .filter(({ kids }) => kids.has(kid))
    .map(({ number, at, holder, place, ceremony }) => ({
      at,
      what: `Copied with backup ${number}, held by ${holder} (${place})`,
      evidence: ceremony ?? 'The restore from it',
    })),
  ...state.restores
    .filter(({ kids }) => kids.has(kid))
    .map(({ at, backup, ceremony }) => ({ at, what: `Came back with backup ${backup}`, evidence: ceremony ?? '' })),
  ...state.attestations
    .filter((one) => one.kids.includes(kid))
    .map(({ at, copy, by, statement, ceremony }) => ({
      at,
      what: `${by} attested ${copy}`,
      evidence: `${ceremony ?? ''}: ${statement}`,
    })),
]

function ending(state: VaultState, key: VaultKey): Moment[] {
  const { kid, compromised, destroyed, absenceProved } = key
  const elsewhere = state.elsewhere.get(kid)
  const tried = state.trials.filter((one) => one.ceremony !== null && state.chosen.get(one.ceremony)?.includes(kid))
  const issued = state.certificates.find((one) => one.id === key.certificate?.id)
  return [
    ...(compromised ? [{ at: compromised.at, what: 'Named compromised', evidence: compromised.reason }] : []),
    ...(elsewhere
      ? [
          {
            at: elsewhere.at,
            what: 'Destroyed in the vault that was lost',
            evidence: `Certificate ${elsewhere.certificate}`,
          },
        ]
      : []),
    ...(destroyed ? [{ at: destroyed.at, what: 'Erased from the vault', evidence: destroyed.reason }] : []),
    ...(absenceProved
      ? [
          {
            at: absenceProved.at,
            what: 'Its absence proved',
            evidence: `Every row and decrypted page, ${absenceProved.ceremony}`,
          },
        ]
      : []),
    ...tried.map(({ at, folder, opened, why, ceremony }) => ({
      at,
      what: `A quorum tried to open it from ${folder}: ${opened.includes(kid) ? 'it opened' : 'it did not open'}`,
      evidence: `${ceremony}: ${why}`,
    })),
    ...(issued && key.certificate
      ? [
          {
            at: issued.at,
            what: `Certificate of ${key.certificate.grade} ${issued.id}`,
            evidence: 'Signed by the root and everybody present',
          },
        ]
      : []),
  ]
}

function bornUnder(state: VaultState, { kid, bornIn, generator }: VaultKey): KeyLife['birth'] {
  if (!generator || !bornIn) return null
  const kids = [...state.keys.values()].flatMap((key) => (key.bornIn === bornIn && key.generator ? [key.kid] : []))
  const proof = inclusionProof(kids.map(utf8), kids.indexOf(kid))
  return { ceremony: bornIn, merkleRoot: merkleRootOf(kids), proof }
}

/** Of a batch: the key's place under the digest that was typed, so that it can be shown without the others. */
function certificateOf(state: VaultState, { kid, certificate }: VaultKey): KeyLife['certificate'] {
  const issued = state.certificates.find((one) => one.id === certificate?.id)
  if (!certificate || !issued) return null
  const { keys, merkleRoot } = peekStatement(issued.statement, certificateSchema, 'certificate', 8 * MB)
  const index = keys.findIndex((one) => one.kid === kid)
  const proof = merkleRoot === undefined ? null : (inclusionProofs(keys.map((one) => utf8(one.kid)))[index] ?? null)
  return { ...certificate, merkleRoot: merkleRoot ?? null, proof }
}
