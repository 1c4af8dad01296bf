import { renderScript, scriptLines } from '../../../shared/pages/script-page.ts'
import { writeNewFile } from '../../files/write.ts'
import { text } from '../open-vault.ts'
import type { Answer } from '../output.ts'
import { type Options, readPlanFile } from './run.ts'

/** `ceremony print PLAN`: the script for the room, as text or as a page for A4 and Letter. */
export async function print([path = '']: string[], options: Options): Promise<Answer> {
  const read = readPlanFile(path)
  const page = text(options['html'])
  const data = { kind: read.plan.kind, planDigest: read.digest, html: page ?? null }
  if (!page) return { data: { ...data, script: scriptLines(read) }, text: scriptLines(read) }
  writeNewFile(page, renderScript(read))
  return { data, text: `The script is in ${page}. Print it, one for each person.` }
}
