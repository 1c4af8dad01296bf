import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { VaultAtHand } from '../../../shared/contract/home.ts'
import { asKeyriteError } from '../../../shared/errors.ts'
import { ioError } from '../../files/errors.ts'
import { gatheringAt } from '../gathering.ts'

/** So many vaults are listed of one folder; more are no home any more. */
const MOST = 200

/**
 * The vaults in a folder, by name, read from their lists of people alone. One that does not read is listed with what is
 * wrong with it; a folder that is not there has none. Code `medium-failed`.
 */
export async function vaultsIn(folder: string): Promise<VaultAtHand[]> {
  const names = namesIn(folder).filter((name) => name.endsWith('.vault') && !name.startsWith('.'))
  const vaults = await Promise.all(names.slice(0, MOST).map((name) => atHand(join(resolve(folder), name), name)))
  return vaults.toSorted((one, other) => one.name.localeCompare(other.name) || (one.folder < other.folder ? -1 : 1))
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    const refused = ioError(error, 'Reading', folder)
    if (refused.code === 'file-missing') return []
    throw refused
  }
}

async function atHand(folder: string, fileName: string): Promise<VaultAtHand> {
  try {
    const { anchor, people, threshold } = await gatheringAt(folder)
    const { name, practice } = anchor
    return {
      folder,
      name,
      practice,
      people: people.map(({ id, name, role }) => ({ id, name, role })),
      threshold,
      problem: null,
    }
  } catch (error) {
    const { message } = asKeyriteError(error)
    return {
      folder,
      name: fileName.slice(0, -'.vault'.length),
      practice: false,
      people: [],
      threshold: 0,
      problem: message,
    }
  }
}
