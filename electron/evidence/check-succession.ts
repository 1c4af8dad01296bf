import { shortHex } from '../../shared/formats/fingerprint.ts'
import { openSuccession, parseSuccessionFile, SUCCESSION_FILE_MAX } from '../../shared/formats/succession.ts'
import { type Anchor, openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import { readFileGuarded } from '../files/read.ts'
import { anchorOf, type Context, type Findings, sameVault } from './findings.ts'

/** Successions of the root: both roots signed, so whoever trusts one of them may trust the other, unless it is suspected. */

type Opened = { before: Anchor; after: Anchor; compromised: boolean }

async function readSuccession(path: string): Promise<Opened> {
  const file = parseSuccessionFile(readFileGuarded(path, SUCCESSION_FILE_MAX))
  const before = await openTrustAnchor(file.before)
  const { anchor: after, claims } = await openSuccession(file, before)
  return { before, after, compromised: claims.compromised }
}

/** Every root but the one given that successions lead to, on either side. A suspected root leads nowhere. */
export async function followedRoots(paths: readonly string[], given: Anchor | null): Promise<Anchor[]> {
  if (!given) return []
  const links = (await Promise.all(paths.map((path) => readSuccession(path).catch(() => null)))).filter(
    (link) => link !== null && !link.compromised,
  )
  const known = new Map([[given.key.kid, given]])
  for (let grown = true; grown; ) {
    const reached = links.flatMap((link) => (link ? beside(link, known) : []))
    grown = reached.length > 0
    for (const anchor of reached) known.set(anchor.key.kid, anchor)
  }
  known.delete(given.key.kid)
  return [...known.values()]
}

function beside({ before, after }: Opened, known: ReadonlyMap<string, Anchor>): Anchor[] {
  const [has, hasNext] = [known.has(before.key.kid), known.has(after.key.kid)]
  if (has === hasNext) return []
  return [has ? after : before]
}

/** A succession by itself. Codes of reading, `signature-invalid` unless both roots signed it. */
export async function checkSuccession(path: string, context: Context, findings: Findings): Promise<void> {
  const { before, after, compromised } = await readSuccession(path)
  findings.fact(`Root ${shortHex(before.key.kid)} … hands over to ${shortHex(after.key.kid)} …; both signed it.`)
  if (compromised)
    findings.remark(
      'The old root was suspected to be compromised, so nothing follows from its word: compare the fingerprint of the new root by voice, and give its trust anchor.',
    )
  const anchor = anchorOf(context, findings)
  if (!anchor || !sameVault(findings, anchor, { id: after.vaultId, practice: after.practice })) return
  const ends = [before.key.kid, after.key.kid].includes(anchor.key.kid)
  findings.rule(ends, 'It neither begins nor ends with the root of the trust anchor given.')
  findings.anchored = after.key.kid === anchor.key.kid || !compromised
}
