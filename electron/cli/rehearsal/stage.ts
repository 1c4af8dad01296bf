import { basename, join } from 'node:path'
import type { PublicJwk } from '../../../shared/domain/algorithms.ts'
import { knownKey } from '../../../shared/domain/known.ts'
import { copiesOf } from '../../../shared/domain/ledger.ts'
import { count } from '../../../shared/domain/plural.ts'
import { DAY } from '../../../shared/domain/policy.ts'
import { keysOf, type VaultState } from '../../../shared/domain/state.ts'
import { must } from '../../../shared/errors.ts'
import { openJwkSet } from '../../../shared/formats/bundle.ts'
import { hexGroups } from '../../../shared/formats/fingerprint.ts'
import { canonicalText } from '../../../shared/formats/json.ts'
import { parsePlan } from '../../../shared/formats/plan.ts'
import type { Reporter } from '../../app/reporter.ts'
import { connect } from '../../app/wiring.ts'
import { confirmationFor } from '../../ceremony/destroy.ts'
import { runCeremony, runGenesis } from '../../ceremony/runner.ts'
import { evidenceOf, signEvidence } from '../../evidence/build.ts'
import { writeEvidence } from '../../evidence/write-record.ts'
import { writeNewFile } from '../../files/write.ts'
import { readTrustAnchor } from '../../handoff/statements.ts'
import type { ClientRequest } from '../../issuer/clients.ts'
import { createIssuerServer, type IssuerServer } from '../../issuer/http/server.ts'
import { initRuntime } from '../../issuer/init.ts'
import { openRuntime, type Runtime } from '../../issuer/runtime.ts'
import { Vault } from '../../vault/vault.ts'
import { verifyVault } from '../../vault/verify.ts'
import { Account } from './account.ts'
import type { VirtualClock } from './clock.ts'
import type { Matrix } from './matrix.ts'
import { RelyingParty, type TestClient, verifyThroughDiscovery } from './relying-party.ts'
import { CACHE_SECONDS, type Folders, PEOPLE, THRESHOLD, writePassphrases } from './setup.ts'
import type { Summary } from './summary.ts'
import { type Walked, walk } from './walk.ts'

const RUNTIME = 'runtime-1'
const ENVIRONMENT = 'rehearsal'
/** Steps that every ceremony has; the account names them once, in its closing line. */
const ROUTINE = /^ {2}✓ (Check the machine|Read the plan|Sign the record)/

/** Vault, runtime, server and relying parties of one rehearsal. */
export class Stage {
  readonly clock: VirtualClock
  readonly port: number
  readonly held: Summary['ceremonies'] = []
  readonly bundles: Summary['bundles'] = []
  readonly parties: RelyingParty[] = []
  keysMade = 0
  tokensIssued = 0
  readonly #folders: Folders
  readonly #account: Account
  readonly #reporter: Reporter
  readonly #passphrases: Map<string, string>
  #written: string[] = []
  #state: VaultState | null = null
  #anchorFile = ''
  #runtime: Runtime | null = null
  #server: IssuerServer | null = null

  constructor(folders: Folders, clock: VirtualClock, reporter: Reporter, port: number) {
    this.#folders = folders
    this.clock = clock
    this.port = port
    this.#reporter = reporter
    this.#account = new Account(reporter)
    this.#passphrases = writePassphrases(folders.passphrases)
  }

  chapter(title: string): void {
    this.#account.chapter(title, this.clock.now())
  }

  line(text: string): void {
    this.#account.line(text)
  }

  progress(label: string): (done: number, total: number) => void {
    return (done, total) => this.#reporter.progress(label, done, total)
  }

  /** The clock arrives at the present, and the runtime with it. */
  async endAt(today: number): Promise<void> {
    this.clock.goTo(today)
    await this.#issuer.tick()
  }

  async close(): Promise<void> {
    await this.#server?.close()
    await this.#runtime?.close()
  }

  async genesis(): Promise<void> {
    const people = PEOPLE.map((person) => ({ ...person }))
    const plan = { kind: 'genesis', vault: 'Rehearsal', practice: true, threshold: THRESHOLD, people }
    const { vault, result } = await runGenesis(this.#ports(), parsePlan(planText(plan)))
    this.#anchorFile = this.#written[0] ?? ''
    vault.close()
    this.#tell(result, vault.state)
  }

  /** Opens the vault with another three custodians each time, runs one plan and closes it again. */
  async ceremony(plan: object, confirm: string[] = []): Promise<string[]> {
    return this.#withVault(async (vault) => {
      const before = vault.state.keys.size
      const result = await runCeremony(this.#ports(), vault, parsePlan(planText(plan)), confirm)
      this.keysMade += vault.state.keys.size - before
      this.#tell(result, vault.state)
      return result.certificates
    })
  }

