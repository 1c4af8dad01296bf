import { createPrivateKey } from 'node:crypto'
import { type Algorithm, KEY_SPECS } from '../../shared/domain/algorithms.ts'
import { type ScheduledKey, signerAt } from '../../shared/domain/key.ts'
import type { TokenType } from '../../shared/domain/policy.ts'
import { type Slot, slotAt } from '../../shared/domain/slots.ts'
import type { PublishedJwk } from '../../shared/formats/bundle.ts'
import { keySet } from '../../shared/formats/bundle-check.ts'
import { wipe } from '../../shared/formats/bytes.ts'
import { findClient } from './clients.ts'
import type { Context } from './context.ts'
import { Noted } from './noted.ts'
import { Once } from './once.ts'
import type { Client, Issued, Soon, TenantService, TokenSigner } from './service.ts'
import { createSigner } from './signing.ts'
import type { TenantState } from './tenant-state.ts'

type SignedSets = { jws: string; without: Record<string, string> }
/** What is served for a while: nothing of it changes before the next slot begins. */
type Current = { slot: Slot; keys: PublishedJwk[]; nextChange: number; signed: Promise<string | null> | null }
type Signing = { at: number; key: ScheduledKey | null }

export type ServiceContext = Pick<Context, 'store' | 'traffic' | 'sealer' | 'onKeyFailure'>

/**
 * One tenant as requests see it, from one state of the store. It holds this tenant's keys and reads only this tenant's
 * rows; every answer follows from the state and the time it is asked for. There are thousands of these: what is not
 * needed for every request is made when it is asked for.
 */
export class StoredTenant implements TenantService {
  readonly tenant: string
  readonly issuer: string
  readonly accessTokenLifetime: number
  readonly algorithms: readonly Algorithm[]
  readonly tokenType: TokenType
  readonly rejectIssuedBefore: number | null
  readonly #context: ServiceContext
  readonly #state: TenantState
  #current: Current | null = null
  #signing: Map<Algorithm, Signing> | null = null
  #signers: Once<TokenSigner> | null = null
  #clients: Once<Client> | null = null
  #noted: Noted | null = null
  #historical: Promise<string | null> | null = null

  constructor(context: ServiceContext, state: TenantState) {
    const { policy, issuer } = state.entry
    this.#context = context
    this.#state = state
    this.tenant = state.tenant
    this.issuer = issuer
    this.accessTokenLifetime = policy.accessTokenLifetime
    this.algorithms = policy.signingAlgorithms.map((spec) => KEY_SPECS[spec].alg)
    this.tokenType = policy.tokenType
    this.rejectIssuedBefore = state.rejectBefore
  }

  published(now: number): { keys: PublishedJwk[]; nextChange: number } {
    return this.#at(now) ?? NOTHING
  }

  signedSet(now: number): Soon<string | null> {
    const current = this.#at(now)
    if (!current) return null
    if (current.signed) return current.signed
    const signed = this.#readSigned(current.slot)
    current.signed = signed
    // What could not be read is asked for again.
    signed.catch(() => {
      if (current.signed === signed) current.signed = null
    })
    return signed
  }

