import { recordPdf } from '../../../electron/evidence/record-pdf.ts'
import type { CeremonyRecord } from '../../../shared/formats/record.ts'

/** Stands in for electron/evidence/draw-pdf.ts: the page of one record is drawn once, not again at each verification. */

const drawn = new Map<string, Promise<Uint8Array>>()

export function drawPdf(record: CeremonyRecord): Promise<Uint8Array> {
  const name = JSON.stringify(record)
  const page = drawn.get(name) ?? recordPdf(record)
  if (drawn.size > 50) drawn.clear()
  drawn.set(name, page)
  return page
}
