import { type Checkpoint, checkpointSchema } from '../formats/checkpoint.ts'
import { hexGroups } from '../formats/fingerprint.ts'
import { peekStatement } from '../formats/jws.ts'
import { type Html, html, renderPage, said } from './page.ts'
import { wordList } from './parts.ts'
import { spellTime } from './words.ts'

/** What the card needs of the trust anchor. */
export type CardOf = { name: string; vaultId: string; practice: boolean; root: string }

/**
 * The head card: two faces of wallet size (85.6 by 54 mm), folded on the dashed line.
 * @param root the thumbprint of the vault's root key
 */
export function renderHeadCard({ name, vaultId, practice, root }: CardOf, checkpointJws: string): string {
  const checkpoint = peekStatement(checkpointJws, checkpointSchema, 'checkpoint')
  const body = html`
<h1>Head card</h1>
<p class="lead">Print it, cut along the line, fold it and keep it in your wallet. An older copy of the vault cannot show this number and this head.</p>
<div class="card">
${front(name, vaultId, practice, checkpoint)}${back(root, practice)}</div>
<p class="foot">Compare the front with <code>keyrite vault head</code>, and the back with the trust anchor that a runtime pins.</p>
`
  return renderPage({ title: `Head card, ${name}`, number: `Event ${checkpoint.seq}`, practice, body, style: STYLE })
}

const hex = (digest: string): Html => html`<p class="hex">${hexGroups(digest).slice(0, 8).join(' ')}
${hexGroups(digest).slice(8).join(' ')}</p>
`

const front = (name: string, vaultId: string, practice: boolean, { seq, head, iat }: Checkpoint): Html => html`<section>
<h2 class="${nameSize(name)}">${said(name)}${practice ? ' PRACTICE' : null}</h2>
<p class="mono">${vaultId}</p>
<p>Newest checkpoint: <b>event ${seq}</b><br>${spellTime(iat)}</p>
<p>Head of its log</p>
${hex(head)}</section>
`

/** A vault's name may have 200 characters; a long one is set smaller, so that nothing of the card is cut. */
const nameSize = (name: string): string => (name.length > 80 ? 'tiny' : name.length > 30 ? 'small' : 'full')

const back = (root: string, practice: boolean): Html => html`<section>
<h2>Root key${practice ? ' PRACTICE' : null}</h2>
${hex(root)}${wordList(root)}</section>
`

const STYLE = `.card{width:85.6mm;border:var(--hair) solid var(--ink);background:var(--surface);break-inside:avoid}
.card section{height:54mm;padding:4mm;overflow:hidden;font:9pt/12pt var(--serif)}
.card section+section{border-top:var(--hair) dashed var(--ink)}
.card h2{margin:0 0 4pt;font:600 11pt/14pt var(--serif);overflow-wrap:anywhere}.card h2.small{font-size:8pt;line-height:9.5pt}.card h2.tiny{font-size:6.5pt;line-height:7.5pt}.card p{margin:0 0 4pt}
.card .mono{font-size:8pt}.card .hex{font:9pt/12.5pt var(--mono);margin:0 0 4pt;letter-spacing:-.01em;overflow-wrap:normal;white-space:pre}
.card .words{grid-template-columns:repeat(4,1fr);gap:0 2mm;font:8.5pt/11.4pt var(--serif)}.card .words i{margin-right:2pt}
`
