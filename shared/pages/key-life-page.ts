import { describeSpec } from '../domain/algorithms.ts'
import type { KeyLife } from '../formats/key-life.ts'
import { copies } from './certificate-page.ts'
import { html, renderPage, said } from './page.ts'
import { factTable, timeCell } from './parts.ts'
import { capital, counted, spellTime } from './words.ts'

/** One key's life on paper. It is drawn from an open vault and not signed: what it names is. */
export function renderKeyLife(life: KeyLife, drawnAt: number): string {
  const open = life.copies.filter((copy) => copy.status === 'open').length
  const body = html`
<h1>${life.label}</h1>
<p class="lead">The life of one key, drawn from the vault on ${spellTime(drawnAt)}. ${capital(counted(open, 'known copy is', 'known copies are'))} open.</p>
${factTable([
  ['Key id', html`<span class="mono">${life.kid}</span>`],
  ['Key', describeSpec(life.spec)],
  ['Tenant', said(life.tenantName)],
  ['Issuer', life.issuer],
  ['State', life.state],
  ['Signs', `${spellTime(life.times.signFrom)} to ${spellTime(life.times.signUntil)}`],
  ['Published until', spellTime(life.times.removeAt)],
  ['Legal hold', life.hold ?? 'none'],
  ['Certificate', life.certificate ? `${life.certificate.id}, ${life.certificate.grade}` : 'none'],
])}
<h2>What happened</h2>
<div class="scroll"><table><thead><tr><th scope="col">When</th><th scope="col">What</th><th scope="col">Evidence</th></tr></thead><tbody>
${life.moments.map(({ at, what, evidence }) => html`<tr><td class="t">${timeCell(at)}</td><td>${what}</td><td>${evidence}</td></tr>\n`)}</tbody></table></div>
<h2>Known copies</h2>
${copies(life.copies)}
<p class="foot">This page is not signed. What it names is: records, certificates, bundles and receipts; check those with <code>keyrite verify</code> and the trust anchor.</p>
`
  return renderPage({ title: `Key ${life.label}`, number: life.label, practice: life.vault.practice, body })
}
