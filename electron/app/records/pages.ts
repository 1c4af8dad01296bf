import type { Takes } from '../../../shared/contract/contract.ts'
import { must } from '../../../shared/errors.ts'
import { openCertificate } from '../../../shared/formats/certificate.ts'
import { lifeOf } from '../../../shared/formats/key-life.ts'
import { parsePlan } from '../../../shared/formats/plan.ts'
import { openTrustAnchor } from '../../../shared/formats/trust-anchor.ts'
import { renderEvidence } from '../../../shared/pages/evidence-page.ts'
import { renderHeadCard } from '../../../shared/pages/head-card-page.ts'
import { renderKeyLife } from '../../../shared/pages/key-life-page.ts'
import { renderRecord } from '../../../shared/pages/record-page.ts'
import { renderScript } from '../../../shared/pages/script-page.ts'
import { writtenOf } from '../../ceremony/record.ts'
import { evidenceOf } from '../../evidence/build.ts'
import { certificateFiles, type Files, inventoryFiles } from '../../evidence/write-record.ts'
import type { Vault } from '../../vault/vault.ts'
import { type AppContext, viewed } from '../context.ts'
import { ceremonyOf } from './list.ts'

/** Pages for print. Each is drawn anew from the vault: what lies on a disk is never shown as if it were the record. */

type Wanted = Takes<'openPage'>
export type Drawn = { title: string; html: string }

/**
 * Draws a page. Only a script needs no open vault. Codes `ceremony-unknown`, `file-missing` for a name that is no page of
 * that record, `plan-invalid`, `key-unknown`, `ceremony-conflict` where the root has signed nothing yet.
 */
export async function drawPage(app: AppContext, wanted: Wanted): Promise<Drawn> {
  if (wanted.page === 'script') return titled(renderScript(parsePlan(wanted.plan)))
  const { vault } = viewed(app)
  const now = app.now()
  switch (wanted.page) {
    case 'file':
      return titled(await recordPage(vault, wanted))
    case 'key':
      return titled(renderKeyLife(lifeOf(vault.state, wanted.kid, now), now))
    case 'evidence':
      return titled(renderEvidence({ evidence: evidenceOf(vault.state, now, null), signatures: {} }))
    case 'head-card':
      return titled(newestCard(vault))
  }
}

/** The title stands in the page itself. */
function titled(html: string): Drawn {
  const title = /<title>([^<]*)<\/title>/.exec(html)?.[1] ?? ''
  return { title: unescaped(title), html }
}

const ENTITIES: Record<string, string> = { lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' }
const unescaped = (text: string): string =>
  text.replace(/&(lt|gt|quot|#39|amp);/g, (_, name: string) => ENTITIES[name] ?? '')

function newestCard({ state, anchor }: Vault): string {
  must(state.checkpoint, 'ceremony-conflict', 'The root has signed nothing yet, so there is no head card.')
  const { name, vaultId, practice, key } = anchor
  return renderHeadCard({ name, vaultId, practice, root: key.kid }, state.checkpoint.statement)
}

async function recordPage(vault: Vault, { ceremony, name }: Extract<Wanted, { page: 'file' }>): Promise<string> {
  ceremonyOf(vault.state, ceremony)
  const { record, headCard, certificates, inventories } = writtenOf(vault, ceremony)
  if (name === 'record.html') return renderRecord(record)
  const anchor = await openTrustAnchor(record.record.anchor)
  const { key, practice, vaultId } = anchor
  if (name === 'head-card.html' && headCard !== null)
    return renderHeadCard({ name: anchor.name, vaultId, practice, root: key.kid }, headCard)
  const others: Files = {}
  for (const file of certificates)
    Object.assign(others, certificateFiles(file, await openCertificate(file.certificate, key, practice)))
  for (const file of inventories) Object.assign(others, inventoryFiles(file))
  const page = name.endsWith('.html') ? others[name] : undefined
  must(page, 'file-missing', `The record of ${ceremony} has no page ${name}.`)
  return new TextDecoder().decode(page)
}
