import { digest, fromUtf8 } from '../../shared/formats/bytes.ts'
import { EXPORT_MAX, readExportHeader } from '../../shared/formats/exported-key.ts'
import { hexGroups, shortHex } from '../../shared/formats/fingerprint.ts'
import { readFileGuarded } from '../files/read.ts'
import { type Context, type Findings, sameVault } from './findings.ts'

/** An exported key: nobody signs it, and nobody but its recipient sees inside, so it is consistent at most. */
export function checkExportedKey(path: string, { anchor }: Context, findings: Findings): void {
  const jwe = fromUtf8(readFileGuarded(path, EXPORT_MAX))
  const { number, format, recipient, vaultId, practice } = readExportHeader(jwe)
  if (anchor) sameVault(findings, anchor, { id: vaultId, practice })
  findings.fact(`Export ${number}, as ${format}, encrypted to the key ${shortHex(recipient)} …`)
  findings.remark(
    `Nobody signs an export. The record of its ceremony names the digest: ${hexGroups(digest(jwe)).slice(0, 4).join(' ')} …`,
  )
}
