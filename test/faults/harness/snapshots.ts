import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { UnlockedPerson } from '../../../electron/vault/people.ts'
import { Room } from '../../ceremony/fixtures.ts'
import { type Ready, runReady } from '../../ceremony/kinds.ts'
import { commitStates } from './commit.ts'
import { type Operation, watching } from './points.ts'
import { quickKeys } from './quick-keys.ts'

/**
 * What a kill leaves is what the kernel has at that moment, so a copy of the room before each operation is the state
 * that a process killed there leaves behind. fault-01 compares a sample with processes that are really killed.
 */

/** A room's content by path; a folder has none. */
export type Snapshot = ReadonlyMap<string, Buffer | null>

export type Point = {
  /** Counted from 1; 0 is the state after the last operation. */
  n: number
  operation: Operation
  snapshot: Snapshot
  /** The room's clock. */
  at: number
  /** How many states a kill inside this very operation can leave: only for COMMIT, where SQLite itself writes. */
  inner: Snapshot[]
}

export type Recorded = { points: Point[]; people: ReadonlyMap<string, UnlockedPerson>; room: Room }

/** Runs a prepared ceremony once and keeps the room as it was before every operation. */
export async function record(ready: Ready): Promise<Recorded> {
  const { room } = ready
  const memory = new Memory()
  const points: Point[] = []
  const take = () => memory.capture(room.base)
  const before = (operation: Operation) => {
    points.push({ n: points.length + 1, operation, snapshot: take(), at: room.clock.now(), inner: [] })
  }
  const after = (operation: Operation) => {
    const point = points.at(-1)
    if (operation.name !== 'COMMIT' || !point) return
    point.inner = commitStates(point.snapshot, take(), relative(room.base, operation.path))
  }
  const { people } = await watching({ before, after }, () => runReady(ready, { ports: quickKeys }))
  const operation: Operation = { kind: 'fs', name: 'the end', path: '' }
  points.push({ n: 0, operation, snapshot: take(), at: room.clock.now(), inner: [] })
  return { points, people, room: new Room(room.base, people, room.clock.now()) }
}

/** The folders of runtimes, which no ceremony touches. */
const isApart = (name: string): boolean => name.startsWith('eu-')

/** Every path of the room but those of runtimes. */
export const namesIn = ({ base }: Room): string[] =>
  readdirSync(base, { recursive: true, withFileTypes: true })
    .map((entry) => relative(base, join(entry.parentPath, entry.name)))
    .filter((path) => !isApart(path))

/** Keeps each content once. */
export class Memory {
  readonly #known = new Map<string, Buffer>()

  capture(base: string): Snapshot {
    const found = new Map<string, Buffer | null>()
    const walk = (folder: string) => {
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        const path = join(folder, entry.name)
        if (folder === base && isApart(entry.name)) continue
        if (!entry.isDirectory()) {
          found.set(relative(base, path), this.#keep(readFileSync(path)))
          continue
        }
        found.set(relative(base, path), null)
        walk(path)
      }
    }
    walk(base)
    return found
  }

  #keep(content: Buffer): Buffer {
    const digest = createHash('sha1').update(content).digest('base64')
    const known = this.#known.get(digest) ?? content
    this.#known.set(digest, known)
    return known
  }
}

/** True when both hold the same files with the same content. */
export function sameSnapshot(one: Snapshot, other: Snapshot): boolean {
  if (one.size !== other.size) return false
  for (const [path, content] of one) if (!other.has(path) || other.get(path) !== content) return false
  return true
}

/** Writes a snapshot out as a room. */
export function lay(snapshot: Snapshot, base: string, people: Room['people'], at: number): Room {
  mkdirSync(base, { recursive: true })
  for (const [path, content] of snapshot) {
    const target = join(base, path)
    if (content === null) mkdirSync(target, { recursive: true, mode: 0o700 })
    else {
      if (!existsSync(dirname(target))) mkdirSync(dirname(target), { recursive: true, mode: 0o700 })
      writeFileSync(target, content, { mode: 0o600 })
    }
  }
  return new Room(base, people, at)
}

/** Paths without what differs from one run to the next: digests and times in names. */
export const shapeOf = (paths: Iterable<string>): string[] =>
  [...paths].map((path) => path.replace(/\d{8}T\d{6}Z/g, 'TIME').replace(/[0-9a-f]{8,}/g, 'HEX')).sort()
