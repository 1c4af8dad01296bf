import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { readFileGuarded, readLinesGuarded } from '../../electron/files/read.ts'

/** Guarded reading. What it refuses at every import is fault 28. */

/** Called before each read of a chunk, so that a test can change the file in the middle. */
const meanwhile = vi.hoisted(() => ({ act: (): void => undefined, opened: 0, closed: 0 }))
vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>()
  return {
    ...real,
    openSync: (...args: Parameters<typeof real.openSync>) => {
      const fd = real.openSync(...args)
      meanwhile.opened++
      return fd
    },
    closeSync: (fd: number) => {
      real.closeSync(fd)
      meanwhile.closed++
    },
    readSync: (...args: Parameters<typeof real.readSync>) => {
      meanwhile.act()
      return real.readSync(...args)
    },
  }
})

let base: string
let path: string
let count = 0
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'keyrite-read-'))
})
afterAll(() => rmSync(base, { recursive: true, force: true }))
beforeEach(() => {
  path = join(base, `file-${++count}`)
  meanwhile.act = () => undefined
  meanwhile.opened = 0
  meanwhile.closed = 0
})

const bytes = (length: number, byte = 65) => Buffer.alloc(length, byte)
const whole = (from = path, max = 1000) => readFileGuarded(from, max)
const lines = (from = path, max = 1_000_000, maxLine = 1000) => [...readLinesGuarded(from, { maxBytes: max, maxLine })]
const READERS: [string, (from: string) => unknown][] = [
  ['a whole file', (from) => whole(from)],
  ['lines', (from) => lines(from)],
]

function refused(attempt: () => unknown, code: string): void {
  expect(attempt).toThrow(expect.objectContaining({ code }))
  expect(meanwhile.closed).toBe(meanwhile.opened)
}

describe.each(READERS)('reading %s', (_what, read) => {
  it('file-missing: no such file, or a file where a folder should be', () => {
    refused(() => read(path), 'file-missing')
    writeFileSync(path, 'x\n')
    refused(() => read(join(path, 'inside')), 'file-missing')
  })

  it('file-refused: a symbolic link, to a good file, to nothing, or to itself', () => {
    writeFileSync(`${path}.target`, 'good\n')
    for (const target of [`${path}.target`, `${path}.nothing`, path]) {
      symlinkSync(target, path)
      refused(() => read(path), 'file-refused')
      rmSync(path)
    }
  })

  it('file-refused: a folder', () => {
    mkdirSync(path)
    refused(() => read(path), 'file-refused')
  })

  it('file-refused: a FIFO, at once and without waiting for a writer', (ctx) => {
    if (process.platform === 'win32') return ctx.skip('no FIFOs on Windows')
    execFileSync('mkfifo', [path])
    const start = performance.now()
    refused(() => read(path), 'file-refused')
    expect(performance.now() - start).toBeLessThan(1000)
  })

  it.each(['/dev/zero', '/dev/null', '/dev/random'])('file-refused: the device %s', (device) => {
    refused(() => read(device), 'file-refused')
  })

  it('file-refused: a socket', async (ctx) => {
    if (process.platform === 'win32') return ctx.skip('no socket files on Windows')
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(path, resolve))
    refused(() => read(path), 'file-refused')
    await new Promise((resolve) => server.close(resolve))
  })

  it.each<[string, () => void]>([
    ['longer', () => appendFileSync(path, 'more\n')],
    ['shorter', () => truncateSync(path, 3)],
    ['empty', () => truncateSync(path, 0)],
    [
      'other bytes of the same length',
      () => {
        writeFileSync(path, 'BBBB\n')
        utimesSync(path, 5, 5)
      },
    ],
    ['its time', () => utimesSync(path, 9, 9)],
  ])('file-refused: it changes while it is read (%s)', (_change, change) => {
    writeFileSync(path, 'AAAA\n')
    meanwhile.act = () => {
      meanwhile.act = () => undefined
      change()
    }
    refused(() => read(path), 'file-refused')
  })

  it('a file put in its place while it is read is not looked at: what was opened is what is read', () => {
    writeFileSync(path, 'AAAA\n')
    writeFileSync(`${path}.other`, 'BBBB\n')
    meanwhile.act = () => renameSync(`${path}.other`, path)
    meanwhile.act = ((once) => () => {
      meanwhile.act = () => undefined
      once()
    })(meanwhile.act)
    const got = read(path)
    const text = Buffer.from((Array.isArray(got) ? got[0] : got) as Uint8Array).toString()
    expect(text.trim()).toBe('AAAA')
  })
})

