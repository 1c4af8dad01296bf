import { must } from '../../shared/errors.ts'
import { checkTenantLine } from '../../shared/formats/bundle-check.ts'
import { BUNDLE_CAPS, openBundle } from '../../shared/formats/bundle-file.ts'
import { digest, fromUtf8 } from '../../shared/formats/bytes.ts'
import { openCheckpoint } from '../../shared/formats/checkpoint.ts'
import { ENVELOPE_CAPS, openEnvelope } from '../../shared/formats/envelope.ts'
import { shortHex } from '../../shared/formats/fingerprint.ts'
import { peekStatement, readStatementHeader } from '../../shared/formats/jws.ts'
import { MATERIAL_CAPS, openMaterial } from '../../shared/formats/material-file.ts'
import {
  mustBegin,
  mustFollow,
  openReceipt,
  RECEIPT_MAX,
  RECEIPTS_MAX,
  type Receipt,
  receiptSchema,
} from '../../shared/formats/receipt.ts'
import { checkRevokedLine } from '../../shared/formats/revocation.ts'
import { openRevocation, REVOCATION_CAPS } from '../../shared/formats/revocation-file.ts'
import { openTenantProof, TENANT_PROOF_MAX } from '../../shared/formats/tenant-proof.ts'
import { capital, counted, spellTime } from '../../shared/pages/words.ts'
import { readFileGuarded, readLinesGuarded } from '../files/read.ts'
import { anchorOf, type Context, type Findings } from './findings.ts'

/** The files that cross the air gap as lines. Each is read once, in constant memory. */

export async function checkBundle(path: string, context: Context, findings: Findings): Promise<void> {
  const anchor = anchorOf(context, findings)
  if (!anchor) return
  const { manifest, manifestDigest, tenants } = await openBundle(readLinesGuarded(path, BUNDLE_CAPS), anchor)
  let keys = 0
  for await (const line of tenants) {
    await checkTenantLine(line, manifest.iat, anchor)
    keys += line.keys.length
  }
  await openCheckpoint(manifest.checkpoint, anchor.key, anchor.practice)
  const { number, runtimeId, environment, merkleRoot } = manifest
  findings.fact(`Bundle ${number} for ${runtimeId} (${environment}), signed by the root.`)
  findings.fact(
    `${capital(counted(manifest.tenants, 'tenant'))}, ${counted(keys, 'key')}; digest of all lines ${shortHex(merkleRoot)} …; every slot’s set is signed by the root.`,
  )
  expiry(manifest.exp, context, findings)
  context.bundles.set(manifestDigest, number)
  findings.anchored = true
}

/** One tenant's line and its place under the digest that was read aloud. */
export async function checkTenantProof(path: string, context: Context, findings: Findings): Promise<void> {
  const anchor = anchorOf(context, findings)
  if (!anchor) return
  const { manifest, line } = await openTenantProof(readFileGuarded(path, TENANT_PROOF_MAX), anchor)
  findings.fact(
    `${line.tenant} (${line.issuer}) stands in bundle ${manifest.number} for ${manifest.runtimeId}, under the digest ${shortHex(manifest.merkleRoot)} … of ${counted(manifest.tenants, 'tenant')}.`,
  )
  findings.fact(`${capital(counted(line.keys.length, 'key'))}; every slot’s set is signed by the root.`)
  expiry(manifest.exp, context, findings)
  findings.anchored = true
}

export async function checkMaterial(path: string, context: Context, findings: Findings): Promise<void> {
  const anchor = anchorOf(context, findings)
  if (!anchor) return
  const { manifest, keys } = await openMaterial(readLinesGuarded(path, MATERIAL_CAPS), anchor)
  let count = 0
  for await (const _ of keys) count += 1
  const { number, runtimeId, merkleRoot, bundle } = manifest
  findings.fact(
    `Key material ${number} for ${runtimeId}, signed by the root: ${counted(count, 'sealed key')}, digest ${shortHex(merkleRoot)} …`,
  )
  findings.fact('What is sealed cannot be read here; only the runtime’s one-time transport key opens it.')
  if (context.bundles.has(bundle)) findings.fact(`It belongs to bundle ${context.bundles.get(bundle)}.`)
  expiry(manifest.exp, context, findings)
  findings.anchored = true
}

