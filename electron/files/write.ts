import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { must } from '../../shared/errors.ts'
import { equalBytes, utf8 } from '../../shared/formats/bytes.ts'
import { ioError } from './errors.ts'
import { readFileGuarded } from './read.ts'

/**
 * Durable writing: a temporary name opened exclusively with mode 0600, fsync, then the final name, fsync of the folder.
 * A file under its final name is whole; nothing is ever overwritten except by `replaceFile`.
 */

/** What is being made stands under such a name. */
const unfinishedName = () => `.${randomBytes(8).toString('hex')}.partial`
const UNFINISHED = /^\.[0-9a-f]{16}\.partial$/

/**
 * Removes what a program was making in this folder when it was ended. Only for folders in which nobody else is writing.
 * Code `medium-failed`.
 */
export function removeUnfinished(folder: string): void {
  if (!existsSync(folder)) return
  for (const name of readdirSync(folder)) if (UNFINISHED.test(name)) removeFile(join(folder, name))
}

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0)

/** Makes renames and links in `folder` durable. Windows cannot open folders; its file system journals them itself. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  try {
    const fd = openSync(folder, constants.O_RDONLY)
    try {
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    throw ioError(error, 'Writing', folder)
  }
}

/** Gives a whole, durable file its final name, in place of what stands there. Codes as `ioError`. */
export function moveFile(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    throw ioError(error, 'Writing', to)
  }
  syncFolder(dirname(to))
}

/** Removes a file or folder if it is there. Code `medium-failed`. */
export function removeFile(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true })
  } catch (error) {
    throw ioError(error, 'Removing', path)
  }
}

/** Clears up after a failure as far as the medium lets it: the failure itself is what people must hear of. */
export function tryRemove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true })
  } catch {
    // What stays has no final name, and the next one that writes here removes it.
  }
}

/** A new file written piece by piece; it appears under its final name only with `commit`. */
export class NewFile {
  readonly path: string
  readonly #temporary: string
  readonly #fd: number
  readonly #replace: boolean
  #open = true

  /** Opens a temporary file beside `path`. Codes: `file-exists` unless it is to replace, `medium-full`, `medium-failed`. */
  constructor(path: string, { replace = false } = {}) {
    this.path = path
    this.#replace = replace
    this.#temporary = join(dirname(path), unfinishedName())
    try {
      must(replace || !existsSync(path), 'file-exists', `Writing ${path}: it exists already.`)
      this.#fd = openSync(this.#temporary, CREATE, 0o600)
    } catch (error) {
      throw ioError(error, 'Writing', path)
    }
  }

  write(content: Uint8Array | string): void {
    const bytes = typeof content === 'string' ? utf8(content) : content
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at, bytes.length - at)
    } catch (error) {
      this.discard()
      throw ioError(error, 'Writing', this.path)
    }
  }

  /** Makes the content durable and gives it its name. */
  commit(): void {
    try {
      fsyncSync(this.#fd)
      this.#close()
      if (this.#replace) renameSync(this.#temporary, this.path)
      else giveName(this.#temporary, this.path)
      syncFolder(dirname(this.path))
    } catch (error) {
      this.discard()
      throw ioError(error, 'Writing', this.path)
    }
  }

  /** Removes the temporary file. Safe to call more than once. */
  discard(): void {
    this.#close()
    tryRemove(this.#temporary)
  }

  #close(): void {
    if (this.#open) closeSync(this.#fd)
    this.#open = false
  }
}

/** A hard link refuses an existing name in one step; file systems without links (FAT) get a check and a rename. */
function giveName(temporary: string, path: string): void {
  try {
    linkSync(temporary, path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP') throw error
    must(!existsSync(path), 'file-exists', `Writing ${path}: it exists already.`)
    renameSync(temporary, path)
    return
  }
  try {
    unlinkSync(temporary)
  } catch (error) {
    // Whoever hears of a failure must not find the file under its name all the same.
    rmSync(path, { force: true })
    throw error
  }
}

/**
 * Writes a new small file, reads it back and compares; what differs is removed. Codes: `file-exists`, `medium-full`,
 * `medium-failed`.
 */
export function writeNewFile(path: string, content: Uint8Array | string): void {
  const bytes = typeof content === 'string' ? utf8(content) : content
  const file = new NewFile(path)
  file.write(bytes)
  file.commit()
  try {
    const same = equalBytes(readFileGuarded(path, bytes.length), bytes)
    must(same, 'medium-failed', `Writing ${path}: it reads back differently.`)
  } catch (error) {
    tryRemove(path)
    throw error
  }
}

/** Replaces a file in one step: readers see the old content or the new, never a mixture. */
export function replaceFile(path: string, content: Uint8Array | string): void {
  const file = new NewFile(path, { replace: true })
  file.write(content)
  file.commit()
}

/**
 * Creates a folder and its parents, one by one: a recursive mkdir does not return on file systems like /proc, where
 * nothing can be made. What exists stays as it is. Codes as `ioError`.
 */
export function makeFolder(path: string): void {
  if (existsSync(path)) return
  try {
    makeFolder(dirname(path))
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    throw ioError(error, 'Creating', path)
  }
}

/** Creates a folder for new files (mode 0700), or accepts an empty one. Code `folder-not-empty`. */
export function makeEmptyFolder(path: string): void {
  try {
    if (!isEmptyFolder(path)) makeFolder(path)
  } catch (error) {
    throw ioError(error, 'Creating', path)
  }
}

/**
 * Creates a folder with all that `fill` writes into it, or nothing: it is made under another name beside and gets its own
 * when it is whole. An empty folder may stand there already. Codes `folder-not-empty`, and as `ioError`.
 */
export function makeWholeFolder(path: string, fill: (folder: string) => void): void {
  const building = join(dirname(path), unfinishedName())
  try {
    const empty = isEmptyFolder(path)
    makeFolder(building)
    fill(building)
    if (empty) rmdirSync(path)
    moveFile(building, path)
  } catch (error) {
    tryRemove(building)
    throw ioError(error, 'Creating', path)
  }
}

function isEmptyFolder(path: string): boolean {
  if (!existsSync(path)) return false
  must(statSync(path).isDirectory(), 'folder-not-empty', `${path} exists and is not a folder.`)
  must(readdirSync(path).length === 0, 'folder-not-empty', `${path} is not empty.`)
  return true
}
