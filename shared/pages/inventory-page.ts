import { digest } from '../formats/bytes.ts'
import { INVENTORY_MAX, type Inventory, type InventoryFile, inventorySchema } from '../formats/inventory.ts'
import { peekStatement, readStatementHeader, statementTyp } from '../formats/jws.ts'
import { copies } from './certificate-page.ts'
import { type Html, html, type Part, renderPage, said } from './page.ts'
import { FOOT, factTable, fingerprint, timeCell } from './parts.ts'
import { capital, counted, spellDate, spellTime } from './words.ts'

/** The page of an inventory: drawn from inventory.json alone, so that the same file gives the same bytes everywhere. */
export function renderInventory({ inventory: jws }: InventoryFile): string {
  const inventory = peekStatement(jws, inventorySchema, 'inventory', INVENTORY_MAX)
  const practice = readStatementHeader(jws, INVENTORY_MAX).typ === statementTyp('inventory', true)
  const body = html`
<h1>Inventory</h1>
<p class="lead">${lead(inventory)}</p>
${factTable([
  ['Vault', html`${said(inventory.vaultName)} <span class="mono aside">${inventory.vaultId}</span>`],
  ['Taken', `${spellTime(inventory.takenAt)}, in ${inventory.ceremony}`],
  ['Covers', `events 1 to ${inventory.seq}; epoch ${inventory.epoch}`],
])}
<h2>What does not agree, or is still to be done</h2>
${bullets(inventory.findings)}
<h2>Keys</h2>
${keyTable(inventory)}
${backups(inventory)}
${runtimes(inventory)}
${others(inventory)}
${fingerprint('Inventory digest', 'what the root signed', digest(jws))}
${FOOT}`
  const { inventory: number } = inventory
  return renderPage({ title: `Inventory, ${number}`, number, practice, body })
}

const openOf = (key: Inventory['keys'][number]) => key.copies.filter((copy) => copy.status === 'open')

function lead({ keys, takenAt, findings, notInVault }: Inventory): string {
  const open = keys.flatMap(openOf).length
  const alive = keys.filter((key) => key.inVault).length
  return `On ${spellDate(takenAt)} this vault knew ${counted(keys.length, 'key')} and held the private half of ${counted(alive, 'of them', 'of them')}. ${capital(counted(open, 'known copy is', 'known copies are'))} open, ${counted(notInVault.length, 'key')} ${notInVault.length === 1 ? 'is' : 'are'} known to runtimes alone, and there ${findings.length === 1 ? 'is' : 'are'} ${counted(findings.length, 'finding')}.`
}

const bullets = (items: readonly string[]): Html =>
  html`<ul>${items.length === 0 ? html`<li>Nothing.</li>` : items.map((item) => html`<li>${item}</li>\n`)}</ul>
`

const head = (names: readonly string[]): Html =>
  html`<thead><tr>${names.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>`

const grid = (names: readonly string[], rows: readonly (readonly Part[])[]): Html =>
  html`<div class="scroll"><table>${head(names)}<tbody>
${rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>\n`)}</tbody></table></div>
`

const keyTable = ({ keys }: Inventory): Html =>
  grid(
    ['Key', 'State', 'Signs', 'Open copies', 'Notes'],
    keys.map((key) => [
      html`${key.label}<br><span class="mono">${key.kid}</span>`,
      key.state,
      html`${spellDate(key.signFrom)}<br>to ${spellDate(key.signUntil)}`,
      lines(openOf(key).map((copy) => `${copy.what} (${copy.holder})`)),
      lines(notesOf(key)),
    ]),
  )

const lines = (items: readonly string[]): Part =>
  items.length === 0 ? 'none' : items.map((item, index) => html`${index > 0 ? html`<br>` : null}${item}`)

function notesOf(key: Inventory['keys'][number]): string[] {
  const notes: [boolean, string][] = [
    [!key.inVault, 'private half not in this vault'],
    [key.kept, 'private half kept although retired'],
    [key.imported, 'imported: independence not attested'],
    [key.hold !== null, `legal hold ${key.hold}`],
    [key.destroyedElsewhere !== null, `destroyed elsewhere, certificate ${key.destroyedElsewhere}`],
    [key.certificate !== null, `certificate ${key.certificate}`],
  ]
  return notes.flatMap(([holds, what]) => (holds ? [what] : []))
}

const backups = ({ backups: list }: Inventory): Part =>
  list.length === 0
    ? null
    : html`<h2>Backups</h2>
${copies(list.map(({ copy }) => copy))}
${grid(
  ['Backup', 'Made', 'Epoch', 'Keys in it'],
  list.map(({ number, at, epoch, keys }) => [number, timeCell(at), epoch, keys]),
)}`

const runtimes = ({ runtimes: list }: Inventory): Part =>
  list.length === 0
    ? null
    : html`<h2>Runtimes</h2>
${grid(
  ['Runtime', 'Keys that may be there', 'Receipts', 'Newest', 'Stale'],
  list.map(({ runtimeId, keys, receipts, newestAt, stale }) => [
    runtimeId,
    keys,
    receipts,
    newestAt === null ? 'none' : timeCell(newestAt),
    stale ?? 'no',
  ]),
)}`

const others = ({ notInVault, lost, pastEpochs, passphrases }: Inventory): Part => [
  notInVault.length === 0
    ? null
    : html`<h2>Not in vault <span class="aside">receipts name these keys, and this vault does not have them</span></h2>
${grid(
  ['Key', 'Tenant', 'Runtime', 'Last named'],
  notInVault.map(({ kid, tenant, runtimeId, at }) => [
    html`<span class="mono">${kid}</span>`,
    tenant,
    runtimeId,
    timeCell(at),
  ]),
)}`,
  lost.length === 0
    ? null
    : html`<h2>Vaults that were lost</h2>
${copies(lost)}`,
  pastEpochs.length === 0
    ? null
    : html`<h2>Earlier quorum secrets <span class="aside">their shares still open these copies</span></h2>
${grid(
  ['Epoch', 'Shares', 'Opens'],
  pastEpochs.map(({ epoch, holders, opens }) => [epoch, lines(holders), lines(opens)]),
)}`,
  passphrases.length === 0
    ? null
    : html`<h2>Earlier passphrases <span class="aside">they still open older copies of people.json</span></h2>
${copies(passphrases)}`,
]
