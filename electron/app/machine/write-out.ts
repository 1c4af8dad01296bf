import { closeSync, constants, type Dirent, fsyncSync, openSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ioError } from '../../files/errors.ts'
import { syncFolder } from '../../files/write.ts'

/** Makes what lies in a folder durable, and says what it could not reach. */

const WALK_MAX = 20_000

export type WrittenOut = {
  /** Files and folders that this program may not open: it did not write them either. */
  closed: number
  /** There are more files than are gone through. */
  more: boolean
}

/** Makes every file below a folder durable, then the folders. Code `medium-failed`. */
export function writeOut(folder: string, most = WALK_MAX): WrittenOut {
  const done: WrittenOut = { closed: 0, more: false }
  const folders = [folder]
  const read: string[] = []
  let seen = 0
  try {
    for (const path of folders) {
      const entries = entriesOf(path, done)
      if (entries) read.push(path)
      for (const entry of entries ?? []) {
        seen += 1
        done.more ||= seen > most
        if (done.more) break
        const inside = join(path, entry.name)
        if (entry.isDirectory()) folders.push(inside)
        else if (entry.isFile()) syncFile(inside, done)
      }
    }
    for (const path of read.reverse()) syncFolder(path)
  } catch (error) {
    throw ioError(error, 'Writing', folder)
  }
  return done
}

/** Null for a folder that this program may not open. */
function entriesOf(folder: string, done: WrittenOut): Dirent[] | null {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    if (!isDenied(error)) throw error
    done.closed += 1
    return null
  }
}

const isDenied = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM')

/** Windows writes out only what was opened for writing. */
const SYNC_FLAGS = process.platform === 'win32' ? constants.O_RDWR : constants.O_RDONLY
const FLAGS = SYNC_FLAGS | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

function syncFile(path: string, done: WrittenOut): void {
  let fd: number
  try {
    fd = openSync(path, FLAGS)
  } catch {
    done.closed += 1
    return
  }
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
