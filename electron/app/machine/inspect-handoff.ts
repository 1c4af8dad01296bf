import type { Runtime } from '../../../shared/domain/state.ts'
import { must } from '../../../shared/errors.ts'
import { manifestSchema } from '../../../shared/formats/bundle.ts'
import { BUNDLE_CAPS } from '../../../shared/formats/bundle-file.ts'
import { digest, fromUtf8 } from '../../../shared/formats/bytes.ts'
import { openAcceptance, openEnrollment } from '../../../shared/formats/enrollment.ts'
import { ENVELOPE_CAPS, envelopeSchema } from '../../../shared/formats/envelope.ts'
import { peekStatement, type StatementKey } from '../../../shared/formats/jws.ts'
import { materialManifestSchema } from '../../../shared/formats/material.ts'
import { MATERIAL_CAPS } from '../../../shared/formats/material-file.ts'
import { RECEIPT_MAX, RECEIPTS_MAX, receiptSchema } from '../../../shared/formats/receipt.ts'
import { REVOCATION_STATEMENT_MAX, revocationSchema } from '../../../shared/formats/revocation.ts'
import { REVOCATION_CAPS } from '../../../shared/formats/revocation-file.ts'
import { spellTime } from '../../../shared/pages/words.ts'
import { digestLines } from '../../files/lines.ts'
import { readLinesGuarded } from '../../files/read.ts'
import { readBundle } from '../../handoff/bundle.ts'
import { readEnvelope } from '../../handoff/envelope.ts'
import { readMaterial } from '../../handoff/material.ts'
import { readReceipts } from '../../handoff/receipts.ts'
import { readRevocation } from '../../handoff/revocation.ts'
import { readStatement } from '../../handoff/statements.ts'
import { type Against, at, byRoot, expires, fact, mode, NOBODY_CHECKED, type Told, WHOLE_FILE } from './told.ts'

/** Files of lines that cross the air gap. Each is read in constant memory, and nothing that is sealed is opened. */

const SEALED = 'Only the runtime’s one-time transport key opens them'

export async function inspectBundle(path: string, against: Against, now: number): Promise<Told> {
  const tenants: string[] = []
  let keys = 0
  const count = (line: { tenant: string; keys: readonly unknown[] }) => {
    tenants.push(line.tenant)
    keys += line.keys.length
  }
  const read = against && (await readBundle(path, against.anchor, count))
  const manifest = read?.manifest ?? peekStatement(firstOf(path, BUNDLE_CAPS), manifestSchema, 'bundle manifest')
  const said = [
    fact('Bundle', `${manifest.number} for the runtime ${manifest.runtimeId} (${manifest.environment})`),
    fact('Tenants', read ? `${manifest.tenants}: ${few(tenants)}` : manifest.tenants),
    ...(read ? [fact('Published keys', keys), fact('Tenants taken off', read.removed.length)] : []),
    at('Made', manifest.iat),
    expires(manifest.exp, now),
  ]
  return {
    signer: against ? byRoot(against.anchor) : NOBODY_CHECKED,
    verified: read !== null,
    digest: manifest.merkleRoot,
    covers: 'every tenant of this bundle, with all keys and times',
    runtime: manifest.runtimeId,
    facts: said,
  }
}

const SHOWN = 5
const few = (names: readonly string[]): string =>
  names.length > SHOWN ? `${names.slice(0, SHOWN).join(', ')} and ${names.length - SHOWN} more` : names.join(', ')

export async function inspectMaterial(path: string, against: Against, now: number): Promise<Told> {
  const read = against && (await readMaterial(path, against.anchor))
  const manifest = read?.manifest ?? peekStatement(firstOf(path, MATERIAL_CAPS), materialManifestSchema, 'key material')
  return {
    signer: against ? byRoot(against.anchor) : NOBODY_CHECKED,
    verified: read !== null,
    digest: manifest.merkleRoot,
    covers: 'every sealed key of this file',
    runtime: manifest.runtimeId,
    facts: [
      fact('Key material', `${manifest.number} for the runtime ${manifest.runtimeId} (${manifest.environment})`),
      fact('Sealed private keys', `${manifest.keys}. ${SEALED}.`),
      at('Made', manifest.iat),
      expires(manifest.exp, now),
    ],
  }
}

export async function inspectEnvelope(path: string, against: Against, now: number): Promise<Told> {
  const envelope = against
    ? (await readEnvelope(path, against.anchor)).envelope
    : peekStatement(firstOf(path, ENVELOPE_CAPS), envelopeSchema, 'emergency envelope')
  return {
    signer: against ? byRoot(against.anchor) : NOBODY_CHECKED,
    verified: against !== null,
    digest: digestLines(path),
    covers: WHOLE_FILE,
    runtime: envelope.runtimeId,
    facts: [
      fact('Emergency envelope', `${envelope.number} for ${envelope.tenant} at the runtime ${envelope.runtimeId}`),
      fact('Holds', 'one sealed standby key; only the transport key that the runtime keeps for it opens it'),
      fact('Keys it may withdraw', envelope.withdraws.length),
      at('Made', envelope.iat),
      expires(envelope.exp, now),
    ],
  }
}

