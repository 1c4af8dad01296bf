import { describeSpec } from '../domain/algorithms.ts'
import { spellDuration } from '../domain/policy.ts'
import { type Certificate, certificateSchema } from '../formats/certificate.ts'
import { checkpointSchema } from '../formats/checkpoint.ts'
import { type Evidence, type EvidenceBody, evidenceDigest } from '../formats/evidence.ts'
import { shortHex } from '../formats/fingerprint.ts'
import { MB } from '../formats/json.ts'
import { peekStatement, readStatementHeader } from '../formats/jws.ts'
import type { Roster } from '../formats/roster.ts'
import { answer, type Finding, isolated } from './evidence-answer.ts'
import { drawMatrix } from './matrix-svg.ts'
import { type Html, html, mark, type Part, renderPage, said } from './page.ts'
import { FOOT, factTable, fingerprint, hexPair, MEANING, peekRoster, signatureBlocks, timeCell } from './parts.ts'
import { KIND_WORDS } from './record-page.ts'
import { drawSchedule, SCHEDULE_LEGEND } from './schedule-svg.ts'
import { capital, counted, listed, numberWord, spellDate, spellTime } from './words.ts'

type Tenant = EvidenceBody['tenants'][number]
type Key = Tenant['keys'][number]

/** The auditors' page: drawn from evidence.json alone, so that the same pack gives the same bytes everywhere. */
export function renderEvidence({ evidence, signatures }: Evidence): string {
  const roster = peekRoster(evidence.roster)
  const { headline, findings } = answer(evidence)
  const signers = roster.people.filter((person) => person.id in signatures)
  const body = html`
<h1>${headline}</h1>
<p class="lead">What the vault ${said(evidence.vault.name)} can show on ${spellTime(evidence.builtAt)}, from signed statements. What it cannot show is named at the end.</p>
${attention(findings)}
${facts(evidence, roster)}
${isolation(evidence)}
${tenants(evidence)}
${ceremonies(evidence, roster)}
${runtimes(evidence)}
${certificates(evidence)}
${notCollected(evidence)}
${signers.length === 0 ? html`<h2>Signed</h2><p class="open">Nobody has signed this pack.</p>` : signatureBlocks(signers, signatures, [roster])}
${MEANING}
${fingerprint('Evidence digest', 'what they signed', evidenceDigest(evidence))}
${FOOT}`
  const number = `Evidence ${spellDate(evidence.builtAt)}`
  return renderPage({ title: `Evidence, ${evidence.vault.name}`, number, practice: evidence.vault.practice, body })
}

const attention = (findings: readonly Finding[]): Part =>
  findings.length === 0
    ? null
    : html`<ul class="attention">
${findings.map(({ grave, title, text }) => html`<li><b class="${grave ? 'danger' : 'warn'}">${mark(grave ? 'danger' : 'open')}${title}.</b> ${text}</li>\n`)}</ul>
`

function facts({ vault, anchor, checkpoint }: EvidenceBody, roster: Roster): Html {
  const { seq, head, iat } = peekStatement(checkpoint, checkpointSchema, 'checkpoint')
  const custodians = roster.people.filter((person) => person.role === 'custodian').length
  return factTable([
    ['Vault', html`${said(vault.name)} <span class="mono aside">${vault.id}</span>`],
    ['Quorum', `${capital(numberWord(roster.threshold))} of ${numberWord(custodians)} custodians`],
    ['Root key', hexPair(readStatementHeader(anchor).kid)],
    ['Checkpoint', html`Event ${seq}, ${spellTime(iat)}<br>${hexPair(head)}`],
  ])
}

function isolation({ isolation: matrix }: EvidenceBody): Html {
  if (!matrix) return html`<h2>Isolation</h2><p>Not tried for this pack.</p>`
  const { at, tenants: count, pairs, rejectedByPolicy, rejectedBySignature, signatureChecks, accepted } = matrix
  const rows = factTable([
    ['Tried', `${spellTime(at)}, ${counted(count, 'tenant')}`],
    ['By policy', `${rejectedByPolicy} of ${pairs} refused: each tenant’s token at every other tenant’s verifier`],
    [
      'By signature',
      `${rejectedBySignature} of ${pairs} refused: the bare signature under every key of the other tenant, key id ignored (${counted(signatureChecks, 'check')})`,
    ],
    ['Accepted', accepted === 0 ? 'none' : html`<b class="danger">${mark('danger')}${accepted}</b>`],
  ])
  return html`<h2>Isolation <span class="aside">one tenant’s tokens mean nothing to another</span></h2>
<div class="side keep">${isolated(matrix) ? html`<figure>${drawMatrix(count)}<figcaption class="aside">Rows: tokens. Columns: verifiers. Only the diagonal passes.</figcaption></figure>` : null}<div>${rows}</div></div>
`
}

const tenants = ({
  tenants: all,
  builtAt,
}: EvidenceBody): Html => html`<h2>Tenants and keys <span class="aside">${counted(all.length, 'tenant')}, ${counted(all.flatMap((one) => one.keys).length, 'key')}</span></h2>
${SCHEDULE_LEGEND}
${all.map((tenant, index) => tenantSection(tenant, index, builtAt))}`

function tenantSection({ name, issuer, policy, keys }: Tenant, index: number, builtAt: number): Html {
  const drawn = keys.map((key) => ({
    label: key.label,
    state: key.state,
    times: key.times,
    stopped: key.compromised?.at ?? null,
    destroyed: key.destroyed?.at ?? null,
  }))
  return html`<h3>${said(name)} <span class="aside">${issuer}</span></h3>
<p class="aside">A key signs for ${spellDuration(policy.rotationInterval)}, is announced ${spellDuration(policy.propagationTime)} before and published ${spellDuration(policy.retentionDuration)} after. Tokens live ${spellDuration(policy.accessTokenLifetime)}.</p>
${drawSchedule(`hatch-${index}`, drawn, builtAt)}
<div class="scroll"><table><thead><tr><th scope="col">Key</th><th scope="col">State</th><th scope="col">Signs</th><th scope="col">Made</th></tr></thead><tbody>
${keys.map(keyRow)}</tbody></table></div>
`
}

