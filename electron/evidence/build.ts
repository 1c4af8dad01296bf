import { NOT_ATTESTED } from '../../shared/domain/imported.ts'
import { keyState } from '../../shared/domain/key.ts'
import { copiesOf } from '../../shared/domain/ledger.ts'
import { keysOf, type VaultState } from '../../shared/domain/state.ts'
import { must } from '../../shared/errors.ts'
import { type EvidenceBody, evidenceDigest } from '../../shared/formats/evidence.ts'
import type { StatementSigner } from '../../shared/formats/jws.ts'
import { collectSignOffs } from '../../shared/formats/sign-off.ts'

/** What first evidence does not hold yet, named so that nobody takes its absence for a good answer. */
const NOT_COLLECTED = [
  { what: 'Token issuance log', why: 'The runtime keeps it: "issuer issuance export" writes it for each tenant.' },
  {
    what: 'Which relying parties have fetched an announced key',
    why: 'The runtime records it: "issuer status" shows it.',
  },
  {
    what: 'Copies of the vault that no backup ceremony made',
    why: 'Nobody can list them; a destruction tries those that are brought to it.',
  },
  {
    what: 'A comparison with the head card',
    why: 'A pack is built from the vault alone. Whether a head card was shown stands in each record; without one, an older copy of the whole vault would not be noticed.',
  },
  { what: 'A mapping to control frameworks', why: 'The app draws it from the vault; nobody signs it with this pack.' },
]

/** The evidence pack of a vault: follows from its state alone, with the isolation matrix where one was run. */
export function evidenceOf(state: VaultState, builtAt: number, isolation: EvidenceBody['isolation']): EvidenceBody {
  must(state.checkpoint, 'ceremony-conflict', 'The vault has no checkpoint yet.')
  const { vaultId: id, name, practice } = state
  const missing = isolation ? [] : [{ what: 'Isolation matrix', why: 'It was not run for this pack.' }]
  return {
    version: 1,
    vault: { id, name, practice },
    builtAt,
    anchor: state.anchor,
    roster: state.roster,
    checkpoint: state.checkpoint.statement,
    tenants: [...state.tenants.values()].map(({ tenant, name, issuer, policy }) => ({
      tenant,
      name,
      issuer,
      policy,
      keys: keysOf(state, tenant).map((key) => ({
        kid: key.kid,
        label: key.label,
        spec: key.spec,
        state: keyState(key.times, builtAt, {
          compromised: key.compromised !== null,
          destroyed: key.destroyed !== null,
        }),
        times: key.times,
        bornAt: key.bornAt,
        bornIn: key.bornIn,
        generator: key.generator
          ? `Node ${key.generator.node}, OpenSSL ${key.generator.openssl}, ${key.generator.process} process`
          : NOT_ATTESTED,
        compromised: key.compromised,
        destroyed: key.destroyed,
        certificate: key.certificate,
        copies: copiesOf(state, key),
      })),
    })),
    ceremonies: [...state.ceremonies.values()].map(({ id: ceremony, kind, startedAt, ended, attendance }) => ({
      ceremony,
      kind,
      startedAt,
      endedAt: ended?.at ?? null,
      outcome: ended?.how ?? 'open',
      record: ended?.record ?? null,
      present: [...new Set(attendance.flatMap(({ present }) => present))],
    })),
    runtimes: [...state.runtimes.values()].map(({ runtimeId, environment, acceptance, handoffs, receipts }) => ({
      runtimeId,
      environment,
      acceptance,
      handoffs: handoffs.map(({ number, at, exported, keys }) => ({
        number,
        at,
        manifest: exported?.manifest ?? null,
        keys: keys.length,
      })),
      receipts: { upTo: receipts.upTo, head: receipts.head },
    })),
    isolation,
    certificates: state.certificates.map((certificate) => certificate.statement),
    notCollected: [...missing, ...NOT_COLLECTED],
  }
}

/** Everyone present signs the pack's digest with their own key; the roster in it names those keys. */
export async function signEvidence(
  body: EvidenceBody,
  people: Iterable<{ id: string; signer: StatementSigner }>,
): Promise<Record<string, string>> {
  const { builtAt, vault } = body
  const ask = async () => ({ agrees: true as const })
  return collectSignOffs(evidenceDigest(body), people, { practice: vault.practice, now: () => builtAt, ask })
}
