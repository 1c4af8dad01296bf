import { join } from 'node:path'
import { must } from '../../shared/errors.ts'
import { equalBytes, utf8 } from '../../shared/formats/bytes.ts'
import type { Certificate, CertificateFile } from '../../shared/formats/certificate.ts'
import type { Evidence } from '../../shared/formats/evidence.ts'
import { fileName } from '../../shared/formats/file-name.ts'
import { canonicalBytes } from '../../shared/formats/json.ts'
import type { CeremonyRecord } from '../../shared/formats/record.ts'
import { statementFile } from '../../shared/formats/statement-file.ts'
import { openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import { renderCertificate } from '../../shared/pages/certificate-page.ts'
import { renderEvidence } from '../../shared/pages/evidence-page.ts'
import { renderHeadCard } from '../../shared/pages/head-card-page.ts'
import { renderRecord } from '../../shared/pages/record-page.ts'
import { scriptText } from '../../shared/pages/script-text.ts'
import { makeEmptyFolder, writeNewFile } from '../files/write.ts'
import { SUMS_NAME, sumsOf } from './sums.ts'

/** Folders that people keep: the signed JSON is the authority, everything else is drawn from it. */

export type Files = Record<string, Uint8Array>

export type RecordFolder = {
  record: CeremonyRecord
  /** The plan file as it was read; the record holds the same text. */
  planBytes: Uint8Array
  /** The newest checkpoint, as signed by the root. */
  headCard?: string
  /** Further files by name, such as those of `certificateFiles`; they stand on the list of digests too. */
  extra?: Files
}

/** Writes a record folder, its list of digests last. Codes: `folder-not-empty` and those of `writeNewFile`. */
export async function writeRecordFolder(
  folder: string,
  { record, planBytes, headCard, extra }: RecordFolder,
): Promise<void> {
  must(equalBytes(planBytes, utf8(record.record.plan)), 'internal', 'The plan file is not the plan of the record.')
  writeFolder(folder, {
    'plan.json': planBytes,
    'script.txt': utf8(scriptText(record.record)),
    'record.json': canonicalBytes(record),
    'record.html': utf8(renderRecord(record)),
    ...(headCard === undefined ? {} : await headCardFiles(record, headCard)),
    ...extra,
  })
}

async function headCardFiles({ record }: CeremonyRecord, checkpoint: string): Promise<Files> {
  const { name, vaultId, practice, key } = await openTrustAnchor(record.anchor)
  return {
    'head-card.keyrite': utf8(statementFile(checkpoint)),
    'head-card.html': utf8(renderHeadCard({ name, vaultId, practice, root: key.kid }, checkpoint)),
  }
}

/** The two files of a certificate by name: the signed JSON and its page. */
export function certificateFiles(file: CertificateFile, certificate: Certificate): Files {
  const content = canonicalBytes(file)
  const name = (extension: string) => fileName('certificate', content, certificate.issuedAt, extension)
  return { [name('json')]: content, [name('html')]: utf8(renderCertificate(file)) }
}

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

function writeFolder(folder: string, files: Files): void {
  makeEmptyFolder(folder)
  for (const [name, content] of Object.entries(files)) writeNewFile(join(folder, name), content)
  writeNewFile(join(folder, SUMS_NAME), sumsOf(files))
}
