import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { makeEmptyFolder, NewFile, replaceFile, writeNewFile } from '../../electron/files/write.ts'
import { isKeyriteError } from '../../shared/errors.ts'

/** Durable writing: a file under its final name is whole; nothing is ever overwritten except by replaceFile. */

type Call = 'openSync' | 'writeSync' | 'fsyncSync' | 'linkSync' | 'renameSync' | 'unlinkSync' | 'readSync'
/** The system calls in order, and where one of them is to fail or to lie. */
const system = vi.hoisted(() => ({
  calls: [] as string[],
  fail: null as { call: string; at: number; code: string } | null,
  noLinks: null as string | null,
  short: false,
  lie: false,
}))
vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>()
  const wrap =
    <A extends unknown[], R>(name: Call, work: (...args: A) => R) =>
    (...args: A): R => {
      system.calls.push(name)
      const { fail } = system
      if (fail && fail.call === name && --fail.at === 0)
        throw Object.assign(new Error('injected'), { code: fail.code, syscall: name })
      if (name === 'linkSync' && system.noLinks)
        throw Object.assign(new Error('injected'), { code: system.noLinks, syscall: name })
      return work(...args)
    }
  return {
    ...real,
    openSync: wrap('openSync', real.openSync),
    fsyncSync: wrap('fsyncSync', real.fsyncSync),
    linkSync: wrap('linkSync', real.linkSync),
    renameSync: wrap('renameSync', real.renameSync),
    unlinkSync: wrap('unlinkSync', real.unlinkSync),
    writeSync: wrap('writeSync', (fd: number, data: Uint8Array, at: number, length: number) =>
      real.writeSync(fd, data, at, system.short ? Math.min(length, 3) : length),
    ),
    readSync: wrap('readSync', (fd: number, into: Uint8Array, at: number, length: number, from: number) => {
      const got = real.readSync(fd, into, at, length, from)
      if (system.lie && got > 0) into[at] = (into[at] ?? 0) ^ 1
      return got
    }),
  }
})

let base: string
let folder: string
let path: string
let count = 0
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'keyrite-write-'))
})
afterAll(() => rmSync(base, { recursive: true, force: true }))
beforeEach(() => {
  folder = join(base, `folder-${++count}`)
  mkdirSync(folder)
  path = join(folder, 'file')
  Object.assign(system, { calls: [], fail: null, noLinks: null, short: false, lie: false })
})

const codeOf = (attempt: () => unknown): string => {
  try {
    attempt()
    return 'done'
  } catch (error) {
    if (isKeyriteError(error)) return error.code
    throw error
  }
}