  #tell({ ceremony, kind, steps }: { ceremony: string; kind: string; steps: unknown[] }, state: VaultState): void {
    const signedBy = Object.keys(state.ceremonies.get(ceremony)?.ended?.signOffs ?? {}).length
    this.held.push({ ceremony, kind, steps: steps.length, signedBy })
    this.#state = state
    this.line(
      `  ✓ ${ceremony}: machine checked, plan read, record signed by ${count(signedBy, 'person', 'people')} and the root`,
    )
  }

  /** Every step takes a minute of the rehearsal's time. */
  #ports() {
    this.#written = []
    const { vault: folder, media, records } = this.#folders
    const say = (text: string) => {
      this.clock.advance(60)
      if (!ROUTINE.test(text)) this.line(text)
    }
    const newVault = { folder, passphrases: this.#passphrases }
    const onFile = (path: string) => this.#written.push(path)
    return connect({
      media,
      records,
      newVault,
      now: () => this.clock.now(),
      reporter: { ...this.#reporter, say },
      onFile,
    })
  }

  async #withVault<T>(work: (vault: Vault) => Promise<T>): Promise<T> {
    const turn = this.held.length
    const absent = [PEOPLE[turn % 5]?.id, PEOPLE[(turn + 2) % 5]?.id]
    const present = new Map([...this.#passphrases].filter(([id]) => !absent.some((one) => one === id)))
    const vault = await Vault.open(this.#folders.vault, present)
    try {
      return await work(vault)
    } finally {
      vault.close()
    }
  }

  get #vaultState(): VaultState {
    must(this.#state, 'internal', 'The vault is not created yet.')
    return this.#state
  }

  get #issuer(): Runtime {
    must(this.#runtime, 'internal', 'The runtime is not open yet.')
    return this.#runtime
  }

  async enroll(): Promise<void> {
    const made = await initRuntime({
      dir: this.#folders.issuer,
      trustAnchorFile: this.#anchorFile,
      runtimeId: RUNTIME,
      environment: ENVIRONMENT,
      listen: { host: '127.0.0.1', port: this.port },
      enrollmentFolder: this.#folders.media,
      practice: true,
      clock: this.clock,
    })
    this.line(`  The runtime shows its fingerprint: ${hexGroups(made.fingerprint).slice(0, 4).join(' ')} …`)
    const plan = { kind: 'enroll-runtime', enrollment: basename(made.enrollmentFile), fingerprint: made.fingerprint }
    await this.ceremony(plan)
    this.#runtime = await openRuntime({ dir: this.#folders.issuer, clock: this.clock })
  }

  /** Exports to the runtime and imports there: the files of this handoff and no others. */
  async handoff(tenants: 'all' | string[]): Promise<void> {
    await this.ceremony({ kind: 'handoff', runtime: RUNTIME, tenants })
    const { number, tenants: taken, keys } = await this.#issuer.importFiles(this.#written)
    await this.#issuer.tick()
    this.bundles.push({ number, tenants: taken, keys })
    this.line(
      `Imported: bundle ${number}, ${count(taken, 'tenant')}, ${count(keys, 'private key')}; the one-time transport key is erased.`,
    )
  }

  async serve(): Promise<void> {
    this.#server = await createIssuerServer(this.#issuer, { listen: { host: '127.0.0.1', port: this.port } })
    const clients: TestClient[] = []
    for (const { tenant, issuer } of (await this.#issuer.status()).tenants) {
      const audience = `${issuer}/api`
      const request: ClientRequest = {
        clientId: `${tenant}-app`,
        method: 'client_secret_basic',
        audiences: [audience],
        scopes: ['read'],
      }
      const { client, secret } = await this.#issuer.clients.add(tenant, request, 'rehearsal')
      const mine = { tenant, client_id: client.clientId, client_secret: secret ?? '', audience }
      this.parties.push(new RelyingParty(issuer, mine, CACHE_SECONDS))
      clients.push(mine)
    }
    writeNewFile(join(this.#folders.issuer, 'clients.json'), `${JSON.stringify(clients, null, 2)}\n`)
    this.line(`Listening on ${this.#server.url}, one client for each tenant.`)
  }

  /** One token per tenant through discovery; and the root-signed key set must hold exactly the keys that are served. */
  async firstTokens(): Promise<number> {
    const anchor = await readTrustAnchor(this.#anchorFile)
    for (const [index, party] of this.parties.entries()) {
      await this.#verifyOne(party)
      const signed = await openJwkSet(await (await fetch(`${party.issuer}/.well-known/jwks.jwt`)).text(), anchor.key)
      const { set } = await party.fetchKeys()
      const same = canonicalText(signed.keys) === canonicalText(set.keys)
      must(same, 'verification-failed', `The signed key set of ${party.issuer} is not the one it serves.`)
      this.progress('Tokens')(index + 1, this.parties.length)
    }
    return this.parties.length
  }

  async #verifyOne(party: RelyingParty): Promise<void> {
    await verifyThroughDiscovery(party.issuer, party.client.audience, await party.token(), this.clock.now())
    this.tokensIssued++
  }

  /** Every public key that a tenant has, scheduled ones too. */
  publicKeys(tenant: string): PublicJwk[] {
    return keysOf(this.#vaultState, tenant).map((key) => key.jwk)
  }

  async intake(): Promise<Summary['receipts']> {
    await this.#issuer.tick()
    const { path } = await this.#issuer.exportReceipts(this.#folders.media)
    await this.ceremony({ kind: 'intake', runtime: RUNTIME, receipts: basename(path) })
    const statements = this.#vaultState.runtimes.get(RUNTIME)?.receipts.statements ?? []
    return { taken: statements.length, erased: statements.filter(({ stated }) => stated.type === 'erased').length }
  }

  async walkTo(day: number): Promise<Walked> {
    const { tenants } = await this.#issuer.status()
    const schedules = tenants.map(({ issuer, phases }): [string, number[]] => [
      issuer,
      phases.flatMap((key) => [key.announceAt, key.signFrom, key.signUntil, key.removeAt]),
    ])
    const walked = await walk({
      parties: this.parties,
      schedules: new Map(schedules),
      clock: this.clock,
      until: this.clock.start + day * DAY,
      tick: () => this.#issuer.tick(),
      onProgress: this.progress('Virtual time'),
    })
    this.tokensIssued += walked.checks
    return walked
  }

  /** Taint first, online and at once; then the ceremony, the replacement and a bundle for this tenant alone. */
  async emergency(): Promise<Summary['emergency']> {
    const [victim] = (await this.#issuer.status()).tenants
    const compromised = victim?.signingKids[0]
    must(victim && compromised, 'internal', 'No tenant signs.')
    const { tenant } = victim
    const before = await this.#keySets()
    await this.#issuer.taint(tenant, compromised, { withdraw: false, actor: 'operator' })
    this.line(`${tenant}: key ${compromised.slice(0, 8)} … is tainted and signs no more, at once.`)
    await this.intake()
    await this.ceremony({
      kind: 'emergency',
      scope: { key: compromised },
      reason: 'Rehearsed theft of the signing host',
    })
    await this.handoff([tenant])
    const now = (await this.#issuer.status()).tenants.find((one) => one.tenant === tenant)
    const replacement = now?.signingKids[0] ?? ''
    must(replacement !== '' && replacement !== compromised, 'verification-failed', 'The replacement does not sign.')
    for (const party of this.parties) if (party.client.tenant === tenant) await this.#verifyOne(party)
    const after = await this.#keySets()
    const others = [...before.keys()].filter((one) => one !== tenant)
    const othersIdentical = others.filter((one) => before.get(one) === after.get(one)).length
    must(othersIdentical === others.length, 'verification-failed', 'Another tenant was touched by the emergency.')
    must(before.get(tenant) !== after.get(tenant), 'verification-failed', 'The key set of the tenant did not change.')
    return { tenant, compromised, replacement, others: others.length, othersIdentical }
  }

  async #keySets(): Promise<Map<string, string>> {
    const sets = new Map<string, string>()
    for (const party of this.parties) sets.set(party.client.tenant, (await party.fetchKeys()).bytes)
    return sets
  }

  /** The oldest retired key of the second tenant, or of the only one. */
  async destroy(): Promise<Summary['destruction']> {
    const tenant = this.parties[Math.min(1, this.parties.length - 1)]?.client.tenant ?? ''
    const key = keysOf(this.#vaultState, tenant)[0]?.kid ?? ''
    const statement = 'No snapshot, database backup or replica of the rehearsal runtime exists'
    const attestations = [{ copy: `runtime:${RUNTIME}`, by: 'goran', statement }]
    const plan = {
      kind: 'destroy',
      keys: [key],
      reason: 'End of schedule; policy destroys at retirement',
      attestations,
    }
    const [certificate = ''] = await this.ceremony(plan, [confirmationFor([key])])
    const destroyed = knownKey(this.#vaultState, key)
    const copies = copiesOf(this.#vaultState, destroyed)
    const open = copies.filter((copy) => copy.status === 'open').length
    return { key, certificate, grade: destroyed.certificate?.grade ?? 'none', copies: copies.length, openCopies: open }
  }

  async evidence(matrix: Matrix): Promise<Summary['vault']> {
    return this.#withVault(async (vault) => {
      const at = this.clock.now()
      const evidence = evidenceOf(vault.state, at, matrix)
      const signatures = await signEvidence(evidence, vault.present.values())
      await writeEvidence(this.#folders.evidence, { evidence, signatures })
      const { events, signatures: signed, approvals, checkpoints, sealed } = await verifyVault(vault)
      return { events, signatures: signed, approvals, checkpoints, sealed }
    })
  }

  /** Key spec -> tenants that sign with it. */
  algorithms(): Record<string, number> {
    const specs = [...this.#vaultState.tenants.values()].flatMap((tenant) => tenant.policy.signingAlgorithms)
    return Object.fromEntries([...Map.groupBy(specs, (spec) => spec)].map(([spec, of]) => [spec, of.length]))
  }
}

/** Plans as people would keep them: indented. */
const planText = (plan: object): string => `${JSON.stringify(plan, null, 2)}\n`
