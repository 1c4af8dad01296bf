import { existsSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Gives } from '../../../shared/contract/contract.ts'
import { utcStamp } from '../../../shared/domain/utc.ts'
import { must } from '../../../shared/errors.ts'
import { MB } from '../../../shared/formats/json.ts'
import { evidenceOf, signEvidence } from '../../evidence/build.ts'
import { writeEvidence } from '../../evidence/write-record.ts'
import { readFileGuarded } from '../../files/read.ts'
import { makeFolder, makeWholeFolder, removeUnfinished, writeNewFile } from '../../files/write.ts'
import { type AppContext, carrying, viewed } from '../context.ts'
import { filesIn, knownFolder } from './folder.ts'

/** What leaves: a record folder to the medium, and the audit pack. */

const FILE_MAX = 512 * MB

/**
 * Copies a record folder to the medium, each file read back, all of them or none. Codes `file-missing`, `file-exists`,
 * `medium-full`, `medium-failed`.
 */
export function exportRecord(app: AppContext, ceremony: string): string {
  const medium = carrying(app)
  // A folder that is gone would be made anew, on the disk of this machine.
  const there = statSync(medium, { throwIfNoEntry: false })?.isDirectory() === true
  must(there, 'medium-failed', 'The medium is not there any more.', {
    hint: 'Put it in again, and choose it once more.',
  })
  const from = knownFolder(app, ceremony)
  const to = join(medium, `record-${ceremony}`)
  must(!existsSync(to), 'file-exists', `The medium has a folder ${basename(to)} already.`)
  removeUnfinished(medium)
  makeWholeFolder(to, (building) => {
    for (const { name } of filesIn(from))
      writeNewFile(join(building, name), readFileGuarded(join(from, name), FILE_MAX))
  })
  return to
}

/** Builds the audit pack; whoever opened the vault signs it. Codes `ceremony-conflict` without a checkpoint, and of writing. */
export async function buildEvidence(app: AppContext): Promise<Gives<'buildEvidence'>> {
  const { vault } = viewed(app)
  const at = app.now()
  const evidence = evidenceOf(vault.state, at, null)
  const signatures = await signEvidence(evidence, vault.present.values())
  const folder = join(app.home, 'evidence', utcStamp(at))
  makeFolder(join(app.home, 'evidence'))
  await writeEvidence(folder, { evidence, signatures })
  return {
    folder,
    files: filesIn(folder).map(({ name }) => name),
    missing: evidence.notCollected.map(({ what, why }) => `${what}: ${why}`),
  }
}
