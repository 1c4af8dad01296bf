import { describeSpec } from '../domain/algorithms.ts'
import type { CopyStatus } from '../domain/ledger.ts'
import { digest } from '../formats/bytes.ts'
import { type Certificate, type CertificateFile, certificateSchema } from '../formats/certificate.ts'
import { MB } from '../formats/json.ts'
import { peekStatement, readStatementHeader, statementTyp } from '../formats/jws.ts'
import type { Roster } from '../formats/roster.ts'
import { type Html, html, type Part, renderPage, said } from './page.ts'
import { FOOT, factTable, fingerprint, MEANING, objections, peekRoster, signatureBlocks } from './parts.ts'
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
${objections(certificate.participants, file.signatures, 'this certificate')}
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
      ? 'The private key named below was erased from the vault’s file'
      : `The ${numberWord(keys.length)} private keys named below were erased from the vault’s file`
  const open = openOf(certificate)
  const rest =
    grade === 'destruction'
      ? 'No known copy is open. What nobody can prove stands below.'
      : `${capital(counted(open, 'known copy', 'known copies'))} ${open === 1 ? 'is' : 'are'} still open. This is therefore not a certificate of destruction.`
  return `${what} on ${spellDate(last)} at ${spellClock(last)}, by ${numberWord(custodians)} of ${numberWord(holders)} custodians, in the presence of ${counted(witnesses, 'compliance officer')}. ${rest}`
}

const issuerRows = (key: Key): [string, Part][] => [
  ['Tenant', said(key.tenantName)],
  ['Issuer', key.issuer],
  ['Key', html`${key.label}, ${describeSpec(key.spec)}`],
  ['Key id', html`<span class="mono">${key.kid}</span>`],
  ['Time to sign', timeToSign(key)],
]

/** By its schedule: whether and how long it really signed is what receipts state. */
const timeToSign = (key: Key): string =>
  `${spellDate(key.signFrom)} to ${spellDate(key.signUntil)}${key.compromised ? ', by its schedule; named compromised before it ended' : ', by its schedule'}`

const actRows = ({ reason, method, vaultName, vaultId, cryptographicErase }: Certificate): [string, Part][] => [
  ['Reason', reason],
  ['Method', method.map((one, index) => html`${index > 0 ? html`<br>` : null}${one}`)],
  ...eraseRow(cryptographicErase),
  ['Vault', html`${said(vaultName)} <span class="mono aside">${vaultId}</span>`],
]

/** NIST SP 800-88 Rev. 2: said in so many words, because a certificate of deletion is easily read as one of this. */
function eraseRow(erase: Certificate['cryptographicErase']): [string, Part][] {
  if (!erase) return []
  const { holds, why } = erase
  const said = holds
    ? 'The conditions of cryptographic erase (NIST SP 800-88 Rev. 2) hold, as far as the copies below are known.'
    : 'This is not cryptographic erase as NIST SP 800-88 Rev. 2 means it.'
  return [['Cryptographic erase', html`${said}${why.map((one) => html`<br>${one}`)}`]]
}

const single = (
  certificate: Certificate,
  key: Key,
): Html => html`${factTable([...issuerRows(key), ...actRows(certificate)])}
<h2>Known copies</h2>
${copies(key.copies)}`

const batch = (certificate: Certificate): Html => html`${factTable([
  ['Keys', numberWord(certificate.keys.length)],
  ...(certificate.merkleRoot === undefined
    ? []
    : [
        ['Typed to confirm', `DESTROY ${certificate.keys.length} ${certificate.merkleRoot.slice(0, 8)}`] as [
          string,
          Part,
        ],
      ]),
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
${rows.map(({ what, holder, evidence, status }, index) => html`<tr><td class="n">${index + 1}</td><td>${what}</td><td class="holder">${holder}</td><td>${evidence}</td><td class="t">${STATE_WORDS[status]}</td></tr>\n`)}</tbody></table></div>
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