describe('a new file', () => {
  it.each([
    ['text', 'Grüße\n', Buffer.from('Grüße\n')],
    ['bytes', Uint8Array.of(0, 255, 10), Buffer.from([0, 255, 10])],
    ['nothing', '', Buffer.alloc(0)],
  ])('holds exactly the %s, is readable by its owner alone, and nothing else is left', (_what, content, expected) => {
    writeNewFile(path, content)
    expect(readFileSync(path).equals(expected)).toBe(true)
    expect(readdirSync(folder)).toEqual(['file'])
    if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(path).nlink).toBe(1)
  })

  it('is made durable before it gets its name, and its folder after', () => {
    writeNewFile(path, 'x')
    const order = system.calls.filter((call) => call !== 'openSync')
    expect(order.slice(0, 5)).toEqual(['writeSync', 'fsyncSync', 'linkSync', 'unlinkSync', 'fsyncSync'])
    expect(order).toContain('readSync')
  })

  it('is whole although every write of the system is short', () => {
    system.short = true
    writeNewFile(path, '0123456789')
    expect(readFileSync(path, 'utf8')).toBe('0123456789')
  })

  it.each<[string, () => void]>([
    ['a file', () => writeFileSync(path, 'old')],
    ['an empty file', () => writeFileSync(path, '')],
    ['a folder', () => mkdirSync(path)],
    ['a link to a file', () => symlinkSync(join(base, 'target'), path)],
  ])('file-exists: %s stands there; it stays as it was and nothing partial is left', (what, make) => {
    writeFileSync(join(base, 'target'), 'target')
    make()
    expect(codeOf(() => writeNewFile(path, 'new'))).toBe('file-exists')
    expect(readdirSync(folder)).toEqual(['file'])
    if (what === 'a file') expect(readFileSync(path, 'utf8')).toBe('old')
    expect(readFileSync(join(base, 'target'), 'utf8')).toBe('target')
  })

  it('file-exists: a link to nowhere is not followed', () => {
    symlinkSync(join(folder, 'nowhere'), path)
    expect(codeOf(() => writeNewFile(path, 'new'))).toBe('file-exists')
    expect(readdirSync(folder)).toEqual(['file'])
  })

  it('file-exists: somebody else takes the name between the check and the commit; theirs stays', () => {
    const file = new NewFile(path)
    file.write('mine')
    writeFileSync(path, 'theirs')
    expect(codeOf(() => file.commit())).toBe('file-exists')
    expect(readFileSync(path, 'utf8')).toBe('theirs')
    expect(readdirSync(folder)).toEqual(['file'])
  })

  it.each(['EPERM', 'ENOTSUP', 'EOPNOTSUPP'])(
    'a file system without links (%s) gets a rename, and still never overwrites',
    (code) => {
      system.noLinks = code
      writeNewFile(path, 'first')
      expect(readFileSync(path, 'utf8')).toBe('first')
      const file = new NewFile(join(folder, 'second'))
      file.write('mine')
      writeFileSync(join(folder, 'second'), 'theirs')
      expect(codeOf(() => file.commit())).toBe('file-exists')
      expect(readFileSync(join(folder, 'second'), 'utf8')).toBe('theirs')
      expect(readdirSync(folder).sort()).toEqual(['file', 'second'])
    },
  )

  it('file-missing: the folder does not exist', () => {
    expect(codeOf(() => writeNewFile(join(folder, 'none', 'file'), 'x'))).toBe('file-missing')
    expect(readdirSync(folder)).toEqual([])
  })

  it('discard removes it, and may be called again', () => {
    const file = new NewFile(path)
    file.write('x')
    expect(readdirSync(folder)).toHaveLength(1)
    file.discard()
    file.discard()
    expect(readdirSync(folder)).toEqual([])
  })

  it('medium-failed: a medium that reads back something else; no file is left under the name', () => {
    system.lie = true
    expect(codeOf(() => writeNewFile(path, 'content'))).toBe('medium-failed')
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('an error of the system at any step (fault 2): no file under a final name, nothing partial', () => {
  const STEPS: [Call, number][] = [
    ['openSync', 1],
    ['writeSync', 1],
    ['writeSync', 2],
    ['fsyncSync', 1],
    ['linkSync', 1],
  ]
  const CODES = [
    ['ENOSPC', 'medium-full'],
    ['EDQUOT', 'medium-full'],
    ['EIO', 'medium-failed'],
    ['EROFS', 'medium-failed'],
  ] as const
  it.each(STEPS.flatMap(([call, at]) => CODES.map(([error, code]) => [error, call, at, code] as const)))(
    '%s at %s number %i: %s',
    (error, call, at, code) => {
      system.short = true
      system.fail = { call, at, code: error }
      expect(codeOf(() => writeNewFile(path, 'content'))).toBe(code)
      expect(readdirSync(folder)).toEqual([])
    },
  )

  it.each([...STEPS.slice(0, 4), ['renameSync', 1] as [Call, number]])(
    'replacing, with an error at %s number %i: the old content stays',
    (call, at) => {
      writeFileSync(path, 'old')
      system.short = true
      system.fail = { call, at, code: 'EIO' }
      expect(codeOf(() => replaceFile(path, 'new content'))).toBe('medium-failed')
      expect(readFileSync(path, 'utf8')).toBe('old')
      expect(readdirSync(folder)).toEqual(['file'])
    },
  )
})

describe('replacing', () => {
  it('gives the new content in one rename, whether the file existed or not', () => {
    for (const content of ['first', 'second']) {
      system.calls = []
      replaceFile(path, content)
      expect(readFileSync(path, 'utf8')).toBe(content)
      expect(system.calls.filter((call) => call !== 'openSync')).toEqual([
        'writeSync',
        'fsyncSync',
        'renameSync',
        'fsyncSync',
      ])
    }
    expect(readdirSync(folder)).toEqual(['file'])
  })

  it('who had the old file open still reads the old content, whole', () => {
    replaceFile(path, 'old content')
    const before = statSync(path).ino
    replaceFile(path, 'new')
    expect(statSync(path).ino).not.toBe(before)
  })

  it('replaces a link itself and leaves what it points to', () => {
    writeFileSync(join(folder, 'target'), 'target')
    symlinkSync(join(folder, 'target'), path)
    replaceFile(path, 'new')
    expect(readFileSync(join(folder, 'target'), 'utf8')).toBe('target')
    expect(readFileSync(path, 'utf8')).toBe('new')
  })
})

describe('a folder for new files', () => {
  it('is made with its parents, for its owner alone, or accepted when it is empty', () => {
    const deep = join(folder, 'a', 'b')
    makeEmptyFolder(deep)
    if (process.platform !== 'win32') expect(statSync(deep).mode & 0o777).toBe(0o700)
    makeEmptyFolder(deep)
    expect(readdirSync(deep)).toEqual([])
  })

  it.each<[string, () => void]>([
    [
      'a folder with a file',
      () => {
        mkdirSync(path)
        writeFileSync(join(path, 'x'), 'x')
      },
    ],
    [
      'a folder with a hidden file',
      () => {
        mkdirSync(path)
        writeFileSync(join(path, '.x'), 'x')
      },
    ],
    ['a file', () => writeFileSync(path, 'x')],
  ])('folder-not-empty: %s', (_what, make) => {
    make()
    expect(codeOf(() => makeEmptyFolder(path))).toBe('folder-not-empty')
    expect(existsSync(path)).toBe(true)
  })
})

describe('a medium that is really full', () => {
  it('medium-full: nothing is left, what stood there stays, and after making space the same works', (ctx) => {
    if (process.platform !== 'linux' || process.getuid?.() !== 0)
      return ctx.skip('mounting a small tmpfs needs root on Linux')
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { stdio: 'ignore' })
    } catch {
      return ctx.skip('mounting a small tmpfs is not permitted here')
    }
    try {
      chmodSync(folder, 0o700)
      replaceFile(path, 'old')
      writeFileSync(join(folder, 'ballast'), Buffer.alloc(40_000))
      const big = Buffer.alloc(50_000, 1)
      expect(codeOf(() => writeNewFile(join(folder, 'new'), big))).toBe('medium-full')
      expect(codeOf(() => replaceFile(path, big))).toBe('medium-full')
      expect(readdirSync(folder).sort()).toEqual(['ballast', 'file'])
      expect(readFileSync(path, 'utf8')).toBe('old')
      rmSync(join(folder, 'ballast'))
      writeNewFile(join(folder, 'new'), big)
      expect(readFileSync(join(folder, 'new')).equals(big)).toBe(true)
    } finally {
      execFileSync('umount', [folder])
    }
  })
})
