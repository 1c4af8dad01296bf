import { dirname, join } from 'node:path'
import { must } from '../../shared/errors.ts'
import { removeFile, syncFolder } from '../files/write.ts'
import type { EncryptedDatabase } from '../sqlite/database.ts'
import { append, createTables, type EventRow, openVaultFile, readRows } from './log.ts'

/** The complete new file that a vault moves to, under a new file key. Row by row: a large vault needs no more memory than a small one. */

type SealedRow = { id: string; blob: Buffer }

export const nextPath = (folder: string): string => join(folder, 'vault.db.next')

/** An unfinished new file and the journal that an interruption left beside it. */
export function removeNext(folder: string): void {
  for (const path of [nextPath(folder), `${nextPath(folder)}-journal`]) removeFile(path)
}

/**
 * Writes every row of `from`, and `more` events after them, to a new file beside it. What an earlier try left there is
 * removed first. Codes of `writeCopy`; the file then still has its passing name.
 */
export function writeNext(folder: string, key: Uint8Array, from: EncryptedDatabase, more: readonly EventRow[]): void {
  removeNext(folder)
  writeCopy(nextPath(folder), key, from, () => rowsAnd(from, more))
}

/**
 * Writes these events and every sealed row of `from` to a new file, and compares each row through a fresh connection.
 * Rows are read through the open connection, never the file's bytes: the copy is one consistent state. Codes of
 * `openDatabase`, `medium-full`, and `medium-failed` when a row reads back differently.
 */
export function writeCopy(
  path: string,
  key: Uint8Array,
  from: EncryptedDatabase,
  events: () => Iterable<EventRow>,
): void {
  withFile(openVaultFile(path, key, true), (db) => {
    createTables(db)
    append(db, events(), { put: sealedRows(from) })
  })
  withFile(openVaultFile(path, key), (db) => {
    const same =
      allSame(readRows(db), events(), sameEvent) &&
      allSame(sealedRows(db), sealedRows(from), ([id, blob], [otherId, other]) => id === otherId && blob.equals(other))
    must(same, 'medium-failed', 'The new file of the vault reads back differently.')
  })
  syncFolder(dirname(path))
}

function withFile(db: EncryptedDatabase, work: (db: EncryptedDatabase) => void): void {
  try {
    work(db)
  } finally {
    db.close()
  }
}

/** A query that is begun keeps its connection busy, so it begins with the first row that is asked for. */
function* rowsAnd(from: EncryptedDatabase, more: readonly EventRow[]): Generator<EventRow> {
  yield* readRows(from)
  yield* more
}

function* sealedRows(db: EncryptedDatabase): Generator<[string, Buffer]> {
  const rows = db.prepare<[], SealedRow>('SELECT id, blob FROM sealed ORDER BY id').iterate()
  for (const { id, blob } of rows) yield [id, blob]
}

const FIELDS = ['seq', 'at', 'actor', 'type', 'body', 'prev', 'hash', 'signature'] as const
const sameEvent = (one: EventRow, other: EventRow): boolean => FIELDS.every((field) => one[field] === other[field])

/** True when both hold as many items and each pair is the same. */
function allSame<T>(found: Iterable<T>, wanted: Iterable<T>, same: (one: T, other: T) => boolean): boolean {
  const others = wanted[Symbol.iterator]()
  try {
    for (const one of found) {
      const other = others.next()
      if (other.done || !same(one, other.value)) return false
    }
    return others.next().done === true
  } finally {
    // A query that is not read to its end keeps the database busy.
    others.return?.()
  }
}
