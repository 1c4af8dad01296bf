import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'
import { expect } from 'vitest'
import { connect } from '../../electron/app/wiring.ts'
import type { Ports } from '../../electron/ceremony/ports.ts'
import { runCeremony, runGenesis } from '../../electron/ceremony/runner.ts'
import type { CeremonyResult } from '../../electron/ceremony/steps.ts'
import { type Initialised, initRuntime } from '../../electron/issuer/init.ts'
import { openRuntime, type Runtime } from '../../electron/issuer/runtime.ts'
import type { UnlockedPerson } from '../../electron/vault/people.ts'
import type { Quorum } from '../../electron/vault/quorum.ts'
import { Vault } from '../../electron/vault/vault.ts'
import { type VaultReport, verifyVault } from '../../electron/vault/verify.ts'
import type { KeySpec } from '../../shared/domain/algorithms.ts'
import type { PersonName } from '../../shared/domain/roster.ts'
import type { VaultState } from '../../shared/domain/state.ts'
import { type Code, KeyriteError } from '../../shared/errors.ts'
import { parsePlan } from '../../shared/formats/plan.ts'
import { TestClock } from '../issuer/fixtures.ts'

/**
 * A room for ceremonies: a temporary folder with a real practice vault, a medium and records, a clock that only the test
 * moves, and ports through the same wiring as the command line. One genesis for each test file; every room is a copy.
 */

/** 2026-03-01T00:00:00Z */
export const T0 = 1_772_323_200

export const PEOPLE: readonly PersonName[] = [
  { id: 'ada', name: 'Ada Lovelace', role: 'custodian' },
  { id: 'blaise', name: 'Blaise Pascal', role: 'custodian' },
  { id: 'clara', name: 'Clara Immerwahr', role: 'custodian' },
  { id: 'emmy', name: 'Emmy Noether', role: 'compliance' },
  { id: 'grace', name: 'Grace Hopper', role: 'administrator' },
]
export const THRESHOLD = 2
export const PASSPHRASES: ReadonlyMap<string, string> = new Map(
  PEOPLE.map(({ id }) => [id, `canary passphrase of ${id} 7194`]),
)
export const GENESIS = {
  kind: 'genesis',
  vault: 'Test vault',
  practice: true,
  threshold: THRESHOLD,
  people: PEOPLE.map((person) => ({ ...person })),
}
/** A quorum and its witnesses; Clara is absent. */
export const PRESENT = ['ada', 'blaise', 'emmy', 'grace']

/** What a test may put between the runner and the world. */
export type Fault = {
  ports?: (ports: Ports<Quorum>) => Ports<Quorum>
  vault?: (vault: Vault) => Vault
}
export type RunOptions = Fault & { present?: readonly string[]; confirm?: readonly string[]; acceptTail?: boolean }
export type Ran = { result: CeremonyResult; state: VaultState }

export class Room {
  readonly base: string
  readonly vault: string
  readonly media: string
  readonly records: string
  readonly people: ReadonlyMap<string, UnlockedPerson>
  readonly clock: TestClock
  /** Where share files of custodians with a medium of their own lie. */
  readonly shares: string
  /** What the automated desk answers, by name. */
  readonly secrets = new Map<string, string>()
  /** What people were told, and the files written on the medium, since the last ceremony began. */
  said: string[] = []
  written: string[] = []

  constructor(base: string, people: ReadonlyMap<string, UnlockedPerson>, at: number) {
    this.base = base
    this.vault = join(base, 'test.vault')
    this.media = join(base, 'media')
    this.records = join(base, 'records')
    this.shares = join(base, 'shares')
    this.people = people
    this.clock = new TestClock(at)
  }

  /** What people will type, by name. */
  answers(secrets: Readonly<Record<string, string>>): void {
    for (const [name, secret] of Object.entries(secrets)) this.secrets.set(name, secret)
  }

  /** Every step takes a minute. */
  ports(): Ports<Quorum> {
    this.said = []
    this.written = []
    const say = (text: string) => {
      this.clock.advance(60)
      this.said.push(text)
    }
    return connect({
      media: this.media,
      records: this.records,
      newVault: { folder: this.vault, passphrases: PASSPHRASES },
      now: this.clock.now,
      reporter: { say, progress: () => {} },
      shares: this.shares,
      secrets: this.secrets,
      onFile: (path) => this.written.push(path),
    })
  }

  async open(present: readonly string[] = PRESENT): Promise<Vault> {
    const vault = await Vault.openFor(this.vault, new Map([...this.people].filter(([id]) => present.includes(id))))
    vault.shareFolders = [this.shares]
    return vault
  }

  async withVault<T>(work: (vault: Vault) => T | Promise<T>, present?: readonly string[]): Promise<T> {
    const vault = await this.open(present)
    try {
      return await work(vault)
    } finally {
      vault.close()
    }
  }

  state(): Promise<VaultState> {
    return this.withVault(({ state }) => state)
  }

  verify(): Promise<VaultReport> {
    return this.withVault(verifyVault)
  }

  /** Runs one plan from its start to its record. */
  async run(
    plan: object,
    { present, confirm = [], ports, vault: change, acceptTail = false }: RunOptions = {},
  ): Promise<Ran> {
    const vault = await this.open(present)
    try {
      const given = this.ports()
      const read = parsePlan(`${JSON.stringify(plan, null, 2)}\n`)
      const result = await runCeremony(ports?.(given) ?? given, change?.(vault) ?? vault, read, confirm, acceptTail)
      return { result, state: vault.state }
    } finally {
      vault.close()
    }
  }

