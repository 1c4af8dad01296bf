import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Gives } from '../../../shared/contract/contract.ts'
import { KeyriteError, must } from '../../../shared/errors.ts'
import { fromUtf8 } from '../../../shared/formats/bytes.ts'
import { MB } from '../../../shared/formats/json.ts'
import { ioError } from '../../files/errors.ts'
import { readFileGuarded } from '../../files/read.ts'
import { makeFolder, writeNewFile } from '../../files/write.ts'
import { type AppContext, carrying } from '../context.ts'

/** Plans as files: beside the vaults in the home folder, and on the medium. */

type Place = 'home' | 'medium'
type Known = Gives<'plans'>['plans'][number]

const PLAN_MAX = 4 * MB
/** As plans name files on the medium: no folder, no leading dot. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,120}$/

const homeFolder = (app: AppContext): string => join(app.home, 'plans')
const folderOf = (app: AppContext, place: Place): string => (place === 'home' ? homeFolder(app) : carrying(app))

/** The plans there are, the newest first. On the medium a plan is known by its name alone. Code `medium-failed`. */
export function plansAt(app: AppContext): Known[] {
  const places: Place[] = app.medium === null ? ['home'] : ['home', 'medium']
  return places.flatMap((place) => plansIn(folderOf(app, place), place)).toSorted((a, b) => b.modified - a.modified)
}

function plansIn(folder: string, place: Place): Known[] {
  if (!existsSync(folder)) return []
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile() && NAME.test(entry.name) && entry.name.endsWith('.json'))
      .map(({ name }) => ({ place, name, modified: Math.floor(statSync(join(folder, name)).mtimeMs / 1000) }))
  } catch (error) {
    throw ioError(error, 'Reading', folder)
  }
}

/** The text of a plan file. Codes `usage-invalid`, `medium-failed`, `plan-invalid` and those of guarded reading. */
export function loadPlan(app: AppContext, place: Place, name: string): string {
  const bytes = readFileGuarded(join(folderOf(app, place), named(name)), PLAN_MAX)
  try {
    return fromUtf8(bytes)
  } catch (error) {
    throw new KeyriteError('plan-invalid', `${name} is not text, so it is no plan.`, { cause: error })
  }
}

/** Keeps a plan in the home folder. Codes `usage-invalid`, `file-exists` and those of writing. Gives the name it got. */
export function savePlan(app: AppContext, name: string, text: string): string {
  const file = named(name.endsWith('.json') ? name : `${name}.json`)
  makeFolder(homeFolder(app))
  writeNewFile(join(homeFolder(app), file), text)
  return file
}

function named(name: string): string {
  must(NAME.test(name), 'usage-invalid', 'The name of a plan has letters, digits, dots, hyphens and underscores only.')
  return name
}