  historicalSet(): Promise<string | null> {
    if (this.#historical) return this.#historical
    const historical = this.#readHistorical()
    this.#historical = historical
    historical.catch(() => {
      if (this.#historical === historical) this.#historical = null
    })
    return historical
  }

  signer(algorithm: Algorithm, now: number): Soon<TokenSigner | null> {
    const { key } = this.#signingAt(algorithm, now)
    if (!key) return null
    this.#signers ??= new Once((kid) => this.#openSigner(kid))
    return this.#signers.get(key.kid)
  }

  client(clientId: string): Soon<Client | null> {
    this.#clients ??= new Once((id) => findClient(this.#context.store, this.tenant, id))
    return this.#clients.get(clientId)
  }

  takeAssertion(clientId: string, jti: string, expires: number): Promise<boolean> {
    return this.#context.traffic.takeAssertion(this.tenant, JSON.stringify([clientId, jti]), expires)
  }

  record(issued: Issued): Promise<void> {
    return this.#context.traffic.record(this.tenant, issued)
  }

  noteFetch(party: string | null, kids: readonly string[], now: number): void {
    this.#noted ??= new Noted((name) => this.#state.entry.relyingParties.some((one) => one.name === name))
    const name = this.#noted.take(party ?? '', kids, now)
    if (name !== null) this.#context.traffic.noteFetch(this.tenant, name, kids, now)
  }

  /** What is served at `now`. Before the first slot, within the clocks' tolerance, its set is served already. */
  #at(now: number): Current | null {
    const known = this.#current
    if (known && now >= known.slot.from && now < known.nextChange) return known
    const slots = this.#state.slots()
    const slot = slotAt(slots, now) ?? slots[0]
    if (!slot) return null
    const nextChange = slot === slots.at(-1) ? Number.POSITIVE_INFINITY : slot.to
    this.#current = { slot, keys: this.#publishedIn(slot), nextChange, signed: null }
    return this.#current
  }

  #publishedIn({ kids }: Slot): PublishedJwk[] {
    const { entry, rows } = this.#state
    const left = kids.filter((kid) => rows.get(kid)?.withdrawn !== 1)
    return keySet(entry.keys, left, entry.policy)
  }

  async #readHistorical(): Promise<string | null> {
    const sql = 'SELECT historical FROM tenants WHERE tenant = ?'
    const row = await this.#context.store.get<{ historical: string | null }>(sql, this.tenant)
    return row?.historical ?? null
  }

  /** The signed set of a slot; with one withdrawn key the variant without it, with two there is none until the vault signs. */
  async #readSigned({ from, kids }: Slot): Promise<string | null> {
    const { tenant, rows } = this.#state
    const sql = 'SELECT jws, without FROM slots WHERE tenant = ? AND import = ? AND start = ?'
    const row = await this.#context.store.get<{ jws: string; without: string }>(sql, tenant, this.#state.import, from)
    // Replaced by an import while this object was still asked: the next request has the new one.
    if (!row) return null
    const [gone, second] = kids.filter((kid) => rows.get(kid)?.withdrawn === 1)
    if (gone === undefined) return row.jws
    const without: SignedSets['without'] = JSON.parse(row.without)
    return second === undefined ? (without[gone] ?? null) : null
  }

  /** Who signs follows from the second alone: all else stays for as long as this object does. */
  #signingAt(algorithm: Algorithm, now: number): Signing {
    this.#signing ??= new Map()
    const known = this.#signing.get(algorithm)
    if (known?.at === now) return known
    const { entry, facts } = this.#state
    const keys = entry.keys.filter((key) => KEY_SPECS[key.spec].alg === algorithm)
    const found = { at: now, key: signerAt(keys, facts, entry.policy.propagationTime, now) }
    this.#signing.set(algorithm, found)
    return found
  }

  async #openSigner(kid: string): Promise<TokenSigner | null> {
    const { tenant, entry, dataKey } = this.#state
    const key = entry.keys.find((one) => one.kid === kid)
    try {
      const sql = 'SELECT sealed FROM private_keys WHERE kid = ? AND tenant = ?'
      const row = await this.#context.store.get<{ sealed: Uint8Array }>(sql, kid, tenant)
      if (!key || !row) return null
      const pkcs8 = this.#context.sealer.openKey(tenant, kid, dataKey, row.sealed)
      const privateKey = createPrivateKey({ key: Buffer.from(pkcs8.buffer), format: 'der', type: 'pkcs8' })
      wipe(pkcs8)
      return createSigner(key.spec, kid, privateKey)
    } catch (error) {
      this.#context.onKeyFailure(tenant, error)
      throw error
    }
  }
}

const NOTHING = { keys: [], nextChange: Number.POSITIVE_INFINITY }
