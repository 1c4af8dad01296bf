import { basename, join, resolve } from 'node:path'
import { DAY, HOUR } from '../../../shared/domain/policy.ts'
import { keysOf } from '../../../shared/domain/state.ts'
import { must } from '../../../shared/errors.ts'
import { openJwkSet } from '../../../shared/formats/bundle.ts'
import { sha256, toHex } from '../../../shared/formats/bytes.ts'
import { hexGroups } from '../../../shared/formats/fingerprint.ts'
import { canonicalText } from '../../../shared/formats/json.ts'
import { parsePlan } from '../../../shared/formats/plan.ts'
import { confirmationFor } from '../../ceremony/destroy.ts'
import type { Ports } from '../../ceremony/ports.ts'
import { type CeremonyResult, runCeremony, runGenesis } from '../../ceremony/runner.ts'
import { evidenceOf, signEvidence } from '../../evidence/build.ts'
import { writeEvidence } from '../../evidence/write-record.ts'
import { writeNewFile } from '../../files/write.ts'
import { createIssuerServer, type IssuerServer } from '../../issuer/http/server.ts'
import { initRuntime } from '../../issuer/init.ts'
import { openRuntime, type Runtime } from '../../issuer/runtime.ts'
import type { Quorum } from '../../vault/quorum.ts'
import { Vault } from '../../vault/vault.ts'
import { verifyVault } from '../../vault/verify.ts'
import type { Reporter } from '../output.ts'
import { connect } from '../wiring.ts'
import { Account, count } from './account.ts'
import { VirtualClock } from './clock.ts'
import { crossTenantMatrix, type Matrix } from './matrix.ts'
import { RelyingParty, type TestClient, verifyThroughDiscovery } from './relying-party.ts'
import {
  CACHE_SECONDS,
  checkPort,
  type Folders,
  PEOPLE,
  prepareFolders,
  THRESHOLD,
  tenantsToOnboard,
  writePassphrases,
} from './setup.ts'
import { type Walked, walk } from './walk.ts'

/** The whole life in one go, in practice mode: from passphrases to a verified token, and back to a certificate. */

export type RehearseOptions = { out: string; tenants: number; port: number; reporter: Reporter }

const RUNTIME = 'runtime-1'
const ENVIRONMENT = 'rehearsal'
/** Days of the rehearsal's life: first rotation behind us, second handoff, second rotation, emergency, today. */
const SECOND_HANDOFF = 100
const LAST_DAY = 190

/** Everything that is counted; `summary.json` is exactly this. */
export type Summary = {
  version: 1
  ok: true
  practice: true
  from: number
  to: number
  virtualDays: number
  people: number
  threshold: number
  tenants: number
  algorithms: Record<string, number>
  keysMade: number
  ceremonies: { ceremony: string; kind: string; steps: number }[]
  bundles: number
  tokens: { firstVerified: number; issued: number }
  matrix: Matrix
  rotation: Walked
  emergency: {
    tenant: string
    compromised: string
    replacement: string
    othersIdentical: number
    othersChanged: number
  }
  receipts: { taken: number; erased: number }
  destruction: { key: string; certificate: string; grade: string; openCopies: number }
  vault: { events: number; signatures: number; approvals: number; checkpoints: number; sealed: number }
  seconds: number
}

