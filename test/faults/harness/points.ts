import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { basename } from 'node:path'
import Database from 'better-sqlite3'

/**
 * Every operation by which a program changes files: calls of node:fs that write, and statements that reach an SQLite
 * file. Loaded by tests alone: it replaces the functions on the built-in module and on better-sqlite3's prototypes, so
 * that production code needs no hook.
 */

export type Operation = {
  readonly kind: 'fs' | 'sql'
  /** `writeSync`, `renameSync`; for SQL the statement's first words. */
  readonly name: string
  /** The file or folder that it changes. */
  readonly path: string
  /** For SQL: the connection. */
  readonly db?: Database.Database
}

/** `before` may throw: then the operation does not happen. `after` sees it done and may throw too. */
export type Watcher = { before?: (operation: Operation) => void; after?: (operation: Operation) => void }

let watcher: Watcher | null = null
/** Statements inside a method of better-sqlite3 that is counted itself are no operations of their own. */
let inside = false

/** Runs `work` with every operation told to `by`. */
export async function watching<T>(by: Watcher, work: () => Promise<T>): Promise<T> {
  install()
  watcher = by
  try {
    return await work()
  } finally {
    watcher = null
  }
}

/** Does something to files that nobody is told of. */
export function unwatched<T>(work: () => T): T {
  const before = watcher
  watcher = null
  try {
    return work()
  } finally {
    watcher = before
  }
}

function told<T>(operation: Operation, work: () => T): T {
  if (!watcher || inside) return work()
  const { before, after } = watcher
  unwatched(() => before?.(operation))
  inside = true
  let result: T
  try {
    result = work()
  } finally {
    inside = false
  }
  unwatched(() => after?.(operation))
  return result
}

// node:fs

const { constants } = fs
const WRITES = constants.O_WRONLY | constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC | constants.O_APPEND
const forWriting = (flags: unknown): boolean =>
  typeof flags === 'number' ? (flags & WRITES) !== 0 : typeof flags === 'string' && flags !== 'r'

/** Calls whose first argument is a path. */
export const PATH_CALLS = [
  'appendFile',
  'chmod',
  'chown',
  'copyFile',
  'cp',
  'link',
  'lutimes',
  'mkdir',
  'mkdtemp',
  'rename',
  'rm',
  'rmdir',
  'symlink',
  'truncate',
  'unlink',
  'utimes',
  'writeFile',
] as const
/** Calls whose first argument is an open file. */
export const FILE_CALLS = ['fchmod', 'fdatasync', 'fsync', 'ftruncate', 'futimes', 'write', 'writev'] as const

type Call = (...given: unknown[]) => unknown
type Calls = Record<string, Call>

let installed = false

function install(): void {
  if (installed) return
  installed = true
  installFiles()
  installSql()
}

function installFiles(): void {
  const calls = fs as unknown as Calls
  const promises = fs.promises as unknown as Calls
  const opened = new Map<number, string>()
  const replace = (on: Calls, name: string, by: (real: Call, given: unknown[]) => unknown) => {
    const real = on[name]
    if (real) on[name] = (...given) => by(real.bind(on), given)
  }
  const pathOf = ([path]: unknown[]) => String(path)
  const fileOf = ([fd]: unknown[]) => opened.get(Number(fd)) ?? ''

  replace(calls, 'openSync', (real, given) => {
    const open = () => {
      const fd = real(...given) as number
      opened.set(fd, pathOf(given))
      return fd
    }
    return forWriting(given[1]) ? told({ kind: 'fs', name: 'openSync', path: pathOf(given) }, open) : open()
  })
  for (const name of PATH_CALLS) {
    const operation = (given: unknown[]): Operation => ({ kind: 'fs', name, path: pathOf(given) })
    replace(calls, `${name}Sync`, (real, given) => told(operation(given), () => real(...given)))
    replace(promises, name, async (real, given) => told(operation(given), () => real(...given)))
  }
  for (const name of FILE_CALLS)
    replace(calls, `${name}Sync`, (real, given) =>
      told({ kind: 'fs', name: `${name}Sync`, path: fileOf(given) }, () => real(...given)),
    )
  syncBuiltinESMExports()
}

// better-sqlite3

/** The statement's first words: enough to say where a ceremony stopped. */
const words = (sql: string): string => sql.trim().split(/\s+/).slice(0, 3).join(' ')

type Statement = { source: string; readonly: boolean; database: Database.Database }

function installSql(): void {
  const probe = new Database(':memory:')
  const statements = Object.getPrototypeOf(probe.prepare('SELECT 1')) as Record<string, Call>
  probe.close()
  for (const name of ['run', 'get', 'all', 'iterate']) {
    const real = statements[name]
    if (!real) continue
    statements[name] = function (this: Statement, ...given: unknown[]) {
      const work = () => real.apply(this, given)
      if (name !== 'run' && this.readonly) return work()
      const { database: db } = this
      return told({ kind: 'sql', name: words(this.source), path: db.name, db }, work)
    }
  }
  const methods = Database.prototype as unknown as Record<string, Call>
  for (const name of ['exec', 'pragma', 'key', 'serialize']) {
    const real = methods[name]
    if (!real) continue
    methods[name] = function (this: Database.Database, ...given: unknown[]) {
      const work = () => real.apply(this, given)
      const text = String(given[0])
      if (name === 'pragma' && !text.includes('=')) return work()
      const said = name === 'exec' ? words(text) : name === 'pragma' ? `PRAGMA ${text}` : name
      return told({ kind: 'sql', name: said, path: this.name, db: this }, work)
    }
  }
}

/** What the medium says when it fails: as Node's calls and as better-sqlite3 say it. */
export function failureOf({ kind, name, path }: Operation, code: string): Error {
  if (kind === 'sql')
    return new Database.SqliteError(`injected at ${name} of ${basename(path)}`, SQL_CODES[code] ?? code)
  return Object.assign(new Error(`${code}: injected at ${name} of ${basename(path)}`), { code, syscall: name, path })
}

const SQL_CODES: Record<string, string> = {
  ENOSPC: 'SQLITE_FULL',
  EIO: 'SQLITE_IOERR_WRITE',
  EROFS: 'SQLITE_READONLY',
}
