import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { digest, fromUtf8, wipe } from '../../shared/formats/bytes.ts'
import {
  EXPORT_MAX,
  type ExportName,
  parseRecipient,
  RECIPIENT_MAX,
  readExportHeader,
  sealExport,
} from '../../shared/formats/exported-key.ts'
import { fileName } from '../../shared/formats/file-name.ts'
import type { P256Jwk } from '../../shared/formats/jws.ts'
import { readFileGuarded } from '../files/read.ts'
import { writeNewFile } from '../files/write.ts'

/** Keys that leave for an existing issuer, in one encrypted file. */

/** The public key of a recipient. Codes of `readFileGuarded` and `parseRecipient`. */
export const readRecipient = (path: string): { jwk: P256Jwk; fingerprint: string } =>
  parseRecipient(readFileGuarded(path, RECIPIENT_MAX))

/**
 * Encrypts `content` to the recipient and writes it into `folder` as `export-….jwe`, read back and compared. `content` is
 * wiped in any case. Codes of `writeNewFile`; on failure nothing is left under a final name.
 */
export async function writeExport(
  folder: string,
  content: Uint8Array,
  recipient: P256Jwk,
  name: ExportName,
  at: number,
): Promise<{ path: string; digest: string }> {
  try {
    const jwe = await sealExport(content, recipient, name)
    const path = join(folder, fileName('export', jwe, at, 'jwe'))
    writeNewFile(path, jwe)
    return { path, digest: digest(jwe) }
  } finally {
    wipe(content)
  }
}

const NAME = /^export-[0-9a-f]{8}-\d{8}T\d{6}Z\.jwe$/

/** Removes files on a medium that claim to be this export, which was interrupted. Gives their names. */
export function removeExport(folder: string, of: { vaultId: string; number: number }): string[] {
  if (!existsSync(folder)) return []
  const found = readdirSync(folder).filter((name) => NAME.test(name) && claims(join(folder, name), of))
  for (const name of found) rmSync(join(folder, name), { force: true })
  return found
}

function claims(path: string, { vaultId, number }: { vaultId: string; number: number }): boolean {
  try {
    const header = readExportHeader(fromUtf8(readFileGuarded(path, EXPORT_MAX)))
    return header.vaultId === vaultId && header.number === number
  } catch {
    // Not a file of ours, or torn: nobody can open it.
    return false
  }
}
