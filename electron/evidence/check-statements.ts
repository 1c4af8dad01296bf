import { utf8 } from '../../shared/formats/bytes.ts'
import { openCheckpoint } from '../../shared/formats/checkpoint.ts'
import { openAcceptance, openEnrollment } from '../../shared/formats/enrollment.ts'
import { shortHex, thumbprint } from '../../shared/formats/fingerprint.ts'
import { parseShareFile, SHARE_FILE_MAX, shareHeader } from '../../shared/formats/share-file.ts'
import { parseStatementFile, STATEMENT_FILE_MAX } from '../../shared/formats/statement-file.ts'
import { type Anchor, openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import { renderHeadCard } from '../../shared/pages/head-card-page.ts'
import { spellTime } from '../../shared/pages/words.ts'
import { readFileGuarded } from '../files/read.ts'
import { anchorOf, type Context, type Findings, sameVault } from './findings.ts'

/** Files of one statement: trust anchor, enrollment, acceptance, head card. */

const statementOf = (path: string): string => parseStatementFile(readFileGuarded(path, STATEMENT_FILE_MAX))

/** Reads the trust anchor that everything else is checked against. Codes of reading and of `openTrustAnchor`. */
export const readAnchor = (path: string): Promise<Anchor> => openTrustAnchor(statementOf(path))

/** A trust anchor among the files: it signs itself, so it proves nothing unless it is the one given. */
export async function checkAnchor(path: string, context: Context, findings: Findings): Promise<void> {
  const found = await readAnchor(path)
  findings.fact(
    `Signed with its own key, ${shortHex(found.key.kid)}. Trust comes from comparing its fingerprint by voice.`,
  )
  if (!context.anchor) return
  if (!sameVault(findings, context.anchor, { id: found.vaultId, practice: found.practice })) return
  findings.rule(
    found.key.kid === context.anchor.key.kid,
    'This trust anchor names another root key than the one given.',
  )
  if (found.jws === context.anchor.jws) findings.fact('It is the trust anchor given.')
}

export async function checkEnrollment(path: string, context: Context, findings: Findings): Promise<void> {
  const { runtimeId, vaultId, practice, fingerprint, receiptSigner } = await openEnrollment(statementOf(path))
  findings.fact(`Consistent in itself: runtime ${runtimeId}, signed with its own receipt key.`)
  if (context.anchor && !sameVault(findings, context.anchor, { id: vaultId, practice })) return
  const accepted = context.acceptedEnrollments.has(fingerprint)
  if (accepted) {
    findings.fact('The root accepted exactly this enrollment.')
    findings.anchored = true
  } else findings.fact(`Who made it is known only by comparing its fingerprint by voice: ${shortHex(fingerprint)} …`)
  context.receiptKeys.push({ runtimeId, key: receiptSigner, accepted })
}

/** The root's acceptance of a runtime, in a file of its own or inside an evidence pack. */
export async function acceptRuntime(jws: string, anchor: Anchor, context: Context): Promise<string> {
  const accepted = await openAcceptance(jws, anchor.key, anchor.practice)
  const { runtimeId, receiptKey, enrollment } = accepted
  context.receiptKeys.push({ runtimeId, key: { kid: thumbprint(receiptKey), jwk: receiptKey }, accepted: true })
  context.acceptedEnrollments.add(enrollment)
  return runtimeId
}

export async function checkAcceptance(path: string, context: Context, findings: Findings): Promise<void> {
  const anchor = anchorOf(context, findings)
  if (!anchor) return
  const runtimeId = await acceptRuntime(statementOf(path), anchor, context)
  findings.fact(`The root accepted the runtime ${runtimeId} and its receipt key.`)
  findings.anchored = true
}

export async function checkHeadCard(path: string, context: Context, findings: Findings): Promise<void> {
  const anchor = anchorOf(context, findings)
  if (!anchor) return
  const jws = statementOf(path)
  const { name, vaultId, practice, key } = anchor
  const page = () => utf8(renderHeadCard({ name, vaultId, practice, root: key.kid }, jws))
  context.drawn.set(path.replace(/\.[^./\\]*$/, '.html'), {
    kind: 'page',
    bytes: page(),
    from: 'the head card',
    source: findings,
  })
  const checkpoint = await openCheckpoint(jws, key, practice)
  if (!sameVault(findings, anchor, { id: checkpoint.vaultId, practice })) return
  findings.fact(
    `Signed by the root: event ${checkpoint.seq}, head ${shortHex(checkpoint.head)} …, ${spellTime(checkpoint.iat)}.`,
  )
  findings.anchored = true
}

/** A custodian's share on their own medium: whose it says it is. Whether it is the right one, only opening it shows. */
export function checkShareFile(path: string, context: Context, findings: Findings): void {
  const { vaultId, person, epoch } = shareHeader(parseShareFile(readFileGuarded(path, SHARE_FILE_MAX)))
  findings.fact(`Says that it is the share of ${person} in epoch ${epoch}; only ${person} can open it.`)
  if (context.anchor && context.anchor.vaultId !== vaultId)
    findings.problem('This file is of another vault than the trust anchor.')
}