  /** Runs a plan that must be refused with `code` and leave vault, medium and records byte for byte as they were. */
  async refused(plan: object, code: Code, options: RunOptions = {}): Promise<KeyriteError> {
    const before = this.content()
    const error = await failure(this.run(plan, options))
    expect(error.code).toBe(code)
    expect(this.content()).toEqual(before)
    return error
  }

  onboard(...tenants: ReturnType<typeof tenantPlan>[]): Promise<Ran> {
    return this.run({ kind: 'onboard', tenants })
  }

  /** Initialises a runtime, enrolls it and opens it. The caller closes it. */
  async runtime(id = 'eu-one', { host = '127.0.0.1', port = 1 } = {}): Promise<TestRuntime> {
    const made = await this.init(id, { host, port })
    const plan = { kind: 'enroll-runtime', enrollment: basename(made.enrollmentFile), fingerprint: made.fingerprint }
    await this.run(plan)
    return { id, dir: made.dir, runtime: await openRuntime({ dir: made.dir, clock: this.clock }) }
  }

  init(id: string, listen = { host: '127.0.0.1', port: 1 }): Promise<Initialised> {
    const [anchor] = filesOf(this.media).filter((name) => name.startsWith('trust-anchor-'))
    return initRuntime({
      dir: join(this.base, id),
      trustAnchorFile: join(this.media, anchor ?? ''),
      runtimeId: id,
      environment: 'test',
      listen,
      enrollmentFolder: this.media,
      practice: true,
      clock: this.clock,
    })
  }

  /** Exports to a runtime and imports the files there. */
  async handoff({ id, runtime }: TestRuntime, tenants: 'all' | string[] = 'all'): Promise<Ran> {
    const ran = await this.run({ kind: 'handoff', runtime: id, tenants })
    await runtime.importFiles(this.written)
    await runtime.tick()
    return ran
  }

  /** Brings a runtime's receipts back. */
  async intake({ id, runtime }: TestRuntime): Promise<Ran> {
    await runtime.tick()
    const { path } = await runtime.exportReceipts(this.media)
    return this.run({ kind: 'intake', runtime: id, receipts: basename(path) })
  }

  /** The digest of every file in the room but those of runtimes, by path. */
  content(): Record<string, string> {
    return Object.assign({}, ...[this.vault, this.media, this.records, this.shares].map(digests))
  }

  /** The same room again at this moment, as a power cut would leave it. */
  copy(base: string): Room {
    cpSync(this.base, base, { recursive: true })
    return new Room(base, this.people, this.clock.now())
  }
}

export type TestRuntime = { id: string; dir: string; runtime: Runtime }

export type Genesis = {
  base: string
  people: ReadonlyMap<string, UnlockedPerson>
  result: CeremonyResult
  /** A copy of the room as genesis left it. */
  room(): Room
  /** A path for another room, not there yet. */
  folder(): string
  remove(): void
}

type Watch = (ports: Ports<Quorum>, room: Room, folder: () => string) => Ports<Quorum>

/** Runs a real genesis once. `at` is when; `watch` may stand between the runner and the world. */
export async function makeGenesis(at = T0, watch: Watch = (ports) => ports): Promise<Genesis> {
  const base = mkdtempSync(join(tmpdir(), 'keyrite-ceremony-'))
  const original = new Room(join(base, 'genesis'), new Map(), at)
  let made = 0
  const folder = () => join(base, `room-${++made}`)
  mkdirSync(original.base)
  const ports = watch(original.ports(), original, folder)
  const { vault, result } = await runGenesis(ports, parsePlan(JSON.stringify(GENESIS)))
  const people = vault.present as ReadonlyMap<string, UnlockedPerson>
  vault.close()
  return {
    base,
    people,
    result,
    folder,
    room: () => new Room(original.base, people, original.clock.now()).copy(folder()),
    remove: () => rmSync(base, { recursive: true, force: true }),
  }
}

export const issuerOf = (tenant: string): string => `https://${tenant}.example.com`

/** A tenant as it stands in an onboarding plan. */
export const tenantPlan = (
  tenant: string,
  { specs = ['ES256'] as KeySpec[], issuer = issuerOf(tenant), policy = {}, relyingParties = [] as object[] } = {},
) => ({ tenant, name: `Tenant ${tenant}`, issuer, policy: { signingAlgorithms: specs, ...policy }, relyingParties })

/** The failure of `work`, which must be one that Keyrite foresees. */
export async function failure(work: Promise<unknown>): Promise<KeyriteError> {
  const error = await work.then(
    () => new Error('this should have failed'),
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof KeyriteError)) throw error
  return error
}

/** Every file below `folder` as path -> SHA-256; what is no file shows as its kind. */
export function digests(folder: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const entry of listing(folder)) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isDirectory()) continue
    found[`${basename(folder)}/${relative(folder, path)}`] = entry.isFile()
      ? createHash('sha256').update(readFileSync(path)).digest('hex')
      : 'not a file'
  }
  return found
}

const listing = (folder: string) =>
  existsSync(folder) ? readdirSync(folder, { recursive: true, withFileTypes: true }) : []

/** Paths of every file below `folder`, relative to it, sorted. */
export const filesOf = (folder: string): string[] =>
  listing(folder)
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort()

/** The passphrases as files, one per person, readable by the owner alone. */
export function writePassphrases(folder: string, ids: readonly string[]): string {
  mkdirSync(folder, { mode: 0o700 })
  for (const id of ids) writeFileSync(join(folder, id), `${PASSPHRASES.get(id)}\n`, { mode: 0o600 })
  return folder
}