/** What a quorum decided beforehand for one tenant; the key in it stays closed. */
export async function checkEnvelope(path: string, context: Context, findings: Findings): Promise<void> {
  const anchor = anchorOf(context, findings)
  if (!anchor) return
  const lines = Array.from(readLinesGuarded(path, ENVELOPE_CAPS), fromUtf8)
  const { number, tenant, runtimeId, withdraws, exp } = (await openEnvelope(lines, anchor)).envelope
  findings.fact(
    `Emergency envelope ${number} for ${tenant} at ${runtimeId}, signed by the root: one of ${counted(withdraws.length, 'key')} may be withdrawn, and the standby key then signs.`,
  )
  findings.fact('What is sealed cannot be read here; only the transport key that the runtime keeps for it opens it.')
  expiry(exp, context, findings)
  findings.anchored = true
}

/** The vault's word that keys never sign again at one runtime; whether its slots are those of the bundle there, that runtime sees. */
export async function checkRevocation(path: string, context: Context, findings: Findings): Promise<void> {
  const anchor = anchorOf(context, findings)
  if (!anchor) return
  const { revocation, tenants } = await openRevocation(readLinesGuarded(path, REVOCATION_CAPS), anchor)
  let keys = 0
  for await (const line of tenants) {
    await checkRevokedLine(line, revocation.iat, anchor.key)
    keys += line.revoke.length
  }
  const { order, runtimeId, environment, reason, merkleRoot, exp } = revocation
  findings.fact(`Revocation ${order} for ${runtimeId} (${environment}), signed by the root: ${reason}`)
  findings.fact(
    `${capital(counted(keys, 'key'))} of ${counted(revocation.tenants, 'tenant')} never to be used again; digest of all lines ${shortHex(merkleRoot)} …; no signed set in it holds one of them.`,
  )
  expiry(exp, context, findings)
  findings.anchored = true
}

function expiry(exp: number, { now }: Context, findings: Findings): void {
  if (exp < now) findings.fact(`It expired on ${spellTime(exp)}: genuine, but no longer to be imported.`)
}

const RECEIPT_CAPS = { maxBytes: RECEIPTS_MAX * 1024, maxLine: RECEIPT_MAX }

export async function checkReceipts(path: string, context: Context, findings: Findings): Promise<void> {
  const anchor = anchorOf(context, findings)
  if (!anchor) return
  let signer: Context['receiptKeys'][number] | null = null
  let last: { receipt: Receipt; digest: string } | null = null
  let first = 0
  for (const bytes of readLinesGuarded(path, RECEIPT_CAPS)) {
    const jws = fromUtf8(bytes)
    signer ??= receiptKey(jws, context)
    const receipt = await openReceipt(jws, signer.key, anchor.practice)
    must(receipt.runtimeId === signer.runtimeId, 'audience-wrong', `Receipt ${receipt.seq} is of another runtime.`)
    if (last) mustFollow(receipt, { seq: last.receipt.seq, digest: last.digest })
    else mustBegin(receipt)
    first ||= receipt.seq
    last = { receipt, digest: digest(jws) }
  }
  if (!signer || !last) return findings.problem('This file holds no receipt.')
  findings.fact(
    `Receipts ${first} to ${last.receipt.seq} of ${signer.runtimeId}, one unbroken chain, the last of ${spellTime(last.receipt.at)}.`,
  )
  findings.anchored = signer.accepted
  findings.fact(
    signer.accepted
      ? 'Signed with the receipt key that the root accepted.'
      : 'Consistent with the enrollment beside them; whether the root accepted that enrollment is not shown here. Give evidence.json as well.',
  )
}

/** The key that must have signed: an accepted one before one that an enrollment only claims. */
function receiptKey(jws: string, { receiptKeys }: Context): Context['receiptKeys'][number] {
  const { runtimeId } = peekStatement(jws, receiptSchema, 'receipt', RECEIPT_MAX)
  const { kid } = readStatementHeader(jws, RECEIPT_MAX)
  const known = receiptKeys.filter((one) => one.runtimeId === runtimeId)
  const key =
    known.find((one) => one.accepted && one.key.kid === kid) ??
    known.find((one) => one.accepted) ??
    known.find((one) => one.key.kid === kid)
  must(
    key,
    'signature-invalid',
    `The receipt key of ${runtimeId} is not known here. Give evidence.json or its enrollment in the same call.`,
  )
  return key
}
