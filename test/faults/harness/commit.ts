import type { Snapshot } from './snapshots.ts'

/**
 * What a kill inside COMMIT leaves. SQLite (synchronous=EXTRA, exclusive locking) completes and syncs the journal, writes
 * the changed pages in order, syncs, and makes the journal void by zeroing its header: only then is the transaction done.
 * From the files before and after, every state between is put together again.
 *
 * Journal header (https://www.sqlite.org/fileformat.html, section 3): 8 bytes magic, then big-endian words: records,
 * checksum seed, pages of the database before, sector size, page size; magic and count are zero until the journal is synced.
 * A record is page number, page (encrypted), checksum (of the plain page, so that it cannot be checked here).
 */

const MAGIC = Buffer.from('d9d505f920a163d7', 'hex')
const HEADER = 28

export function commitStates(before: Snapshot, after: Snapshot, path: string): Snapshot[] {
  const old = before.get(path)
  const now = after.get(path)
  const head = before.get(`${path}-journal`)
  const body = after.get(`${path}-journal`)
  // Without a journal (a new file's first pages) or without a change there is nothing between.
  if (!old || !now || !head || !body || old.equals(now) || head.length < HEADER) return []
  const pageSize = head.readUInt32BE(24)
  const journal = Buffer.concat([MAGIC, head.subarray(MAGIC.length, HEADER), body.subarray(HEADER)])
  const changed = changedPages(old, now, pageSize)
  const kept = changed.filter((page) => page < old.length / pageSize)
  mustHold(journal, kept, pageSize)
  journal.writeUInt32BE(kept.length, 8)
  const states: Snapshot[] = []
  for (let written = 0; written <= changed.length; written++) {
    const db = Buffer.from(old.length >= now.length ? old : Buffer.concat([old, Buffer.alloc(now.length - old.length)]))
    const upTo = changed.slice(0, written)
    for (const page of upTo) now.copy(db, page * pageSize, page * pageSize, (page + 1) * pageSize)
    const end = Math.max(old.length, ...upTo.map((page) => (page + 1) * pageSize))
    states.push(new Map([...before, [path, db.subarray(0, end)], [`${path}-journal`, journal]]))
  }
  return states
}

/** Every page that is written over was kept in the journal, and nothing else; behind may stand records of older ones. */
function mustHold(journal: Buffer, kept: readonly number[], pageSize: number): void {
  const sector = journal.readUInt32BE(20)
  const found = kept.map((_, record) => journal.readUInt32BE(sector + record * (pageSize + 8)) - 1)
  if (found.toSorted((a, b) => a - b).join() !== kept.join())
    throw new Error(`the journal holds pages ${found}, but ${kept} were written`)
}

function changedPages(old: Buffer, now: Buffer, pageSize: number): number[] {
  const pages = Math.max(old.length, now.length) / pageSize
  const at = (content: Buffer, page: number) => content.subarray(page * pageSize, (page + 1) * pageSize)
  return Array.from({ length: pages }, (_, page) => page).filter((page) => !at(old, page).equals(at(now, page)))
}
