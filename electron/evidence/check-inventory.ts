import { utf8 } from '../../shared/formats/bytes.ts'
import { INVENTORY_MAX, openInventory, parseInventoryFile } from '../../shared/formats/inventory.ts'
import { renderInventory } from '../../shared/pages/inventory-page.ts'
import { counted, spellTime } from '../../shared/pages/words.ts'
import { readFileGuarded } from '../files/read.ts'
import { anchorOf, type Context, type Findings, sameVault } from './findings.ts'

/** An inventory: the root's statement, and the page beside it. Who compared and signed is in the record beside it. */
export async function checkInventory(path: string, context: Context, findings: Findings): Promise<void> {
  const file = parseInventoryFile(readFileGuarded(path, INVENTORY_MAX))
  await findings.attempt(() => {
    const bytes = utf8(renderInventory(file))
    const drawn = { kind: 'page', bytes, from: 'the inventory', source: findings }
    context.drawn.set(path.replace(/\.[^./\\]*$/, '.html'), drawn)
  })
  const anchor = anchorOf(context, findings)
  if (!anchor) return
  const inventory = await openInventory(file.inventory, anchor.key, anchor.practice)
  if (!sameVault(findings, anchor, { id: inventory.vaultId, practice: anchor.practice })) return
  const { keys, takenAt, ceremony, notInVault } = inventory
  const open = keys.flatMap((key) => key.copies).filter((copy) => copy.status === 'open').length
  findings.fact(
    `Inventory of ${ceremony}, signed by the root, ${spellTime(takenAt)}: ${counted(keys.length, 'key')}, ${counted(open, 'open copy', 'open copies')}, ${counted(notInVault.length, 'key')} not in the vault.`,
  )
  for (const finding of inventory.findings.slice(0, 20)) findings.remark(finding)
  findings.anchored = true
}
