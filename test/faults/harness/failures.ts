import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { writtenOf } from '../../../electron/ceremony/record.ts'
import { verifyFiles } from '../../../electron/evidence/verify.ts'
import { readPeople } from '../../../electron/vault/people-store.ts'
import { unlockPeople, Vault } from '../../../electron/vault/vault.ts'
import { verifyVault } from '../../../electron/vault/verify.ts'
import type { CeremonyKind } from '../../../shared/domain/events.ts'
import { SIGN_OFF } from '../../../shared/domain/script.ts'
import { type Code, isKeyriteError } from '../../../shared/errors.ts'
import { filesOf, PASSPHRASES, Room } from '../../ceremony/fixtures.ts'
import { type Ready, runReady, type Story } from '../../ceremony/kinds.ts'
import { onePassphrase, survives, type Whole, wholeOf } from './aftermath.ts'
import { runChild } from './children.ts'
import { failureOf, type Operation, type Watcher, watching } from './points.ts'
import { quickKeys } from './quick-keys.ts'
import { lay, Memory, namesIn, type Snapshot, shapeOf } from './snapshots.ts'

/** Fault 2: a medium that fails at the n-th operation of a ceremony. */

/** How a medium fails: at one operation, from one on, or only after the operation was done. */
export type Fault = { readonly name: string; readonly code: Code; watcher(at: number, count: () => number): Watcher }

const refusing = (error: string, code: Code, which: (now: number, at: number) => boolean): Fault => ({
  name: error,
  code,
  watcher: (at, count) => ({
    before: (operation) => {
      if (which(count(), at)) throw failureOf(operation, error)
    },
  }),
})

export const FAULTS: readonly Fault[] = [
  refusing('ENOSPC', 'medium-full', (now, at) => now === at),
  refusing('EIO', 'medium-failed', (now, at) => now === at),
  refusing('EROFS', 'medium-failed', (now, at) => now >= at),
]

/** The transaction is on the medium, but SQLite could not make sure: it says that COMMIT failed. */
export const UNSURE: Fault = {
  name: 'EIO after it was done',
  code: 'medium-failed',
  watcher: (at, count) => ({
    before: () => {},
    after: (operation) => {
      if (count() === at) throw failureOf(operation, 'EIO')
    },
  }),
}

/** A room before the ceremony, and once its last transaction is committed, after so many operations. */
type Start = { snapshot: Snapshot; at: number }
type Closed = Start & { operations: number; people: Room['people'] }

export class Failures {
  readonly #ready: Ready
  readonly #start: Start
  readonly #closed: Closed
  readonly #whole: Whole
  readonly #folder: () => string
  readonly operations: readonly Operation[]
  /** States after a failure that were brought to their end, by what they hold. */
  readonly #ended = new Set<string>()

  private constructor(story: Story, ready: Ready, start: Start, closed: Closed, whole: Whole, operations: Operation[]) {
    this.#ready = ready
    this.#start = start
    this.#closed = closed
    this.#whole = whole
    this.#folder = story.genesis.folder
    this.operations = operations
  }

  /** Runs a kind once on a sound medium, to know its operations and its end. */
  static async of(kind: CeremonyKind, story: Story): Promise<Failures> {
    const ready = await story.ready(kind)
    const { base, clock } = ready.room
    const memory = new Memory()
    const start = { snapshot: memory.capture(base), at: clock.now() }
    const operations: Operation[] = []
    let closed = { ...start, operations: 0 }
    const before = (operation: Operation) => void operations.push(operation)
    const after = ({ name }: Operation) => {
      if (name === 'COMMIT') closed = { snapshot: memory.capture(base), at: clock.now(), operations: operations.length }
    }
    const { people } = await watching({ before, after }, () => runReady(ready, { ports: quickKeys }))
    const whole = await wholeOf(new Room(base, people, clock.now()))
    return new Failures(story, ready, start, { ...closed, people }, whole, operations)
  }

  get resumed(): number {
    return this.#ended.size
  }