describe('the cap is checked before anything is read', () => {
  it.each([
    [0, 0],
    [1, 1],
    [1000, 1000],
  ])('%i bytes pass a cap of %i', (length, max) => {
    writeFileSync(path, bytes(length))
    expect(Buffer.from(whole(path, max)).equals(bytes(length))).toBe(true)
  })

  it('file-too-large: one byte more; no byte was read', () => {
    writeFileSync(path, bytes(1001))
    meanwhile.act = () => {
      throw new Error('read')
    }
    refused(() => whole(path, 1000), 'file-too-large')
    refused(() => lines(path, 1000), 'file-too-large')
  })
})

describe('lines', () => {
  const text = (from = path, max?: number, maxLine?: number) =>
    lines(from, max, maxLine).map((line) => Buffer.from(line).toString())

  it.each<[string, string, string[]]>([
    ['nothing', '', []],
    ['one line', 'a\n', ['a']],
    ['several', 'a\nbb\nccc\n', ['a', 'bb', 'ccc']],
    ['a carriage return is part of its line', 'a\r\n', ['a\r']],
    ['NUL is a byte like any other', 'a\0b\n', ['a\0b']],
  ])('%s', (_what, content, expected) => {
    writeFileSync(path, content)
    expect(text()).toEqual(expected)
  })

  it.each([
    ['no end of the last line', 'a\nb'],
    ['only text', 'a'],
    ['an empty line', 'a\n\nb\n'],
    ['an empty first line', '\na\n'],
    ['only a line feed', '\n'],
    ['a line one byte too long', `${'x'.repeat(11)}\n`],
    ['a too long line in the middle', `a\n${'x'.repeat(11)}\nb\n`],
    ['a too long line without an end', 'x'.repeat(500)],
  ])('format-invalid: %s', (_what, content) => {
    writeFileSync(path, content)
    refused(() => text(path, 1000, 10), 'format-invalid')
  })

  it('a line of exactly the longest length passes, also across the borders of chunks', () => {
    const long = 'y'.repeat(300_000)
    writeFileSync(path, `${long}\nshort\n${long}\n`)
    expect(text(path, 1_000_000, 300_000)).toEqual([long, 'short', long])
    refused(() => text(path, 1_000_000, 299_999), 'format-invalid')
  })

  it('a file cut at any length is refused or gives only whole lines of it, never half a line', () => {
    const content = 'alpha\nbeta\ngamma\n'
    for (let length = 0; length < content.length; length++) {
      writeFileSync(path, content.slice(0, length))
      if (length === 0 || content[length - 1] === '\n')
        expect(text().every((line) => ['alpha', 'beta', 'gamma'].includes(line))).toBe(true)
      else refused(() => text(), 'format-invalid')
    }
  })

  it('a reader that stops early closes the file', () => {
    writeFileSync(path, 'a\nb\nc\n')
    for (const line of readLinesGuarded(path, { maxBytes: 100, maxLine: 10 })) {
      expect(Buffer.from(line).toString()).toBe('a')
      break
    }
    expect(meanwhile.closed).toBe(meanwhile.opened)
    expect(meanwhile.opened).toBe(1)
  })

  it('a change between two lines is noticed at the end', () => {
    writeFileSync(path, 'a\nb\n')
    const reading = readLinesGuarded(path, { maxBytes: 100, maxLine: 10 })
    reading.next()
    appendFileSync(path, 'c\n')
    refused(() => [...reading], 'file-refused')
  })
})