const keyRow = (key: Key): Html =>
  html`<tr><td><span class="t">${key.label}</span><small>${describeSpec(key.spec)}</small><small class="mono">${shortHex(key.kid)}</small></td><td><span class="t">${key.state}</span>${ending(key)}</td><td>${spellDate(key.times.signFrom)}<br>to ${spellDate(key.times.signUntil)}${
    key.times.propagation === 'full' ? null : html`<small>announced: ${key.times.propagation}</small>`
  }</td><td>${spellTime(key.bornAt)}<small>${key.bornIn ?? 'outside a ceremony'}; ${key.generator}</small></td></tr>\n`

const ending = ({ compromised, destroyed, certificate }: Key): Html =>
  html`${
    compromised ? html`<small>named compromised ${spellTime(compromised.at)}: ${compromised.reason}</small>` : null
  }${destroyed ? html`<small>vault’s copy destroyed ${spellTime(destroyed.at)}: ${destroyed.reason}</small>` : null}${
    certificate ? html`<small>certificate of ${certificate.grade} ${certificate.id}</small>` : null
  }`

function ceremonies({ ceremonies: all }: EvidenceBody, roster: Roster): Html {
  const nameOf = (id: string) => roster.people.find((person) => person.id === id)?.name ?? id
  return html`<h2>Ceremonies</h2>
<div class="scroll"><table><thead><tr><th scope="col">Ceremony</th><th scope="col">Started</th><th scope="col">Present</th><th scope="col">Outcome</th><th scope="col">Record</th></tr></thead><tbody>
${all.map(({ ceremony, kind, startedAt, outcome, record, present }) => html`<tr><td>${KIND_WORDS[kind].title}<small class="mono t">${ceremony}</small></td><td class="t">${timeCell(startedAt)}</td><td>${listed(present.map(nameOf))}</td><td>${outcome}</td><td class="mono t">${record ? shortHex(record) : 'none'}</td></tr>\n`)}</tbody></table></div>
`
}

function runtimes({ runtimes: all }: EvidenceBody): Html {
  if (all.length === 0) return html`<h2>Runtimes and receipts</h2><p>No runtime is enrolled.</p>`
  const handoff = ({ number, at, manifest, keys }: EvidenceBody['runtimes'][number]['handoffs'][number]) =>
    html`<li>Handoff ${number}, ${spellTime(at)}: ${keys === 0 ? 'no private keys' : counted(keys, 'private key')}${manifest ? html`, manifest <span class="mono">${shortHex(manifest)}</span>` : ', not exported'}</li>`
  return html`<h2>Runtimes and receipts</h2>
<div class="scroll"><table><thead><tr><th scope="col">Runtime</th><th scope="col">Handoffs</th><th scope="col">Receipts taken</th></tr></thead><tbody>
${all.map(({ runtimeId, environment, handoffs, receipts }) => html`<tr><td>${runtimeId}<small>${environment}</small></td><td><ul class="nested">${handoffs.map(handoff)}</ul></td><td>${receipts.upTo === 0 ? 'none yet' : html`up to number ${receipts.upTo}`}${receipts.head ? html`<small class="mono">${shortHex(receipts.head)}</small>` : null}</td></tr>\n`)}</tbody></table></div>
`
}

function certificates({ certificates: all, tenants: owners }: EvidenceBody): Html {
  const opened = all.map((jws): Certificate => peekStatement(jws, certificateSchema, 'certificate', 8 * MB))
  const rows = opened.map(
    ({ certificate, grade, issuedAt, keys, reason }) =>
      html`<tr><td>Certificate of ${grade}<small class="mono">${certificate}</small></td><td class="t">${timeCell(issuedAt)}</td><td>${keys.map((key) => html`${key.label}<br>`)}</td><td>${reason}</td></tr>\n`,
  )
  const destroyed = owners.flatMap((tenant) => tenant.keys.filter((key) => key.destroyed))
  const open = destroyed.flatMap((key) =>
    key.copies.filter((copy) => copy.status === 'open').map((copy) => ({ key, copy })),
  )
  return html`<h2>Certificates</h2>
${
  rows.length === 0
    ? html`<p>None: no key was destroyed yet.</p>`
    : html`<div class="scroll"><table><thead><tr><th scope="col">Certificate</th><th scope="col">Issued</th><th scope="col">Keys</th><th scope="col">Reason</th></tr></thead><tbody>
${rows}</tbody></table></div>`
}
<h2>Open copies of destroyed keys</h2>
${
  open.length === 0
    ? html`<p>${destroyed.length === 0 ? 'No key was destroyed yet.' : 'None: every known copy of a destroyed key is closed.'}</p>`
    : html`<div class="scroll"><table><thead><tr><th scope="col">Key</th><th scope="col">Copy</th><th scope="col">Holder</th><th scope="col">Evidence</th><th scope="col">State</th></tr></thead><tbody>
${open.map(({ key, copy }) => html`<tr><td>${key.label}</td><td>${copy.what}</td><td>${copy.holder}</td><td>${copy.evidence}</td><td class="open">Open</td></tr>\n`)}</tbody></table></div>`
}
`
}

const notCollected = ({ notCollected: all }: EvidenceBody): Html => html`<h2>What was not collected, and why</h2>
${all.length === 0 ? html`<p>Nothing was left out.</p>` : factTable(all.map(({ what, why }) => [what, why] as const))}`
