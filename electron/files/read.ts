import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import { KeyriteError, must } from '../../shared/errors.ts'
import { ioError } from './errors.ts'

/**
 * Guarded reading: a regular file, not a link, FIFO or device, not larger than the cap, not changing meanwhile.
 * O_NOFOLLOW and O_NONBLOCK make the checks hold for the very file that is read.
 */

const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

type Opened = { fd: number; size: number; done: () => void }

function openGuarded(path: string, maxBytes: number): Opened {
  let fd: number
  try {
    fd = openSync(path, FLAGS)
  } catch (error) {
    throw ioError(error, 'Reading', path)
  }
  try {
    const before = fstatSync(fd)
    must(before.isFile(), 'file-refused', `Reading ${path}: it is not a regular file.`)
    must(before.size <= maxBytes, 'file-too-large', `Reading ${path}: it is larger than ${maxBytes} bytes.`)
    return { fd, size: before.size, done: () => unchanged(before, fstatSync(fd), path) }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function unchanged(before: Stats, after: Stats, path: string): void {
  const same = before.size === after.size && before.mtimeMs === after.mtimeMs && before.ino === after.ino
  must(same, 'file-refused', `Reading ${path}: it changed while it was read.`)
}

/** Reads a whole small file of at most `maxBytes`. Codes: `file-missing`, `file-refused`, `file-too-large`, `medium-failed`. */
export function readFileGuarded(path: string, maxBytes: number): Uint8Array<ArrayBuffer> {
  const { fd, size, done } = openGuarded(path, maxBytes)
  try {
    const bytes = new Uint8Array(size)
    let at = 0
    while (at < size) {
      const got = readSync(fd, bytes, at, size - at, at)
      must(got > 0, 'file-refused', `Reading ${path}: it changed while it was read.`)
      at += got
    }
    done()
    return bytes
  } catch (error) {
    throw ioError(error, 'Reading', path)
  } finally {
    closeSync(fd)
  }
}

/** Reads the first `length` bytes of a file, all of it where it is shorter. Codes as `readFileGuarded`. */
export function readStartGuarded(
  path: string,
  { maxBytes, length }: { maxBytes: number; length: number },
): Uint8Array<ArrayBuffer> {
  const { fd, size } = openGuarded(path, maxBytes)
  try {
    const bytes = new Uint8Array(Math.min(size, length))
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0))
  } catch (error) {
    throw ioError(error, 'Reading', path)
  } finally {
    closeSync(fd)
  }
}

const CHUNK = 256 * 1024

/**
 * Reads newline-terminated lines in constant memory. Every line, the last one too, must end with "\n" and be 1 to
 * `maxLine` bytes long. Codes as `readFileGuarded`, and `format-invalid`.
 */
export function* readLinesGuarded(
  path: string,
  { maxBytes, maxLine }: { maxBytes: number; maxLine: number },
): Generator<Uint8Array<ArrayBuffer>> {
  const { fd, size, done } = openGuarded(path, maxBytes)
  const bad = (what: string) => new KeyriteError('format-invalid', `Reading ${path}: ${what}.`)
  try {
    let rest = new Uint8Array(0)
    for (let at = 0; at < size; ) {
      const chunk = new Uint8Array(Math.min(CHUNK, size - at))
      const got = readSync(fd, chunk, 0, chunk.length, at)
      must(got > 0, 'file-refused', `Reading ${path}: it changed while it was read.`)
      at += got
      const joined = new Uint8Array(rest.length + got)
      joined.set(rest)
      joined.set(chunk.subarray(0, got), rest.length)
      let start = 0
      for (let end = joined.indexOf(10, rest.length); end !== -1; end = joined.indexOf(10, start)) {
        if (end === start || end - start > maxLine) throw bad('a line is empty or too long')
        yield joined.slice(start, end)
        start = end + 1
      }
      rest = joined.slice(start)
      if (rest.length > maxLine) throw bad('a line is too long')
    }
    if (rest.length > 0) throw bad('its last line does not end')
    done()
  } catch (error) {
    throw ioError(error, 'Reading', path)
  } finally {
    closeSync(fd)
  }
}
