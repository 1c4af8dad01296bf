import { createHash } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { utcStamp } from '../../shared/domain/utc.ts'
import { asKeyriteError, isKeyriteError, KeyriteError, must } from '../../shared/errors.ts'
import { type Bytes, wipe } from '../../shared/formats/bytes.ts'
import { ioError } from '../files/errors.ts'
import { readFileGuarded } from '../files/read.ts'
import { makeFolder, moveFile, tryRemove, writeNewFile } from '../files/write.ts'
import type { EncryptedDatabase } from '../sqlite/database.ts'
import { type EventRow, readRows } from './log.ts'
import { writeCopy } from './new-file.ts'
import { openFileKey } from './people.ts'
import { readPeople } from './people-store.ts'
import { type Act, dbPath, Vault } from './vault.ts'

/** Copies of a vault: written row by row to a medium, opened once by a quorum, tried again when a key is destroyed. */

const PEOPLE_MAX = 1024 * 1024
const NAME = /^\.?backup-(\d{1,6})-\d{8}T\d{6}Z\.vault(?:\.partial)?$/

export type WrittenCopy = { folder: string; files: Record<string, string> }

/**
 * Writes both files of a vault, as it stood at event `upTo`, to a new folder `backup-<n>-<UTC>.vault` on the medium:
 * people.json byte for byte, vault.db row by row, both read back and compared; the folder gets its name last. Codes
 * `vault-damaged` while a journal tells of a change that was cut short, `medium-full`, `medium-failed`, `file-exists`.
 */
export async function writeBackup(
  vault: Vault,
  media: string,
  { number, at, upTo }: { number: number; at: number; upTo: number },
): Promise<WrittenCopy> {
  mustBeAtRest(vault.folder)
  const name = `backup-${number}-${utcStamp(at)}.vault`
  const building = join(media, `.${name}.partial`)
  const folder = join(media, name)
  const key = await fileKeyOf(vault)
  try {
    must(!existsSync(folder), 'file-exists', `Writing ${folder}: it exists already.`)
    makeFolder(media)
    mkdirSync(building, { mode: 0o700 })
    writeNewFile(join(building, 'people.json'), readFileGuarded(join(vault.folder, 'people.json'), PEOPLE_MAX))
    writeCopy(dbPath(building), key, vault.database, () => rowsUpTo(vault.database, upTo))
    moveFile(building, folder)
    return {
      folder: name,
      files: { 'people.json': digestOf(folder, 'people.json'), 'vault.db': digestOf(folder, 'vault.db') },
    }
  } catch (error) {
    tryRemove(building)
    throw (error as NodeJS.ErrnoException).syscall ? ioError(error, 'Writing', folder) : error
  } finally {
    wipe(key)
  }
}

function* rowsUpTo(db: EncryptedDatabase, last: number): Generator<EventRow> {
  for (const row of readRows(db)) {
    if (row.seq > last) return
    yield row
  }
}

/** The key that opens the vault's file, once more from what is addressed to somebody present. The caller wipes it. */
async function fileKeyOf(vault: Vault): Promise<Bytes> {
  const { people } = readPeople(vault.folder)
  for (const [id, person] of vault.present) {
    const known = Object.keys(vault.state.people[id]?.fileKeys ?? {})
    for (const [keyId, jwe] of Object.entries(people[id]?.fileKeys ?? {}))
      if (known.includes(keyId)) return openFileKey(vault.anchor, person, keyId, jwe)
  }
  throw new KeyriteError('vault-people-changed', 'Nobody present has access to the vault’s file.')
}

/** SHA-256 of a file of any size; nothing else has it open. */
function digestOf(folder: string, name: string): string {
  const hash = createHash('sha256')
  const fd = openSync(join(folder, name), 'r')
  try {
    const chunk = new Uint8Array(256 * 1024)
    for (let got = readSync(fd, chunk); got > 0; got = readSync(fd, chunk)) hash.update(chunk.subarray(0, got))
  } finally {
    closeSync(fd)
  }
  return hash.digest('base64url')
}

/**
 * Refuses a folder in which a change was cut short: its journal belongs to one very file, and a copy with a journal from
 * elsewhere would be a mixture of two. A journal whose first bytes are zero tells of nothing. Code `vault-damaged`.
 */
