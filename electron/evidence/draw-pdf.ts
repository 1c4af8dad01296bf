import type { CeremonyRecord } from '../../shared/formats/record.ts'

/** record.pdf of a record. What draws PDF is loaded only where one is drawn. */
export async function drawPdf(record: CeremonyRecord): Promise<Uint8Array> {
  const { recordPdf } = await import('./record-pdf.ts')
  return recordPdf(record)
}
