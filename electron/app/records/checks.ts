import type { Gives, Takes } from '../../../shared/contract/contract.ts'
import { KeyriteError } from '../../../shared/errors.ts'
import { type Anchor, openTrustAnchor } from '../../../shared/formats/trust-anchor.ts'
import { verifyFiles } from '../../evidence/verify.ts'
import { verifyVault } from '../../vault/verify.ts'
import { type AppContext, viewed } from '../context.ts'
import { knownFolder } from './folder.ts'
import { ceremonyOf } from './list.ts'
import { reportInWords } from './vault-report.ts'

/** Checking what was signed: folders and files from a trust anchor, and the open vault itself. */

/**
 * Checks a record folder or any path. Without a trust anchor of its own, what the open vault knows is taken: for a record
 * the anchor that was in force then. Codes `not-anchored` where neither is there, `ceremony-unknown`, `file-missing`.
 */
export async function verifyRecords(app: AppContext, { what, anchor }: Takes<'verify'>): Promise<Gives<'verify'>> {
  const path = 'ceremony' in what ? knownFolder(app, what.ceremony) : what.path
  const report = await verifyFiles([path], anchor ?? (await ownAnchor(app, what)), app.now())
  const { anchored, files } = report
  const found = files.map(({ file, kind, standing, facts, remarks, problems }) => ({
    file,
    kind,
    standing,
    facts,
    remarks,
    problems,
  }))
  return { anchored, files: found, failed: found.filter(({ standing }) => standing === 'failed').length }
}

function ownAnchor(app: AppContext, what: Takes<'verify'>['what']): Promise<Anchor> | Anchor {
  if (!app.view)
    throw new KeyriteError('not-anchored', 'Nothing can be verified without a trust anchor.', {
      hint: 'Choose the trust anchor file, or open the vault that signed this.',
    })
  const { vault } = viewed(app)
  return 'ceremony' in what ? openTrustAnchor(ceremonyOf(vault.state, what.ceremony).anchor) : vault.anchor
}

const EVERY = 1000

/** Checks the open vault from its first page to its last signature. Codes `vault-damaged`, `vault-history-broken`. */
export async function verifyOpenVault(app: AppContext): Promise<string[]> {
  const { vault } = viewed(app)
  const of = vault.state.seq
  const report = await verifyVault(vault, (done) => {
    if (done % EVERY === 0 || done === of) app.tell({ tell: 'progress', label: 'Checking events', done, of })
  })
  return reportInWords(report, false)
}
