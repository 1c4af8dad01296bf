import { join } from 'node:path'
import { must } from '../../shared/errors.ts'
import { equalBytes, fromBase64url, sha256, utf8 } from '../../shared/formats/bytes.ts'
import { type Certificate, type CertificateFile, proofsOf } from '../../shared/formats/certificate.ts'
import type { Evidence } from '../../shared/formats/evidence.ts'
import { fileName } from '../../shared/formats/file-name.ts'
import type { InventoryFile } from '../../shared/formats/inventory.ts'
import { canonicalBytes } from '../../shared/formats/json.ts'
import { type LogRow, logLine } from '../../shared/formats/log.ts'
import type { CeremonyRecord } from '../../shared/formats/record.ts'
import { statementFile } from '../../shared/formats/statement-file.ts'
import { openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import { renderCertificate } from '../../shared/pages/certificate-page.ts'
import { renderEvidence } from '../../shared/pages/evidence-page.ts'
import { renderHeadCard } from '../../shared/pages/head-card-page.ts'
import { renderInventory } from '../../shared/pages/inventory-page.ts'
import { renderRecord } from '../../shared/pages/record-page.ts'
import { scriptText } from '../../shared/pages/script-text.ts'
import { writeLines } from '../files/lines.ts'
import { makeWholeFolder, writeNewFile } from '../files/write.ts'
import { LOG_NAME } from './check-log.ts'
import { drawPdf } from './draw-pdf.ts'
import { SUMS_NAME, sumsOf } from './sums.ts'

/** Folders that people keep: the signed JSON is the authority, everything else is drawn from it. */

export type Files = Record<string, Uint8Array>

export type RecordFolder = {
  record: CeremonyRecord
  /** The plan file as it was read; the record holds the same text. */
  planBytes: Uint8Array
  /** The newest checkpoint, as signed by the root. */
  headCard?: string
  /** The ceremony's rows of the vault's log. */
  log?: Iterable<LogRow>
  /** Further files by name, such as those of `certificateFiles`; they stand on the list of digests too. */
  extra?: Files
}

/** Writes a record folder, its list of digests last. Codes: `folder-not-empty` and those of `writeNewFile`. */
export async function writeRecordFolder(
  folder: string,
  { record, planBytes, headCard, log, extra }: RecordFolder,
): Promise<void> {
  must(equalBytes(planBytes, utf8(record.record.plan)), 'internal', 'The plan file is not the plan of the record.')
  const files = {
    'plan.json': planBytes,
    'script.txt': utf8(scriptText(record.record)),
    'record.json': canonicalBytes(record),
    'record.html': utf8(renderRecord(record)),
    'record.pdf': await drawPdf(record),
    ...(headCard === undefined ? {} : await headCardFiles(record, headCard)),
    ...extra,
  }
  writeFolder(folder, files, log)
}

async function headCardFiles({ record }: CeremonyRecord, checkpoint: string): Promise<Files> {
  const { name, vaultId, practice, key } = await openTrustAnchor(record.anchor)
  return {
    'head-card.keyrite': utf8(statementFile(checkpoint)),
    'head-card.html': utf8(renderHeadCard({ name, vaultId, practice, root: key.kid }, checkpoint)),
  }
}

/** The files of a certificate by name: the signed JSON, its page and, for a batch, each key's proof. */
export function certificateFiles(file: CertificateFile, certificate: Certificate): Files {
  const content = canonicalBytes(file)
  const name = (extension: string) => fileName('certificate', content, certificate.issuedAt, extension)
  const proofs = proofsOf(certificate)
  return {
    [name('json')]: content,
    [name('html')]: utf8(renderCertificate(file)),
    ...(proofs && { [name('proofs.json')]: proofs }),
  }
}

/** The two files of an inventory: the signed JSON and its page. */
export const inventoryFiles = (file: InventoryFile): Files => ({
  'inventory.json': canonicalBytes(file),
  'inventory.html': utf8(renderInventory(file)),
})

/** Writes a certificate into an existing folder and gives the paths. Codes of `writeNewFile`. */
export async function writeCertificate(
  folder: string,
  file: CertificateFile,
  certificate: Certificate,
): Promise<string[]> {
  return Object.entries(certificateFiles(file, certificate)).map(([name, content]) => {
    const path = join(folder, name)
    writeNewFile(path, content)
    return path
  })
}

/** Writes an evidence folder: evidence.json, its page and the list of digests. Codes as `writeRecordFolder`. */
export async function writeEvidence(folder: string, evidence: Evidence): Promise<void> {
  writeFolder(folder, { 'evidence.json': canonicalBytes(evidence), 'evidence.html': utf8(renderEvidence(evidence)) })
}

function writeFolder(folder: string, files: Files, log?: Iterable<LogRow>): void {
  makeWholeFolder(folder, (building) => {
    const digests: Record<string, Uint8Array> = {}
    for (const [name, content] of Object.entries(files)) {
      writeNewFile(join(building, name), content)
      digests[name] = sha256(content)
    }
    if (log) digests[LOG_NAME] = fromBase64url(writeLines(join(building, LOG_NAME), linesOf(log)).digest)
    writeNewFile(join(building, SUMS_NAME), sumsOf(digests))
  })
}

function* linesOf(rows: Iterable<LogRow>): Generator<string> {
  for (const row of rows) yield logLine(row)
}