export function mustBeAtRest(folder: string): void {
  const path = `${dbPath(folder)}-journal`
  if (!existsSync(path)) return
  const fd = openSync(path, 'r')
  try {
    const head = new Uint8Array(8)
    const hot = readSync(fd, head) > 0 && head.some((byte) => byte !== 0)
    must(!hot, 'vault-damaged', 'A journal lies beside the file of this vault: a change of it was cut short.', {
      hint: 'Open the vault where it was last used, which finishes or takes back the change, and copy it again.',
    })
  } finally {
    closeSync(fd)
  }
}

/** Takes back what an interrupted try of this backup left on the medium; gives the names. Only copies of this very vault. Code `medium-failed`. */
export function removeBackup(media: string, number: number, anchor: string): string[] {
  if (!existsSync(media)) return []
  try {
    const mine = readdirSync(media).filter((name) => {
      if (Number(NAME.exec(name)?.[1]) !== number) return false
      return name.startsWith('.') || isCopyOf(join(media, name), anchor)
    })
    for (const name of mine) rmSync(join(media, name), { recursive: true, force: true })
    return mine
  } catch (error) {
    throw ioError(error, 'Reading', media)
  }
}

function isCopyOf(folder: string, anchor: string): boolean {
  try {
    return readPeople(folder).anchor === anchor
  } catch {
    return false
  }
}

/**
 * Opens a copy for real: the people present, their shares, and the root unsealed from it. Gives where its history ends.
 * Codes of `Vault.openFor` and `withQuorum`.
 */
export async function openBackup(
  vault: Vault,
  folder: string,
  act: Act,
): Promise<{ seq: number; head: string; root: string }> {
  const copy = await Vault.openFor(folder, vault.present)
  copy.shareFolders = vault.shareFolders
  // What it holds is what this vault holds, and there a quorum accepted it; the acceptance itself may come after it.
  if (copy.state.head === vault.headAt(copy.state.seq)) copy.tail = null
  try {
    const { kid } = await copy.withQuorum(act, await copy.approve(act), (quorum) => quorum.root())
    return { seq: copy.state.seq, head: copy.state.head, root: kid }
  } finally {
    copy.close()
  }
}

/** `seq` and `head` tell which copy it is; null where it did not open at all. */
export type Tried =
  | { seq: number; head: string; opened: string[]; why: string }
  | { seq: null; opened: []; why: string }

/**
 * Tries to open keys from a copy with the shares of those present. Nothing that fails is an error here: it is what is to be
 * known. `why` says of the keys that did not open why they did not.
 */
export async function tryKeys(vault: Vault, folder: string, kids: readonly string[], act: Act): Promise<Tried> {
  let copy: Vault
  try {
    mustBeAtRest(folder)
    copy = await Vault.openFor(folder, vault.present)
    copy.shareFolders = vault.shareFolders
  } catch (error) {
    return { seq: null, opened: [], why: `The copy did not open: ${asKeyriteError(error).message}` }
  }
  try {
    must(copy.anchor.vaultId === vault.anchor.vaultId, 'vault-mismatch', 'It is a copy of another vault.')
    return { seq: copy.state.seq, head: copy.state.head, ...(await tryOne(copy, kids, act)) }
  } catch (error) {
    return { seq: null, opened: [], why: asKeyriteError(error).message }
  } finally {
    copy.close()
  }
}

async function tryOne(copy: Vault, kids: readonly string[], act: Act): Promise<{ opened: string[]; why: string }> {
  const there = kids.filter((kid) => copy.state.sealed.has(`key:${kid}`))
  if (there.length === 0) return { opened: [], why: 'None of the keys is in it.' }
  // Nothing is done here that a newer event could forbid; whoever finds a copy would not ask for its tail either.
  copy.tail = null
  try {
    const opened = await copy.withQuorum(act, await copy.approve(act), async (quorum) =>
      there.filter((kid) => {
        const pkcs8 = quorum.unseal(kid)
        wipe(pkcs8)
        return pkcs8.length > 0
      }),
    )
    return { opened, why: opened.length === kids.length ? 'Every key opened.' : 'The others are not in it.' }
  } catch (error) {
    if (!isKeyriteError(error)) throw error
    return { opened: [], why: `Its keys did not open for those present: ${error.message}` }
  }
}
