import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { must } from '../../../shared/errors.ts'
import { writtenOf } from '../../ceremony/record.ts'
import { ioError } from '../../files/errors.ts'
import { type AppContext, recordsOf, viewed } from '../context.ts'
import type { Reporter } from '../reporter.ts'
import { connect } from '../wiring.ts'
import { ceremonyOf } from './list.ts'

const SILENT: Reporter = { say: () => {}, progress: () => {} }

/**
 * Writes the record folder of a completed ceremony of the open vault where none lies; everything in it follows from the
 * vault. Codes: `ceremony-unknown` for one that is not completed; `folder-not-empty` where something lies at its place;
 * those of writing.
 */
export async function writeAgain(app: AppContext, ceremony: string): Promise<string> {
  const { vault, folder } = viewed(app)
  ceremonyOf(vault.state, ceremony)
  const written = writtenOf(vault, ceremony)
  const records = recordsOf(folder)
  const place = join(records, ceremony)
  must(isFree(place), 'folder-not-empty', `Something lies at ${place} already, and nothing is written over it.`, {
    hint: 'Where it is not the record of this ceremony, move it away, then have the record written again.',
  })
  const { now } = app
  // Nothing is carried: the medium is never touched.
  return connect({ media: records, records, now, reporter: SILENT }).writeRecord(written)
}

function isFree(place: string): boolean {
  try {
    return !existsSync(place) || readdirSync(place).length === 0
  } catch (error) {
    throw ioError(error, 'Reading', place)
  }
}
