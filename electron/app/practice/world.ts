import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { PersonName } from '../../../shared/domain/roster.ts'
import type { VaultState } from '../../../shared/domain/state.ts'
import { parsePlan } from '../../../shared/formats/plan.ts'
import type { Ports } from '../../ceremony/ports.ts'
import { runCeremony, runGenesis } from '../../ceremony/runner.ts'
import type { CeremonyResult } from '../../ceremony/steps.ts'
import { makeFolder } from '../../files/write.ts'
import { initRuntime } from '../../issuer/init.ts'
import { openRuntime, type Runtime } from '../../issuer/runtime.ts'
import type { UnlockedPerson } from '../../vault/people.ts'
import type { Quorum } from '../../vault/quorum.ts'
import { Vault } from '../../vault/vault.ts'
import { automatedDesk } from '../automated-desk.ts'
import { recordsOf } from '../context.ts'
import { type Random, sixWords } from '../desk-rules.ts'
import type { Reporter } from '../reporter.ts'
import { connect, type Room } from '../wiring.ts'
import { WORLD } from './leftovers.ts'

/** A throw-away practice vault in a temporary folder, with everything that a plan needs to exist beforehand. */

export type Cast = { people: readonly PersonName[]; threshold: number }

const SILENT: Reporter = { say: () => {}, progress: () => {} }

export class PracticeWorld {
  readonly base = mkdtempSync(join(tmpdir(), `${WORLD}${process.pid}-`))
  /** Where the vault and its records live. */
  readonly home = join(this.base, 'home')
  readonly folder: string
  /** The folder that files are carried in; another one from when on a new medium is taken. */
  media = join(this.base, 'media')
  readonly cast: Cast
  readonly #name: string
  /** Where custodians keep a share that is not in the vault. */
  readonly #shares = join(this.base, 'shares')
  readonly #random: Random
  readonly #passphrases: ReadonlyMap<string, string>
  #present: ReadonlyMap<string, UnlockedPerson> = new Map()
  #written: string[] = []
  #runtimes: string[] = []
  /** Seconds that a step takes while what must have happened before is made up. */
  pace = 0
  /** How far the world's clock is behind the real one while what must have happened before is made up. */
  #behind = 0

  constructor(cast: Cast, random: Random, name = 'Practice') {
    this.cast = cast
    this.#name = name
    this.folder = join(this.home, `${name.toLowerCase().replaceAll(' ', '-')}.vault`)
    makeFolder(this.home)
    this.#random = random
    this.#passphrases = new Map(cast.people.map(({ id }) => [id, sixWords(random)]))
  }

  readonly now = (): number => Math.floor(Date.now() / 1000) - this.#behind

  readonly #paced: Reporter = { ...SILENT, say: () => this.goOn(Math.max(0, this.#behind - this.pace)) }

