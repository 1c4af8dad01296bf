import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { readChain } from '../../../electron/vault/log.ts'
import { readPeople } from '../../../electron/vault/people-store.ts'
import { unlockPeople, type Vault } from '../../../electron/vault/vault.ts'
import { verifyVault } from '../../../electron/vault/verify.ts'
import type { CeremonyKind } from '../../../shared/domain/events.ts'
import { PASSPHRASES, Room } from '../../ceremony/fixtures.ts'
import type { Ready, Story } from '../../ceremony/kinds.ts'
import { abortable, goesOn } from './aborts.ts'
import { onePassphrase, othersRefused, survives, type Whole, wholeOf } from './aftermath.ts'
import { type Ask, runChild } from './children.ts'
import { lay, namesIn, type Point, type Recorded, record, type Snapshot, sameSnapshot, shapeOf } from './snapshots.ts'

/** Fault 1: every state in which a ceremony can be stopped, opened again and brought to its end. */

/** How many events a state holds once it is opened again; null where there is no vault yet. */
type Events = number | null
/** The rows of the finished vault, whose every signature was verified, to compare earlier states with. */
type Row = { text: string; type: string }

/** One kind of ceremony, run once: what each of its states must hold. */
export class Run {
  readonly kind: CeremonyKind
  readonly ready: Ready
  readonly recorded: Recorded
  readonly whole: Whole
  readonly folder: () => string
  readonly #rows: Row[]
  readonly #found: Events[] = []
  readonly #broughtToEnd = new Set<string>()

  private constructor(kind: CeremonyKind, story: Story, ready: Ready, recorded: Recorded, whole: Whole, rows: Row[]) {
    this.kind = kind
    this.ready = ready
    this.recorded = recorded
    this.whole = whole
    this.folder = story.genesis.folder
    this.#rows = rows
  }

  /** Runs a kind once and opens every state that a kill could have left between two operations. */
  static async of(kind: CeremonyKind, story: Story): Promise<Run> {
    const ready = await story.ready(kind)
    const recorded = await record(ready)
    const whole = await wholeOf(recorded.room)
    const rows = await recorded.room.withVault(async (vault) => {
      await verifyVault(vault)
      return rowsOf(vault)
    }, ready.present)
    remove(recorded.room)
    const run = new Run(kind, story, ready, recorded, whole, rows)
    await run.#everyState()
    return run
  }

  /** The operations; the last state, after all of them, is no point at which anything can be stopped. */
  get points(): readonly Point[] {
    return this.recorded.points.slice(0, -1)
  }

