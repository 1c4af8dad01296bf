import { gradeOf } from '../../shared/domain/ledger.ts'
import { digest, utf8 } from '../../shared/formats/bytes.ts'
import { type Certificate, openCertificate, parseCertificateFile, proofsOf } from '../../shared/formats/certificate.ts'
import { MB } from '../../shared/formats/json.ts'
import { merkleRootOf } from '../../shared/formats/merkle.ts'
import type { Anchor } from '../../shared/formats/trust-anchor.ts'
import { renderCertificate } from '../../shared/pages/certificate-page.ts'
import { counted, spellTime } from '../../shared/pages/words.ts'
import { readFileGuarded } from '../files/read.ts'
import { checkSignatures } from './check-people.ts'
import { openRosters } from './check-record.ts'
import { anchorOf, type Context, type Findings, sameVault } from './findings.ts'

/** A certificate: the root's statement, and the sign-off of everybody whom it names. */
export async function checkCertificate(path: string, context: Context, findings: Findings): Promise<void> {
  const file = parseCertificateFile(readFileGuarded(path, 16 * MB))
  await findings.attempt(() => {
    const bytes = utf8(renderCertificate(file))
    context.drawn.set(path.replace(/\.[^./\\]*$/, '.html'), {
      kind: 'page',
      bytes,
      from: 'the certificate',
      source: findings,
    })
  })
  const anchor = anchorOf(context, findings)
  if (!anchor) return
  const certificate = await openCertificateOf(file.certificate, anchor, findings)
  const proofs = proofsOf(certificate)
  if (proofs)
    context.drawn.set(path.replace(/\.[^./\\]*$/, '.proofs.json'), {
      kind: 'inclusion proofs',
      bytes: proofs,
      from: 'the certificate',
      source: findings,
    })
  const [roster] = await openRosters([file.roster], anchor)
  if (!roster) return findings.problem('The roster in this file is of another vault.')
  for (const { id, name, role } of certificate.participants)
    findings.rule(
      roster.people.some((person) => person.id === id && person.name === name && person.role === role),
      `${name} (${id}) does not stand in the roster with this name and role.`,
    )
  const named = context.certificates.get(certificate.certificate)
  findings.rule(
    named === digest(file.certificate) || (named === undefined && !context.records.has(certificate.ceremony)),
    `The record of ${certificate.ceremony} in this call does not name this certificate.`,
  )
  await checkSignatures(certificate.participants, file.signatures, digest(file.certificate), [roster], findings)
  findings.anchored = true
}

/** The statement itself, signed by the root and called what its own copies allow. Codes of `openCertificate`. */
export async function openCertificateOf(jws: string, anchor: Anchor, findings: Findings): Promise<Certificate> {
  const certificate = await openCertificate(jws, anchor.key, anchor.practice)
  const { keys, grade, ceremony, issuedAt } = certificate
  sameVault(findings, anchor, { id: certificate.vaultId, practice: anchor.practice })
  const copies = keys.flatMap((key) => key.copies)
  const open = copies.filter((copy) => copy.status === 'open').length
  findings.rule(
    gradeOf(copies) === grade,
    `${certificate.certificate} calls itself a certificate of ${grade}, but ${counted(open, 'known copy is', 'known copies are')} open.`,
  )
  const said = certificate.cryptographicErase
  findings.rule(
    !said || said.everyCopySanitised === (open === 0),
    `${certificate.certificate} says otherwise of cryptographic erase than its own list of copies.`,
  )
  findings.rule(
    certificate.merkleRoot === undefined || certificate.merkleRoot === merkleRootOf(keys.map(({ kid }) => kid)),
    `${certificate.certificate} names another digest than that of its keys.`,
  )
  findings.fact(
    `Certificate of ${grade} ${certificate.certificate} from ${ceremony}, signed by the root, ${spellTime(issuedAt)}: ${counted(keys.length, 'key')}, ${counted(open, 'open copy', 'open copies')}.`,
  )
  return certificate
}