export async function inspectRevocation(path: string, against: Against, now: number): Promise<Told> {
  const read = against && (await readRevocation(path, against.anchor))
  const first = () => firstOf(path, REVOCATION_CAPS)
  const said = read?.revocation ?? peekStatement(first(), revocationSchema, 'revocation', REVOCATION_STATEMENT_MAX)
  return {
    signer: against ? byRoot(against.anchor) : NOBODY_CHECKED,
    verified: read !== null,
    digest: said.merkleRoot,
    covers: 'every tenant of this revocation, with the keys that are never used again',
    runtime: said.runtimeId,
    facts: [
      fact('Revocation', `${said.order} for the runtime ${said.runtimeId} (${said.environment})`),
      fact('Why', said.reason),
      fact('Tenants', said.tenants),
      ...(read ? [fact('Keys never to be used again', read.keys)] : []),
      at('Made', said.iat),
      expires(said.exp, now),
    ],
  }
}

const RECEIPT_CAPS = { maxBytes: RECEIPTS_MAX * 1024, maxLine: RECEIPT_MAX }

/**
 * Receipts are checked as an intake will check them: with the receipt key that the root accepted, and as a continuation of
 * what the vault has. Codes of `readReceipts`.
 */
export async function inspectReceipts(path: string, against: Against): Promise<Told> {
  const { runtimeId } = peekStatement(firstOf(path, RECEIPT_CAPS), receiptSchema, 'receipt', RECEIPT_MAX)
  const runtime = against?.state.runtimes.get(runtimeId)
  if (!against || !runtime) return receiptsOfNobody(path, runtimeId, against !== null)
  const { upTo, head } = runtime.receipts
  const signer = await receiptKey(runtime, against)
  const after = head === null ? null : { seq: upTo, digest: head }
  const read = await readReceipts(path, { signer, runtimeId, after, practice: against.anchor.practice })
  const [first, last] = [read.receipts[0], read.receipts.at(-1)]
  const fresh =
    first && last ? `${read.receipts.length}: numbers ${first.seq} to ${last.seq}` : 'none: the vault has them all'
  const imported = read.receipts.flatMap(({ stated }) => (stated.type === 'imported' ? [stated.number] : []))
  const erased = read.receipts.filter(({ stated }) => stated.type === 'erased').length
  return {
    signer: `Signed by the runtime ${runtimeId}, with the receipt key that the root accepted.`,
    verified: true,
    digest: read.fileDigest,
    covers: WHOLE_FILE,
    runtime: runtimeId,
    facts: [
      fact('Runtime', runtimeId),
      fact('Receipts new to the vault', fresh),
      fact('Receipts the vault has', upTo),
      ...(last ? [fact('Newest receipt', spellTime(last.at))] : []),
      ...(imported.length > 0 ? [fact('Says it imported', `bundle ${imported.join(', ')}`)] : []),
      ...(erased > 0 ? [fact('Says it erased', erased === 1 ? 'one private key' : `${erased} private keys`)] : []),
    ],
  }
}

/** The receipt key stands in the enrollment, and the root signed that it accepts this very enrollment. */
async function receiptKey(runtime: Runtime, { anchor }: NonNullable<Against>): Promise<StatementKey> {
  const { enrollment } = await openAcceptance(runtime.acceptance, anchor.key, anchor.practice)
  const same = enrollment === digest(runtime.enrollment)
  must(
    same,
    'vault-history-broken',
    `The root did not accept the enrollment that the vault holds for ${runtime.runtimeId}.`,
  )
  return (await openEnrollment(runtime.enrollment)).receiptSigner
}

function receiptsOfNobody(path: string, runtimeId: string, open: boolean): Told {
  let count = 0
  for (const _ of readLinesGuarded(path, RECEIPT_CAPS)) count += 1
  return {
    signer: open
      ? `The open vault knows no runtime ${runtimeId}, so nobody has checked who signed this.`
      : NOBODY_CHECKED,
    verified: false,
    digest: digestLines(path),
    covers: WHOLE_FILE,
    runtime: runtimeId,
    facts: [fact('Runtime it names', runtimeId), fact('Receipts', count)],
  }
}

export async function inspectEnrollment(path: string, against: Against): Promise<Told> {
  const jws = readStatement(path)
  const { runtimeId, environment, practice, vaultId, iat, fingerprint } = await openEnrollment(jws)
  const accepted = against?.state.runtimes.get(runtimeId)?.enrollment === jws
  const here = !against
    ? 'a vault; none is open to compare'
    : vaultId === against.anchor.vaultId
      ? against.anchor.name
      : 'another vault'
  return {
    signer: accepted
      ? `The root of ${against?.anchor.name} accepted exactly this enrollment.`
      : `Signed with the receipt key that it brings along. Who made it is known only once its fingerprint was compared by voice with whoever runs ${runtimeId}.`,
    verified: accepted,
    digest: fingerprint,
    covers: 'this enrollment, as the runtime shows it',
    runtime: runtimeId,
    facts: [
      fact('Runtime', `${runtimeId} (${environment})`),
      fact('Asks to be known to', here),
      mode(practice),
      at('Made', iat),
    ],
  }
}

function firstOf(path: string, caps: { maxBytes: number; maxLine: number }): string {
  for (const line of readLinesGuarded(path, caps)) return fromUtf8(line)
  must(false, 'format-invalid', `Reading ${path}: it is empty.`)
}