  /** Every distinct state opens and is a part of the finished history; it changes only where something is switched. */
  async #everyState(): Promise<void> {
    let last: Point | undefined
    let before: Events = null
    for (const point of this.recorded.points) {
      const same = last && sameSnapshot(last.snapshot, point.snapshot)
      const now: Events = same ? before : await named(at(point), this.#reopen(point.snapshot, point))
      if (last && !isSwitch(last)) expect(now, at(point)).toBe(before)
      expect(now ?? 0, at(point)).toBeGreaterThanOrEqual(before ?? 0)
      this.#found.push(now)
      last = point
      before = now
    }
    expect(before).toBe(this.#rows.length)
  }

  /** Inside COMMIT, with any number of its pages written, the state is still the one before it. Gives how many. */
  async insideCommits(): Promise<number> {
    let tried = 0
    for (const [index, point] of this.points.entries())
      for (const [written, inner] of point.inner.entries()) {
        const where = `${at(point)}, with ${written} pages written`
        expect(await named(where, this.#reopen(inner, point)), where).toBe(this.#found[index])
        tried++
      }
    return tried
  }

  /** States with the same history, people and files come to the same end: one of each is brought there. Gives how many. */
  async everyClass(): Promise<number> {
    const seen = new Set<string>()
    const histories = new Set<Events>()
    for (const [index, point] of this.recorded.points.entries()) {
      const events = this.#found[index] ?? null
      const name = this.#classAt(index)
      if (seen.has(name)) continue
      seen.add(name)
      await named(at(point), histories.has(events) ? this.#resumed(point) : this.#thoroughly(point))
      histories.add(events)
    }
    return seen.size
  }

  /** What decides how a stopped ceremony goes on. */
  #classAt(index: number): string {
    const { snapshot } = this.recorded.points[index] ?? { snapshot: new Map<string, Buffer>() }
    const people = snapshot.get(join('test.vault', 'people.json'))?.toString('base64')
    return JSON.stringify([this.#found[index] ?? null, people, classOf(snapshot)])
  }

  /** How many classes of states that real kills left were brought to their end. */
  get broughtToEnd(): number {
    return this.#broughtToEnd.size
  }

  /**
   * Kills a real process before operation `n`, compares what it leaves with the snapshot and verifies it in full; one of
   * each class of states is then brought to its end.
   */
  async killForReal(n: number): Promise<void> {
    const index = n - 1
    const point = this.recorded.points[index]
    if (!point) throw new Error(`${this.kind} has no operation ${n}`)
    const { room, signal } = await this.#child({ killBefore: n })
    expect(signal, at(point)).toBe('SIGKILL')
    expect(shapeOf(namesIn(room)), at(point)).toEqual(shapeOf(point.snapshot.keys()))
    const left = await this.#peopleOf(room, point)
    expect(await named(at(point), this.#verified(left)), at(point)).toBe(this.#found[index])
    const name = this.#classAt(index)
    const known = this.#broughtToEnd.has(name)
    this.#broughtToEnd.add(name)
    remove(known ? left : await named(at(point), survives(left, this.ready, this.whole)))
  }

  /** Kills a real process some microseconds after it entered a COMMIT: the state before it or after it. */
  async killInside(n: number, microseconds: number): Promise<void> {
    const point = this.recorded.points[n - 1]
    if (!point) throw new Error(`${this.kind} has no operation ${n}`)
    const where = `${at(point)}, ${microseconds} µs on`
    const { room } = await this.#child({ killBefore: n, microseconds })
    const left = await this.#peopleOf(room, point)
    const events = await named(where, this.#verified(left))
    expect(events ?? 0, where).toBeGreaterThanOrEqual(this.#found[n - 1] ?? 0)
    remove(await named(where, survives(left, this.ready, this.whole)))
  }

  async #child(ask: Pick<Ask, 'killBefore' | 'microseconds'>): Promise<{ room: Room; signal: string | null }> {
    const [first] = this.recorded.points
    if (!first) throw new Error('nothing was recorded')
    const room = lay(first.snapshot, this.folder(), this.recorded.people, first.at)
    const { signal } = await runChild(this.ready, room, ask)
    return { room, signal }
  }

  /** A genesis in a process of its own makes people of its own. */
  async #peopleOf(room: Room, point: Point): Promise<Room> {
    const clock = point.at + 60
    if (this.kind !== 'genesis' || !namesIn(room).includes('test.vault')) return new Room(room.base, room.people, clock)
    return new Room(room.base, await unlockPeople(readPeople(room.vault), PASSPHRASES), clock)
  }

  /** Full verification of a vault that another process wrote. The types of its events are those of the recorded run. */
  async #verified(room: Room): Promise<Events> {
    if (!namesIn(room).includes('test.vault')) return null
    await onePassphrase(room, this.ready)
    return room.withVault(
      async (vault) => {
        await verifyVault(vault)
        const types = rowsOf(vault).map(({ type }) => type)
        expect(types).toEqual(this.#rows.slice(0, types.length).map(({ type }) => type))
        return types.length
      },
      [...room.people.keys()],
    )
  }

  /**
   * Opens the vault of a state as after a kill: chain, checkpoints, people and sealed rows are checked by opening, pages by
   * integrity_check, and its rows must be the first ones of the finished vault.
   */
  async #reopen(snapshot: Snapshot, point: Point): Promise<Events> {
    const vaultOnly: Snapshot = new Map([...snapshot].filter(([path]) => path.startsWith('test.vault')))
    const { people } = this.recorded
    const room = lay(vaultOnly, this.folder(), people, point.at)
    try {
      if (vaultOnly.size === 0) {
        await expect(room.open([...people.keys()])).rejects.toMatchObject({ code: 'vault-missing' })
        return null
      }
      await onePassphrase(room, this.ready)
      return await room.withVault(
        (vault) => {
          expect(vault.database.pragma('integrity_check', { simple: true })).toBe('ok')
          const found = rowsOf(vault)
          expect(found).toEqual(this.#rows.slice(0, found.length))
          return found.length
        },
        [...people.keys()],
      )
    } finally {
      remove(room)
    }
  }

  #again({ snapshot, at: clock }: Point): Room {
    return lay(snapshot, this.folder(), this.recorded.people, clock)
  }

  async #resumed(point: Point): Promise<void> {
    remove(await survives(this.#again(point), this.ready, this.whole))
  }

  /** Each history besides: others are refused meanwhile, it can be closed instead, and the vault goes on afterwards. */
  async #thoroughly(point: Point): Promise<void> {
    const room = this.#again(point)
    await othersRefused(room, this.ready)
    const after = await survives(room, this.ready, this.whole)
    await goesOn(after, this.ready)
    const aborted = this.#again(point)
    await abortable(aborted, this.ready)
    for (const one of [after, aborted]) remove(one)
  }
}

const rowsOf = (vault: Vault): Row[] =>
  [...readChain(vault.database, vault.anchor.vaultId)].map(({ row, event }) => ({
    text: JSON.stringify(row),
    type: event.type,
  }))

const remove = ({ base }: Room): void => rmSync(base, { recursive: true, force: true })

/** The operations by which a new state comes to be: nothing between them may show. */
const isSwitch = ({ operation }: Point): boolean =>
  operation.name === 'COMMIT' || (operation.name === 'rename' && !operation.path.endsWith('people.json'))

const at = ({ n, operation }: Point): string => `stopped before operation ${n}, ${operation.name} of ${operation.path}`

/** What is inside an unfinished folder does not matter: nobody looks into it again. */
const classOf = (snapshot: Snapshot): string[] => [
  ...new Set(shapeOf(snapshot.keys()).map((path) => path.replace(/HEX\.partial\/.*/, 'HEX.partial'))),
]

async function named<T>(where: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof Error) error.message = `${where}: ${error.message}`
    throw error
  }
}
