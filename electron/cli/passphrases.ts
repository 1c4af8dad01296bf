import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { must } from '../../shared/errors.ts'
import { fromUtf8 } from '../../shared/formats/bytes.ts'
import { isTenantId } from '../../shared/formats/tenant-id.ts'
import { ioError } from '../files/errors.ts'
import { readFileGuarded } from '../files/read.ts'

const MAX = 1024

/**
 * Reads `--passphrases DIR`: one file per person, named by the person's id, readable by its owner alone. A final line
 * break is not part of the passphrase. Codes `passphrase-missing`, `file-missing`, `file-refused`.
 */
export function readPassphrases(folder: string | undefined): Map<string, string> {
  must(folder, 'passphrase-missing', 'This needs passphrases, and none were given.')
  return readSecrets(folder)
}

/** Reads a folder of secrets, one file each, readable by its owner alone. Codes as `readPassphrases`. */
export function readSecrets(folder: string): Map<string, string> {
  const passphrases = new Map<string, string>()
  for (const id of list(folder)) {
    const path = join(folder, id)
    must(isTenantId(id), 'file-refused', `Reading ${path}: it is not named by the id of a person.`)
    const open = process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0
    must(!open, 'file-refused', `Reading ${path}: others on this machine may read it.`, {
      hint: `Make it its owner's alone: chmod 600 ${path}`,
    })
    passphrases.set(id, fromUtf8(readFileGuarded(path, MAX)).replace(/\r?\n$/, ''))
  }
  must(passphrases.size > 0, 'passphrase-missing', `There is no passphrase in ${folder}.`)
  return passphrases
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => !name.startsWith('.'))
  } catch (error) {
    throw ioError(error, 'Reading', folder)
  }
}
