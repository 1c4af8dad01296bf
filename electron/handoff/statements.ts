import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { equalBytes, utf8 } from '../../shared/formats/bytes.ts'
import { type Enrollment, openEnrollment } from '../../shared/formats/enrollment.ts'
import { fileName } from '../../shared/formats/file-name.ts'
import type { StatementKey } from '../../shared/formats/jws.ts'
import { parseStatementFile, STATEMENT_FILE_MAX, statementFile } from '../../shared/formats/statement-file.ts'
import { SUCCESSION_FILE_MAX, type SuccessionFile, successionFile } from '../../shared/formats/succession.ts'
import { type Anchor, openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import { readFileGuarded } from '../files/read.ts'
import { writeNewFile } from '../files/write.ts'

/** Files of one statement: the trust anchor that leaves the vault, the enrollment that comes to it. */

/** Writes a trust anchor into `folder` and gives its path; the very same file there already is as good. Codes of `writeNewFile`. */
export function writeTrustAnchor(folder: string, jws: string, at: number): string {
  const path = join(folder, fileName('trust-anchor', jws, at))
  if (!existsSync(path) || readStatement(path) !== jws) writeNewFile(path, statementFile(jws))
  return path
}

/** Writes a succession into `folder` and gives its path; the very same file there already is as good. Codes of `writeNewFile`. */
export function writeSuccession(folder: string, succession: SuccessionFile, at: number): string {
  const content = successionFile(succession)
  const path = join(folder, fileName('succession', content, at))
  const same = existsSync(path) && equalBytes(readFileGuarded(path, SUCCESSION_FILE_MAX), utf8(content))
  if (!same) writeNewFile(path, content)
  return path
}

/** Reads a trust anchor. Codes of `readFileGuarded`, `parseStatementFile` and `openTrustAnchor`. */
export const readTrustAnchor = (path: string): Promise<Anchor> => openTrustAnchor(readStatement(path))

export type ReadEnrollment = Enrollment & { fingerprint: string; receiptSigner: StatementKey; jws: string }

/** Reads an enrollment. Codes of `readFileGuarded`, `parseStatementFile` and `openEnrollment`. */
export async function readEnrollment(path: string): Promise<ReadEnrollment> {
  const jws = readStatement(path)
  return { ...(await openEnrollment(jws)), jws }
}

/** The one statement of a file, not verified yet. */
export const readStatement = (path: string): string => parseStatementFile(readFileGuarded(path, STATEMENT_FILE_MAX))
