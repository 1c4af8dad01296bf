import { describeSpec } from '../domain/algorithms.ts'
import type { CopyStatus } from '../domain/ledger.ts'
import { digest } from '../formats/bytes.ts'
import { type Certificate, type CertificateFile, certificateSchema } from '../formats/certificate.ts'
import { MB } from '../formats/json.ts'
import { peekStatement, readStatementHeader, statementTyp } from '../formats/jws.ts'
import type { Roster } from '../formats/roster.ts'
import { type Html, html, type Part, renderPage, said } from './page.ts'
import { FOOT, factTable, fingerprint, MEANING, peekRoster, signatureBlocks } from './parts.ts'
import { capital, counted, numberWord, spellClock, spellDate } from './words.ts'

type Key = Certificate['keys'][number]
type Copy = Key['copies'][number]

/** The page of a certificate: drawn from the certificate file alone, so that the same file gives the same bytes everywhere. */
export function renderCertificate(file: CertificateFile): string {
  const certificate = peekStatement(file.certificate, certificateSchema, 'certificate', 8 * MB)
  const practice = readStatementHeader(file.certificate, 8 * MB).typ === statementTyp('certificate', true)
  const roster = peekRoster(file.roster)
  const [only] = certificate.keys.length === 1 ? certificate.keys : []
  const title = `Certificate of ${certificate.grade}`
  const body = html`
<h1>${title}</h1>
<p class="lead">${lead(certificate, roster)}</p>
${only ? single(certificate, only) : batch(certificate)}
${columns(certificate)}
${signatureBlocks(certificate.participants, file.signatures, [roster])}
${MEANING}
${fingerprint('Certificate digest', 'what everybody signed', digest(file.certificate))}
${FOOT}`
  return renderPage({ title: `${title}, ${certificate.certificate}`, number: certificate.certificate, practice, body })
}

const openOf = (certificate: Certificate): number =>
  certificate.keys.flatMap((key) => key.copies).filter((copy) => copy.status === 'open').length

function lead(certificate: Certificate, roster: Roster): Part {
  const { keys, participants, grade } = certificate
  const holders = roster.people.filter((person) => person.role === 'custodian').length
  const custodians = participants.filter((person) => person.role === 'custodian').length
  const witnesses = participants.filter((person) => person.role === 'compliance').length
  const last = Math.max(...keys.map((key) => key.destroyedAt))
  const what =
    keys.length === 1
      ? 'The vault’s copy of the private key named below was destroyed'
      : `The vault’s copies of the ${numberWord(keys.length)} private keys named below were destroyed`
  const open = openOf(certificate)
  const rest =
    grade === 'destruction'
      ? 'No known copy is open.'
      : `${capital(counted(open, 'known copy', 'known copies'))} ${open === 1 ? 'is' : 'are'} still open. This is therefore not a certificate of destruction.`
  return `${what} on ${spellDate(last)} at ${spellClock(last)}, by ${numberWord(custodians)} of ${numberWord(holders)} custodians, in the presence of ${counted(witnesses, 'compliance officer')}. ${rest}`
}

const issuerRows = (key: Key): [string, Part][] => [
  ['Tenant', said(key.tenantName)],
  ['Issuer', key.issuer],
  ['Key', html`${key.label}, ${describeSpec(key.spec)}`],
  ['Key id', html`<span class="mono">${key.kid}</span>`],
  ['Signed tokens', signedTokens(key)],
]

const signedTokens = (key: Key): string =>
  `${spellDate(key.signFrom)} to ${spellDate(key.signUntil)}${key.compromised ? '; named compromised' : ''}`

const actRows = ({ reason, method, vaultName, vaultId }: Certificate): [string, Part][] => [
  ['Reason', reason],
  ['Method', method.map((one, index) => html`${index > 0 ? html`<br>` : null}${one}`)],
  ['Vault', html`${said(vaultName)} <span class="mono aside">${vaultId}</span>`],
]

const single = (
  certificate: Certificate,
  key: Key,
): Html => html`${factTable([...issuerRows(key), ...actRows(certificate)])}
<h2>Known copies</h2>
${copies(key.copies)}`

const batch = (certificate: Certificate): Html => html`${factTable([
  ['Keys', numberWord(certificate.keys.length)],
  ...actRows(certificate),
])}
${certificate.keys.map(
  (key, index) => html`<h2>${index + 1}. ${key.label} <span class="aside">${said(key.tenantName)}</span></h2>
${factTable(issuerRows(key))}
<h3>Known copies</h3>
${copies(key.copies)}`,
)}`

const STATE_WORDS: Record<CopyStatus, Html> = {
  open: html`<span class="open">Open</span>`,
  verified: html`Closed: verified`,
  stated: html`Closed: stated`,
  attested: html`Closed: attested`,
}

/** The ledger rows of one key, "Open" in bold. */
export const copies = (
  rows: readonly Copy[],
): Html => html`<div class="scroll"><table><thead><tr><th class="n" scope="col"></th><th scope="col">Copy</th><th scope="col">Holder</th><th scope="col">Evidence</th><th scope="col">State</th></tr></thead><tbody>
${rows.map(({ what, holder, evidence, status }, index) => html`<tr><td class="n">${index + 1}</td><td>${what}</td><td>${holder}</td><td>${evidence}</td><td class="t">${STATE_WORDS[status]}</td></tr>\n`)}</tbody></table></div>
`

function columns({ verified, stated, notProvable }: Certificate): Html {
  const column = (title: string, items: readonly string[]) => html`<div><h3>${title}</h3><ul>${
    items.length === 0 ? html`<li>Nothing.</li>` : items.map((item) => html`<li>${item}</li>`)
  }</ul></div>
`
  return html`<section class="three">
${column('Verified by Keyrite', verified)}${column('Stated by others', stated)}${column('Not provable', notProvable)}</section>
`
}
