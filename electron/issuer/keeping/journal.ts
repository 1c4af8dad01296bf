import { randomBytes } from 'node:crypto'
import { closeSync, constants, existsSync, fsyncSync, ftruncateSync, openSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { z } from 'zod'
import { isKeyriteError, KeyriteError, must } from '../../../shared/errors.ts'
import { fromBase64url, fromUtf8, toBase64url, utf8 } from '../../../shared/formats/bytes.ts'
import { canonicalBytes, canonicalText, KB, parseAs, parseJson } from '../../../shared/formats/json.ts'
import { ioError } from '../../files/errors.ts'
import { readFileGuarded } from '../../files/read.ts'
import { NewFile, removeFile, replaceFile } from '../../files/write.ts'
import { open, seal } from '../sealing.ts'
import { type Entry, entrySchema, headerSchema, LINE_MAX, linesFrom, type Mark, markSchema } from './journal-format.ts'

/**
 * The files of the second place. `NAME.journal`: a line that says whose it is, then one sealed line for each entry, bound
 * to its number, only ever appended. `NAME.mark`: one sealed line, replaced whenever something was appended or the time was
 * written down: how far the journal goes, the newest bundle, the clock. Lines beyond the mark are those of a writer that
 * was ended before its mark; a torn one among them does not count.
 */

/** How far a journal goes. `mark` is null where its writer was ended before the first one. */
export type Place = { id: string; lines: number; bytes: number; mark: Mark | null; tail: Entry[] }
/** What is found at the second place; a journal under another storage key is known by that key's id. */
export type Found = { kind: 'none' } | { kind: 'other-key'; storageKeyId: string } | { kind: 'journal'; place: Place }

export class Journal {
  readonly #folder: string
  readonly #runtimeId: string
  readonly #storageKeyId: string
  readonly #key: Uint8Array

  constructor(folder: string, about: { runtimeId: string; storageKeyId: string; key: Uint8Array }) {
    this.#folder = folder
    this.#runtimeId = about.runtimeId
    this.#storageKeyId = about.storageKeyId
    this.#key = about.key
  }

  get path(): string {
    return join(this.#folder, `${this.#runtimeId}.journal`)
  }

  /** Looks how far the journal goes. Codes `second-place-damaged`, `audience-wrong`, `file-missing`, `medium-failed`. */
  look(): Found {
    must(existsSync(this.#folder), 'file-missing', `The second place ${this.#folder} is not there.`)
    const header = this.#header()
    if (header === null) {
      must(!existsSync(this.#markPath), 'second-place-damaged', `${this.path} is missing, but its mark is there.`)
      return { kind: 'none' }
    }
    const { id, storageKeyId, bytes: start } = header
    if (storageKeyId !== this.#storageKeyId) return { kind: 'other-key', storageKeyId }
    const mark = this.#readMark(id)
    const place: Place = { id, lines: mark?.lines ?? 0, bytes: mark?.bytes ?? start, mark, tail: [] }
    for (const { line, end } of linesFrom(this.path, place.bytes)) {
      const entry = this.#openTail(id, place.lines + 1, line)
      if (entry === null) break
      Object.assign(place, { lines: place.lines + 1, bytes: end })
      place.tail.push(entry)
    }
    return { kind: 'journal', place }
  }

  /** Every entry up to where the journal was found to go. Code `second-place-damaged`. */
  *entries({ id, lines }: Place): Generator<Entry> {
    let number = -1
    for (const { line } of linesFrom(this.path, 0)) {
      number += 1
      if (number > lines) break
      if (number > 0) yield this.#open(id, number, line)
    }
    must(number >= lines, 'second-place-damaged', `${this.path} is shorter than its mark says.`)
  }

  /** Begins a journal, in place of one that stands there. Nothing of it counts before all of it is on the disk. */
  async begin(batches: AsyncIterable<Entry[]>): Promise<Omit<Place, 'tail'>> {
    const id = toBase64url(randomBytes(32))
    const { path } = this
    const file = new NewFile(path, { replace: true })
    const about = {
      format: 1,
      type: 'runtime-journal',
      runtimeId: this.#runtimeId,
      id,
      storageKeyId: this.#storageKeyId,
    }
    const place = { id, lines: 0, bytes: 0, mark: null }
    const write = (line: string) => {
      file.write(line)
      place.bytes += line.length
    }
    try {
      write(`${canonicalText(about)}\n`)
      for await (const entries of batches) for (const entry of entries) write(this.#line(id, ++place.lines, entry))
      removeFile(this.#markPath)
      file.commit()
    } catch (error) {
      file.discard()
      throw error
    }
    return place
  }

  /** Appends behind `place`, cutting a torn line, and waits for the disk. Codes `medium-full`, `medium-failed`. */
  append(place: Omit<Place, 'tail'>, entries: readonly Entry[]): void {
    let lines = place.lines
    const bytes = utf8(entries.map((entry) => this.#line(place.id, ++lines, entry)).join(''))
    try {
      const fd = openSync(this.path, constants.O_RDWR | (constants.O_NOFOLLOW ?? 0))
      try {
        ftruncateSync(fd, place.bytes)
        for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, place.bytes + at)
        fsyncSync(fd)
      } finally {
        closeSync(fd)
      }
    } catch (error) {
      throw ioError(error, 'Writing', this.path)
    }
    Object.assign(place, { lines, bytes: place.bytes + bytes.length })
  }

  writeMark(mark: Mark): void {
    const sealed = seal(this.#key, canonicalBytes(mark), this.#bind('mark', 0))
    replaceFile(this.#markPath, `${toBase64url(sealed)}\n`)
  }

  get #markPath(): string {
    return join(this.#folder, `${this.#runtimeId}.mark`)
  }

  #header(): (z.infer<typeof headerSchema> & { bytes: number }) | null {
    if (!existsSync(this.path)) return null
    const [first] = linesFrom(this.path, 0)
    try {
      const header = parseAs(headerSchema, parseJson(first?.line ?? '', { maxBytes: 4 * KB }), 'journal')
      must(header.runtimeId === this.#runtimeId, 'audience-wrong', `${this.path} is of another runtime.`)
      return { ...header, bytes: first?.end ?? 0 }
    } catch (cause) {
      if (isKeyriteError(cause, 'audience-wrong')) throw cause
      throw damaged(this.path, cause)
    }
  }

  #readMark(id: string): Mark | null {
    if (!existsSync(this.#markPath)) return null
    try {
      const sealed = fromBase64url(fromUtf8(readFileGuarded(this.#markPath, 8 * KB)).trimEnd())
      const mark = parseAs(
        markSchema,
        parseJson(open(this.#key, sealed, this.#bind('mark', 0), 'It'), { maxBytes: 8 * KB }),
        'mark',
      )
      must(mark.id === id, 'second-place-damaged', `${this.#markPath} belongs to another journal.`)
      const { size } = statSync(this.path)
      must(size >= mark.bytes, 'second-place-damaged', `${this.path} is shorter than its mark says.`)
      return mark
    } catch (cause) {
      if (isKeyriteError(cause, 'medium-failed')) throw cause
      throw damaged(this.#markPath, cause)
    }
  }

  #line(id: string, number: number, entry: Entry): string {
    return `${toBase64url(seal(this.#key, canonicalBytes(entry), this.#bind(id, number)))}\n`
  }

  #open(id: string, number: number, line: Uint8Array): Entry {
    try {
      const text = open(this.#key, fromBase64url(fromUtf8(line)), this.#bind(id, number), 'It')
      return parseAs(entrySchema, parseJson(text, { maxBytes: LINE_MAX }), 'journal entry')
    } catch (cause) {
      throw damaged(`Line ${number} of ${this.path}`, cause)
    }
  }

  /** Beyond the mark a line that does not open is one that was never finished. */
  #openTail(id: string, number: number, line: Uint8Array): Entry | null {
    try {
      return this.#open(id, number, line)
    } catch {
      return null
    }
  }

  #bind(id: string, number: number): Uint8Array {
    return canonicalBytes(['keyrite second place 1', this.#runtimeId, id, number])
  }
}

const damaged = (what: string, cause: unknown): KeyriteError =>
  isKeyriteError(cause, 'second-place-damaged')
    ? cause
    : new KeyriteError('second-place-damaged', `${what} does not open: it was changed or damaged.`, { cause })