  /** Where ceremonies of this world are held; `over` changes what people at a terminal bring. */
  room(over: Partial<Room> = {}): Room {
    return {
      media: this.media,
      records: recordsOf(this.folder),
      newVault: { folder: this.folder, passphrases: this.#passphrases },
      now: this.now,
      secrets: new Invented(this.#random),
      dice: '123456'.repeat(167),
      reporter: SILENT,
      onFile: (path) => this.#written.push(path),
      ...over,
    }
  }

  /** Ports whose desk says yes to everything; it types what it is told to type, too. */
  ports(over: Partial<Room> = {}): Ports<Quorum> {
    const room = this.room(over)
    const desk = {
      ...automatedDesk(room),
      automated: false,
      presence: 'Nobody is here: the software acts for everybody in this rehearsal.',
      confirm: async () => 'by nobody: this is a rehearsal',
    }
    return connect({ desk, ...room })
  }

  /** The world begins `ago` seconds before now. */
  async begin(ago: number): Promise<void> {
    this.#behind = ago
    const people = this.cast.people.map(({ id, name, role }) => ({ id, name, role }))
    const plan = { kind: 'genesis', vault: this.#name, practice: true, threshold: this.cast.threshold, people }
    const ports = this.ports({ reporter: this.#paced })
    const { vault } = await runGenesis(ports, parsePlan(JSON.stringify(plan, null, 2)))
    this.#present = vault.present as ReadonlyMap<string, UnlockedPerson>
    vault.close()
  }

  passphraseOf(person: string): string {
    return this.#passphrases.get(person) ?? ''
  }

  /** From here on the clock is the real one. */
  arrive(): void {
    this.#behind = 0
  }

  /** The world goes on to an instant so many seconds before now. */
  goOn(ago: number): void {
    this.#behind = Math.min(this.#behind, ago)
  }

  /** Everybody is at the table, or those who `come`. */
  async open(come: (id: string) => boolean = () => true): Promise<Vault> {
    const present = [...this.#present].filter(([id]) => come(id))
    const vault = await Vault.openFor(this.folder, new Map(present))
    makeFolder(this.#shares)
    vault.shareFolders = [this.#shares]
    return vault
  }

  async withVault<T>(work: (vault: Vault) => Promise<T> | T, come?: (id: string) => boolean): Promise<T> {
    const vault = await this.open(come)
    try {
      return await work(vault)
    } finally {
      vault.close()
    }
  }

  /** One ceremony that must have been held before, by everybody or by those who `come`. Each step takes a while. */
  hold(plan: object, come?: (id: string) => boolean): Promise<CeremonyResult> {
    this.#written = []
    return this.withVault(
      (vault) =>
        runCeremony(this.ports({ reporter: this.#paced }), vault, parsePlan(JSON.stringify(plan, null, 2)), []),
      come,
    )
  }

  state(): Promise<VaultState> {
    return this.withVault(({ state }) => state)
  }

  /** A runtime's folder and its enrollment on the medium. */
  async offer(runtimeId: string): Promise<{ enrollment: string; fingerprint: string }> {
    const anchor = connect(this.room()).media.writeAnchor(await this.withVault(({ anchor }) => anchor.jws), this.now())
    const made = await initRuntime({
      dir: join(this.base, runtimeId),
      trustAnchorFile: join(this.media, anchor.name),
      runtimeId,
      environment: 'practice',
      listen: { host: '127.0.0.1', port: 1 },
      enrollmentFolder: this.media,
      practice: true,
      clock: this.#clock,
    })
    return { enrollment: basename(made.enrollmentFile), fingerprint: made.fingerprint }
  }

  async enroll(runtimeId: string, come?: (id: string) => boolean): Promise<void> {
    if (this.#runtimes.includes(runtimeId)) return
    this.#runtimes.push(runtimeId)
    await this.hold({ kind: 'enroll-runtime', ...(await this.offer(runtimeId)) }, come)
  }

  /** Hands over to a runtime, which imports. */
  async handOver(runtimeId: string): Promise<void> {
    await this.withRuntime(runtimeId, (runtime) => this.handTo(runtimeId, runtime))
  }

  /** Hands over to a runtime that is open already. */
  async handTo(
    runtimeId: string,
    runtime: Runtime,
    tenants: 'all' | string[] = 'all',
    come?: (id: string) => boolean,
  ): Promise<void> {
    await this.hold({ kind: 'handoff', runtime: runtimeId, tenants }, come)
    await runtime.importFiles(this.#written)
  }

  /** The name of a file with the runtime's newest receipts. */
  receipts(runtimeId: string): Promise<string> {
    return this.withRuntime(runtimeId, (runtime) => this.receiptsOf(runtime))
  }

  /** The same of a runtime that is open already. */
  async receiptsOf(runtime: Runtime): Promise<string> {
    await runtime.tick()
    return basename((await runtime.exportReceipts(this.media)).path)
  }

  openRuntime(runtimeId: string): Promise<Runtime> {
    return openRuntime({ dir: join(this.base, runtimeId), clock: this.#clock })
  }

  async withRuntime<T>(runtimeId: string, work: (runtime: Runtime) => Promise<T> | T): Promise<T> {
    const runtime = await this.openRuntime(runtimeId)
    try {
      return await work(runtime)
    } finally {
      await runtime.close()
    }
  }

  /** Nobody but the world moves its time, so its runtimes need no second clock to compare with. */
  readonly #clock = { now: this.now, monotonic: this.now }

  remove(): void {
    rmSync(this.base, { recursive: true, force: true })
  }
}

/** Whatever secret a step asks for: made up, the same each time, different for everybody. */
class Invented extends Map<string, string> {
  readonly #random: Random

  constructor(random: Random) {
    super()
    this.#random = random
  }

  override get(what: string): string {
    const known = super.get(what) ?? sixWords(this.#random)
    this.set(what, known)
    return known
  }
}
