import { createHash, randomBytes } from 'node:crypto'
import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { KeyriteError } from '../../shared/errors.ts'
import { type Bytes, utf8 } from '../../shared/formats/bytes.ts'
import { ioError } from './errors.ts'
import { readLinesGuarded } from './read.ts'
import { NewFile, tryRemove } from './write.ts'

/** Files of lines, written as a stream and read back before they count. */

const LF = Uint8Array.of(10)
const NO_CAP = Number.MAX_SAFE_INTEGER

/**
 * Writes a new file of newline-terminated lines, re-opens it and compares its SHA-256 with what was written. Gives its
 * size in bytes and the digest (base64url). Codes: `file-exists`, `medium-full`, `medium-failed`; then no file is left
 * under the name.
 */
export function writeLines(path: string, lines: Iterable<Uint8Array | string>): { bytes: number; digest: string } {
  const file = new NewFile(path)
  const hash = createHash('sha256')
  let bytes = 0
  try {
    for (const line of lines) {
      const content = typeof line === 'string' ? utf8(line) : line
      for (const part of [content, LF]) {
        file.write(part)
        hash.update(part)
      }
      bytes += content.length + 1
    }
    file.commit()
  } catch (error) {
    file.discard()
    throw error
  }
  const digest = hash.digest('base64url')
  try {
    if (digestLines(path) !== digest)
      throw new KeyriteError('medium-failed', `Writing ${path}: it reads back differently.`)
  } catch (error) {
    tryRemove(path)
    throw error
  }
  return { bytes, digest }
}

/** SHA-256 (base64url) of a file of lines, read guarded and in constant memory. Codes as `readLinesGuarded`. */
export function digestLines(path: string): string {
  const hash = createHash('sha256')
  for (const line of readLinesGuarded(path, { maxBytes: NO_CAP, maxLine: NO_CAP })) hash.update(line).update(LF)
  return hash.digest('base64url')
}

/**
 * Lines that arrive in any order and are read in the order of their names. They wait in a temporary file (mode 0600),
 * so that memory holds only their names. `discard` removes it; it never has a final name.
 */
export class LineSpool {
  readonly #path: string
  readonly #fd: number
  readonly #index: { name: string; at: number; length: number }[] = []
  #end = 0
  #open = true

  constructor(folder: string) {
    this.#path = join(folder, `.${randomBytes(8).toString('hex')}.partial`)
    try {
      this.#fd = openSync(this.#path, 'wx+', 0o600)
    } catch (error) {
      throw ioError(error, 'Writing', folder)
    }
  }

  get size(): number {
    return this.#index.length
  }

  add(name: string, line: Uint8Array): void {
    try {
      for (let at = 0; at < line.length; ) at += writeSync(this.#fd, line, at, line.length - at, this.#end + at)
    } catch (error) {
      throw ioError(error, 'Writing', this.#path)
    }
    this.#index.push({ name, at: this.#end, length: line.length })
    this.#end += line.length
  }

  /** The lines in ascending order of their names. May be called more than once. */
  *sorted(): Generator<Bytes> {
    this.#index.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    for (const { at, length } of this.#index) {
      const line = new Uint8Array(length)
      for (let got = 0; got < length; ) {
        const more = readSync(this.#fd, line, got, length - got, at + got)
        if (more === 0) throw new KeyriteError('medium-failed', `Reading ${this.#path}: it is shorter than it was.`)
        got += more
      }
      yield line
    }
  }

  discard(): void {
    if (this.#open) closeSync(this.#fd)
    this.#open = false
    tryRemove(this.#path)
  }
}