export async function rehearse({ out, tenants, port, reporter }: RehearseOptions): Promise<Summary> {
  const startedAt = performance.now()
  await checkPort(port)
  const folders = prepareFolders(resolve(out))
  const today = Math.floor(Date.now() / 1000)
  const clock = new VirtualClock(today - LAST_DAY * DAY - 6 * HOUR)
  const stage = new Stage(folders, clock, reporter, tenants, port)
  try {
    const told = await tell(stage)
    clock.goTo(today)
    const summary: Summary = {
      ...told,
      from: clock.start,
      to: clock.now(),
      seconds: Math.round((performance.now() - startedAt) / 100) / 10,
    }
    writeNewFile(join(folders.out, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`)
    return summary
  } finally {
    await stage.close()
  }
}

async function tell(stage: Stage): Promise<Omit<Summary, 'from' | 'to' | 'seconds'>> {
  const { account, clock } = stage
  account.chapter('Genesis: people, shares and a root', clock.now())
  await stage.genesis()
  account.line(
    `${count(PEOPLE.length, 'person').replace('persons', 'people')}; ${THRESHOLD} of 5 custodians must act together.`,
  )

  account.chapter('Onboarding: keys of its own for every tenant', clock.now())
  await stage.ceremony({ kind: 'onboard', tenants: tenantsToOnboard(stage.tenants, stage.port) })

  account.chapter('A runtime is initialised and enrolled', clock.now())
  await stage.enroll()

  account.chapter('First handoff: bundle and key material by file', clock.now())
  await stage.handoff('all')

  account.chapter('The issuer serves', clock.now())
  await stage.serve()
  await stage.firstTokens()
  account.line(
    `${count(stage.parties.length, 'token')}, each verified through its own discovery and key set by an independent library.`,
  )

  account.chapter('Isolation: every token at every other tenant', clock.now())
  const matrix = await crossTenantMatrix(stage.parties, clock.now(), stage.progress('Pairs'))
  account.line(
    `${count(matrix.pairs, 'pair')}: ${matrix.rejectedByPolicy} rejected by policy, ${matrix.rejectedBySignature} by the bare signature`,
  )
  account.line(
    `(${count(matrix.signatureChecks, 'signature check')} with the key id ignored). ${matrix.accepted} accepted.`,
  )

  account.chapter('Receipts come back', clock.now())
  await stage.intake()

  account.chapter(`${SECOND_HANDOFF} days pass; the first keys retire`, clock.now())
  const first = await stage.walkTo(SECOND_HANDOFF)

  account.chapter('Rotation ceremony and second handoff', clock.now())
  await stage.intake()
  await stage.ceremony({ kind: 'rotate', tenants: 'all', endingWithin: '180d' })
  await stage.handoff('all')

  account.chapter('The next keys take over', clock.now())
  const second = await stage.walkTo(LAST_DAY)
  const rotation = {
    checks: first.checks + second.checks,
    lateChecks: first.lateChecks + second.lateChecks,
    failures: first.failures + second.failures,
    switches: first.switches + second.switches,
  }
  account.line(
    `${count(rotation.checks, 'token')} verified by relying parties with 12-hour caches, ${count(rotation.lateChecks, 'token')} again late in life;`,
  )
  account.line(
    `${count(rotation.switches, 'switch').replace('switchs', 'switches')} of signing key, ${count(rotation.failures, 'failure')}.`,
  )

  account.chapter('Emergency: one tenant, the others untouched', clock.now())
  const emergency = await stage.emergency()
  account.line(
    `${emergency.tenant} signs with a replacement; ${emergency.othersIdentical} of ${stage.parties.length - 1} other key sets are byte-identical.`,
  )

  account.chapter('Receipts come back', clock.now())
  const receipts = await stage.intake()

  account.chapter('Destruction of a retired key', clock.now())
  const destruction = await stage.destroy()
  account.line(
    `Certificate of ${destruction.grade} ${destruction.certificate}; ${count(destruction.openCopies, 'known copy').replace('copys', 'copies')} open.`,
  )

  account.chapter('Evidence', clock.now())
  const vault = await stage.evidence(matrix)
  account.line(
    `${count(vault.events, 'event')} in one chain; ${vault.signatures} signatures, ${vault.approvals} approvals and ${vault.checkpoints} checkpoints checked again.`,
  )
  return {
    version: 1,
    ok: true,
    practice: true,
    virtualDays: LAST_DAY,
    people: PEOPLE.length,
    threshold: THRESHOLD,
    tenants: stage.parties.length,
    algorithms: stage.algorithms(),
    keysMade: stage.keysMade,
    ceremonies: stage.held,
    bundles: stage.bundles,
    tokens: { firstVerified: stage.parties.length, issued: stage.tokensIssued + first.checks + second.checks },
    matrix,
    rotation,
    emergency,
    receipts,
    destruction,
    vault,
  }
}

/** Vault, runtime, server and relying parties of one rehearsal. */
class Stage {
  readonly folders: Folders
  readonly clock: VirtualClock
  readonly account: Account
  readonly tenants: number
  readonly port: number
  readonly held: Summary['ceremonies'] = []
  parties: RelyingParty[] = []
  keysMade = 0
  bundles = 0
  tokensIssued = 0
  readonly #reporter: Reporter
  readonly #passphrases: Map<string, string>
  readonly #ports: Ports<Quorum>
  #written: string[] = []
  #anchorFile = ''
  #runtime: Runtime | null = null
  #server: IssuerServer | null = null
  #taken = { taken: 0, erased: 0 }
  #turn = 0

  constructor(folders: Folders, clock: VirtualClock, reporter: Reporter, tenants: number, port: number) {
    this.folders = folders
    this.clock = clock
    this.account = new Account(reporter)
    this.tenants = tenants
    this.port = port
    this.#reporter = reporter
    this.#passphrases = writePassphrases(folders.passphrases)
    // Every step takes a minute of the rehearsal's time.
    const say = (text: string) => {
      clock.advance(60)
      reporter.say(`  ${text}`)
    }
    const { vault: folder, media, records } = folders
    const newVault = { folder, passphrases: this.#passphrases }
    this.#ports = connect({
      media,
      records,
      newVault,
      now: () => clock.now(),
      reporter: { ...reporter, say },
      onFile: (path) => this.#written.push(path),
    })
  }

  get runtime(): Runtime {
    must(this.#runtime, 'internal', 'The runtime is not open yet.')
    return this.#runtime
  }

  progress(label: string): (done: number, total: number) => void {
    return (done, total) => this.#reporter.progress(label, done, total)
  }

  async close(): Promise<void> {
    await this.#server?.close()
    this.#runtime?.close()
  }

  async genesis(): Promise<void> {
    const people = PEOPLE.map((person) => ({ ...person }))
    const plan = { kind: 'genesis', vault: 'Rehearsal', practice: true, threshold: THRESHOLD, people }
    const { vault, result } = await runGenesis(this.#ports, parsePlan(planText(plan)))
    this.#anchorFile = this.#written.at(-1) ?? ''
    vault.close()
    this.#count(result)
  }

  /** Opens the vault with another three custodians each time, runs one plan and closes it again. */
  async ceremony(plan: object, confirm: string[] = []): Promise<CeremonyResult> {
    return this.#withVault(async (vault) => {
      const before = vault.state.keys.size
      const result = await runCeremony(this.#ports, vault, parsePlan(planText(plan)), confirm)
      this.keysMade += vault.state.keys.size - before
      this.#count(result)
      return result
    })
  }

  async #withVault<T>(work: (vault: Vault) => Promise<T>): Promise<T> {
    const turn = this.#turn++
    const absent = new Set([PEOPLE[turn % 5]?.id, PEOPLE[(turn + 2) % 5]?.id])
    const present = new Map([...this.#passphrases].filter(([id]) => !absent.has(id as never)))
    const vault = await Vault.open(this.folders.vault, present)
    try {
      return await work(vault)
    } finally {
      vault.close()
    }
  }

  #count(result: CeremonyResult): void {
    this.held.push({ ceremony: result.ceremony, kind: result.kind, steps: result.steps.length })
  }

  async enroll(): Promise<void> {
    const listen = { host: '127.0.0.1', port: this.port }
    const made = await initRuntime({
      dir: this.folders.issuer,
      trustAnchorFile: this.#anchorFile,
      runtimeId: RUNTIME,
      environment: ENVIRONMENT,
      listen,
      enrollmentFolder: this.folders.media,
      practice: true,
      clock: this.clock,
    })
    this.account.line(`The runtime shows its fingerprint: ${hexGroups(made.fingerprint).slice(0, 4).join(' ')} …`)
    await this.ceremony({
      kind: 'enroll-runtime',
      enrollment: basename(made.enrollmentFile),
      fingerprint: made.fingerprint,
    })
    this.#runtime = await openRuntime({ dir: this.folders.issuer, clock: this.clock })
  }

  /** Exports to the runtime and imports there: the files of this handoff and no others. */
  async handoff(tenants: 'all' | string[]): Promise<void> {
    this.#written = []
    await this.ceremony({ kind: 'handoff', runtime: RUNTIME, tenants })
    const imported = await this.runtime.importFiles(this.#written)
    this.runtime.tick()
    this.bundles++
    this.account.line(
      `Imported: bundle ${imported.number}, ${count(imported.tenants, 'tenant')}, ${count(imported.keys, 'private key')}; the transport key is erased.`,
    )
  }

  async serve(): Promise<void> {
    this.#server = await createIssuerServer(this.runtime, { listen: { host: '127.0.0.1', port: this.port } })
    const clients: TestClient[] = []
    for (const { tenant, issuer } of this.runtime.status().tenants) {
      const audience = `${issuer}/api`
      const { client, secret } = this.runtime.clients.add(
        tenant,
        { clientId: `${tenant}-app`, method: 'client_secret_basic', audiences: [audience], scopes: ['read'] },
        'rehearsal',
      )
      clients.push({ tenant, client_id: client.clientId, client_secret: secret ?? '', audience })
      this.parties.push(new RelyingParty(issuer, clients.at(-1) as TestClient, CACHE_SECONDS))
    }
    writeNewFile(join(this.folders.issuer, 'clients.json'), `${JSON.stringify(clients, null, 2)}\n`)
    this.account.line(`Listening on ${this.#server.url}; one client for each tenant.`)
  }

  async firstTokens(): Promise<void> {
    const anchor = await this.#withVault(async (vault) => vault.anchor)
    for (const [index, party] of this.parties.entries()) {
      const token = await party.token()
      await verifyThroughDiscovery(party.issuer, party.client.audience, token, this.clock.now())
      const signed = await openJwkSet(await (await fetch(`${party.issuer}/.well-known/jwks.jwt`)).text(), anchor.key)
      const plain = (await party.fetchKeys()).set
      must(
        canonicalText(signed.keys) === canonicalText(plain.keys),
        'verification-failed',
        `The signed key set of ${party.issuer} is not the one it serves.`,
      )
      this.tokensIssued++
      this.progress('Tokens')(index + 1, this.parties.length)
    }
  }

  async intake(): Promise<Summary['receipts']> {
    this.runtime.tick()
    const { path } = this.runtime.exportReceipts(this.folders.media)
    await this.ceremony({ kind: 'intake', runtime: RUNTIME, receipts: basename(path) })
    return this.#withVault(async (vault) => {
      const statements = vault.state.runtimes.get(RUNTIME)?.receipts.statements ?? []
      this.#taken = {
        taken: statements.length,
        erased: statements.filter(({ stated }) => stated.type === 'erased').length,
      }
      return this.#taken
    })
  }

  walkTo(day: number): Promise<Walked> {
    const schedules = new Map(
      this.runtime
        .status()
        .tenants.map(({ issuer, phases }) => [
          issuer,
          phases.flatMap((key) => [key.announceAt, key.signFrom, key.signUntil, key.removeAt]),
        ]),
    )
    return walk({
      parties: this.parties,
      schedules,
      clock: this.clock,
      until: this.clock.start + day * DAY,
      tick: () => this.runtime.tick(),
      onProgress: this.progress('Days'),
    })
  }

  /** Taint first, online and at once; then the ceremony, the replacement and a bundle for this tenant alone. */
  async emergency(): Promise<Summary['emergency']> {
    const [victim] = this.runtime.status().tenants
    const compromised = victim?.signingKids[0]
    must(victim && compromised, 'internal', 'No tenant signs.')
    const before = await this.#keySets()
    await this.intake()
    this.runtime.taint(victim.tenant, compromised, { withdraw: false, actor: 'operator' })
    this.account.line(`${victim.tenant}: ${compromised.slice(0, 8)} … is tainted; its token endpoint stops at once.`)
    await this.ceremony({
      kind: 'emergency',
      scope: { key: compromised },
      reason: 'Rehearsed theft of the signing host',
    })
    await this.intake()
    await this.handoff([victim.tenant])
    const after = await this.#keySets()
    const replacement = this.runtime.status().tenants.find((one) => one.tenant === victim.tenant)?.signingKids[0] ?? ''
    must(replacement !== '' && replacement !== compromised, 'verification-failed', 'The replacement does not sign.')
    const party = this.parties.find((one) => one.client.tenant === victim.tenant)
    must(party, 'internal', 'The tenant has no relying party.')
    await verifyThroughDiscovery(party.issuer, party.client.audience, await party.token(), this.clock.now())
    this.tokensIssued++
    const others = [...before.keys()].filter((tenant) => tenant !== victim.tenant)
    const changed = others.filter((tenant) => before.get(tenant) !== after.get(tenant)).length
    must(changed === 0, 'verification-failed', `${changed} other tenants were touched by the emergency.`)
    return {
      tenant: victim.tenant,
      compromised,
      replacement,
      othersIdentical: others.length - changed,
      othersChanged: changed,
    }
  }

  async #keySets(): Promise<Map<string, string>> {
    const sets = new Map<string, string>()
    for (const party of this.parties) sets.set(party.client.tenant, toHex(sha256((await party.fetchKeys()).bytes)))
    return sets
  }

  /** The oldest retired key of the second tenant, or of the only one. */
  async destroy(): Promise<Summary['destruction']> {
    const tenant = this.parties[Math.min(1, this.parties.length - 1)]?.client.tenant ?? ''
    const retired = await this.#withVault(async (vault) => keysOf(vault.state, tenant)[0]?.kid ?? '')
    const attestations = [
      {
        copy: `runtime:${RUNTIME}`,
        by: 'goran',
        statement: 'No snapshot, database backup or replica of the rehearsal runtime exists',
      },
    ]
    const plan = {
      kind: 'destroy',
      keys: [retired],
      reason: 'End of schedule; policy destroys at retirement',
      attestations,
    }
    const { certificates } = await this.ceremony(plan, [confirmationFor([retired])])
    const [certificate = ''] = certificates
    return this.#withVault(async (vault) => {
      const body = evidenceOf(vault.state, this.clock.now(), null)
      const key = body.tenants.flatMap((one) => one.keys).find((one) => one.kid === retired)
      const openCopies = key?.copies.filter((copy) => copy.status === 'open').length ?? 0
      return { key: retired, certificate, grade: key?.certificate?.grade ?? 'none', openCopies }
    })
  }

  async evidence(matrix: Matrix): Promise<Summary['vault']> {
    return this.#withVault(async (vault) => {
      const at = this.clock.now()
      const evidence = evidenceOf(vault.state, at, { at, ...matrix })
      const signatures = await signEvidence(evidence, vault.present.values())
      await writeEvidence(this.folders.evidence, { evidence, signatures })
      const { events, signatures: signed, approvals, checkpoints, sealed } = await verifyVault(vault)
      return { events, signatures: signed, approvals, checkpoints, sealed }
    })
  }

  algorithms(): Record<string, number> {
    const found: Record<string, number> = {}
    for (const tenant of this.runtime.status().tenants) {
      const spec = tenant.phases[0]?.spec ?? 'none'
      found[spec] = (found[spec] ?? 0) + 1
    }
    return found
  }
}

/** Plans as people would keep them: indented. */
const planText = (plan: object): string => `${JSON.stringify(plan, null, 2)}\n`