  /** The numbers of the operations that commit. */
  get commits(): number[] {
    return this.operations.flatMap(({ name }, index) => (name === 'COMMIT' ? [index + 1] : []))
  }

  /** The operations worth trying one by one: of many equal ones in a row, such as rows of one transaction, the first and last. */
  get distinct(): number[] {
    const same = (one: Operation | undefined, other: Operation) => one?.name === other.name && one.path === other.path
    return this.operations.flatMap((operation, index) =>
      same(this.operations[index - 1], operation) && same(this.operations[index + 1], operation) ? [] : [index + 1],
    )
  }

  /** Runs the ceremony in another process under limits of the shell; gives how it ended, having checked what is left. */
  async limited(shell: string): Promise<string> {
    const room = this.#fresh()
    try {
      const { answer } = await runChild(this.#ready, room, {}, shell)
      if (answer === 'completed') return answer
      const { after, events } = await this.#reopened(room)
      await this.#nothingTorn(after)
      await this.#ends(after, events)
      return answer
    } finally {
      rmSync(room.base, { recursive: true, force: true })
    }
  }

  /** Runs the ceremony while `watcher` sees each operation; gives the error's code, or null, having checked what is left. */
  async under(before: (operation: Operation) => void): Promise<Code | null> {
    const room = this.#fresh()
    try {
      const error = await watching({ before }, () => runReady({ ...this.#ready, room }, { ports: quickKeys })).then(
        () => null,
        (thrown: unknown) => thrown,
      )
      if (error === null) return null
      if (!isKeyriteError(error)) throw error
      const { after, events } = await this.#reopened(room)
      await this.#nothingTorn(after)
      await this.#ends(after, events)
      return error.code
    } finally {
      rmSync(room.base, { recursive: true, force: true })
    }
  }

  #fresh(): Room {
    return lay(this.#start.snapshot, this.#folder(), this.#ready.room.people, this.#start.at)
  }

  #closedRoom(): Room {
    return lay(this.#closed.snapshot, this.#folder(), this.#closed.people, this.#closed.at)
  }

  /** What is left to do once the last transaction is committed: the record's folder. */
  async #writeRecord(room: Room, watcher: Watcher): Promise<void> {
    await room.withVault(async (vault) => {
      const id = [...vault.state.ceremonies.keys()].at(-1) ?? ''
      await watching(watcher, () => room.ports().writeRecord(writtenOf(vault, id)))
    }, this.#ready.present)
  }

  /**
   * Lets operation `n` (from 1) fail in this way: the error says so, no success is shown, nothing torn has a final name,
   * and once the medium works again the vault opens and the ceremony comes to its end.
   */
  async at(n: number, fault: Fault): Promise<void> {
    const operation = this.operations[n - 1]
    const where = `${fault.name} at operation ${n}, ${operation?.name} of ${operation?.path}`
    const room = n > this.#closed.operations ? this.#closedRoom() : this.#fresh()
    try {
      const failed = await this.#fails(room, n, fault)
      const { after, events } = await this.#reopened(room)
      await this.#nothingTorn(after)
      if (failed) await this.#ends(after, events)
      else await this.#wasComplete(after, operation)
    } catch (error) {
      if (error instanceof Error) error.message = `${where}: ${error.message}`
      throw error
    } finally {
      rmSync(room.base, { recursive: true, force: true })
    }
  }

  /** Runs into the fault. False when the ceremony came to its end nevertheless. */
  async #fails(room: Room, n: number, fault: Fault): Promise<boolean> {
    const recordOnly = n > this.#closed.operations
    let count = recordOnly ? this.#closed.operations : 0
    const { before, after } = fault.watcher(n, () => count)
    const counting = (operation: Operation) => {
      count++
      before?.(operation)
    }
    const watcher: Watcher = { before: counting, ...(after && { after }) }
    const work = recordOnly
      ? this.#writeRecord(room, watcher)
      : watching(watcher, () => runReady({ ...this.#ready, room }, { ports: quickKeys }))
    const error = await work.then(
      () => null,
      (thrown: unknown) => thrown,
    )
    if (error === null) return false
    if (!isKeyriteError(error)) throw error
    expect(error.code).toBe(fault.code)
    expect(room.said.filter((line) => line.includes(SIGN_OFF.title))).toEqual([])
    return true
  }

  /** Only this may fail unheard: removing what has no final name. It stays then, and nothing else is different. */
  async #wasComplete(room: Room, operation: Operation | undefined): Promise<void> {
    expect([operation?.name, operation?.path]).toEqual(['rm', expect.stringMatching(/[0-9a-f]{16}\.partial$/)])
    const names = namesIn(room).filter((name) => !/[0-9a-f]{16}\.partial$/.test(name))
    expect(shapeOf(names)).toEqual(this.#whole.shape)
  }

  /** The vault opens, if there is one: its pages, chain, checkpoints, people and sealed rows are sound. */
  async #reopened(room: Room): Promise<{ after: Room; events: number | null }> {
    const clock = room.clock.now() + 60
    if (!existsSync(room.vault)) return { after: new Room(room.base, room.people, clock), events: null }
    const people = room.people.size > 0 ? room.people : await unlockPeople(readPeople(room.vault), PASSPHRASES)
    const after = new Room(room.base, people, clock)
    await onePassphrase(after, this.#ready)
    const events = await after.withVault(
      ({ database, state }) => {
        expect(database.pragma('integrity_check', { simple: true })).toBe('ok')
        return state.seq
      },
      [...people.keys()],
    )
    return { after, events }
  }

  /** What has a final name is whole: every file on the medium, every record folder, every copy of the vault. */
  async #nothingTorn(room: Room): Promise<void> {
    const written = this.#newFiles(room)
    for (const copy of written.filter((path) => path.endsWith('.vault'))) await verifyCopy(copy, room)
    const files = written.filter((path) => !path.endsWith('.vault'))
    if (files.length === 0) return
    // While a root is changed, two trust anchors lie there: each file holds from one of them.
    const names = filesOf(room.media).filter((name) => name.startsWith('trust-anchor-'))
    const anchors = names.length > 0 ? names.map((name) => join(room.media, name)) : [null]
    const reports = await Promise.all(anchors.map((anchor) => verifyFiles(files, anchor, room.clock.now())))
    const holds = new Set(reports.flatMap((report) => report.files.flatMap((one) => (one.ok ? [one.file] : []))))
    expect(reports[0]?.files.filter((one) => !holds.has(one.file))).toEqual([])
  }

  #newFiles(room: Room): string[] {
    const fresh = (folder: string, under: string) =>
      existsSync(folder)
        ? readdirSync(folder).filter((name) => !name.startsWith('.') && !this.#start.snapshot.has(join(under, name)))
        : []
    const named = fresh(room.media, 'media').map((name) => join(room.media, name))
    return [...named, ...fresh(room.records, 'records').map((name) => join(room.records, name))]
  }

  /** What decides how a stopped ceremony goes on: the history's length, who has what in people.json, and the files there. */
  async #ends(room: Room, events: number | null): Promise<void> {
    const people = existsSync(room.vault) ? readFileSync(join(room.vault, 'people.json'), 'utf8') : ''
    const items = people.match(/"(fileKeys|shares)":\{[^}]*\}/g)?.map((text) => text.length)
    const waiting = people !== '' && !people.includes('"pending":{}')
    const state = JSON.stringify([events, items, waiting, shapeOf(namesIn(room))])
    if (this.#ended.has(state)) return
    this.#ended.add(state)
    if (events !== null) await room.withVault(verifyVault, [...room.people.keys()])
    await survives(room, this.#ready, this.#whole)
  }
}

async function verifyCopy(folder: string, { people }: Room): Promise<void> {
  const vault = await Vault.openFor(folder, people)
  try {
    await verifyVault(vault)
  } finally {
    vault.close()
  }
}
