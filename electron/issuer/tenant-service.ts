import { createPrivateKey } from 'node:crypto'
import { type Algorithm, KEY_SPECS } from '../../shared/domain/algorithms.ts'
import { type ScheduledKey, signerAt } from '../../shared/domain/key.ts'
import { type Slot, slotAt } from '../../shared/domain/slots.ts'
import { must } from '../../shared/errors.ts'
import type { PublishedJwk } from '../../shared/formats/bundle.ts'
import { keySet } from '../../shared/formats/bundle-check.ts'
import { wipe } from '../../shared/formats/bytes.ts'
import { findClient } from './clients.ts'
import type { Context } from './context.ts'
import type { Soon, TenantService, TokenSigner } from './service.ts'
import { createSigner } from './signing.ts'
import type { Store } from './store/store.ts'
import type { TenantState } from './tenant-state.ts'

type SignedSets = { jws: string; without: Record<string, string> }

/** How often one party's fetches are written down, in seconds; a new key set is written at once. */
const NOTE_EVERY = 60
/** Parties of one tenant that are told apart; others count as those who did not say. */
const MOST_PARTIES = 64

/**
 * One tenant as requests see it, from one state of the store. It holds this tenant's keys and reads only this tenant's
 * rows; every answer follows from the state and the time it is asked for.
 */
export function tenantService(
  { store, traffic, sealer, onKeyFailure }: ServiceContext,
  state: TenantState,
): TenantService {
  const { tenant, entry, slots, facts } = state
  const algorithms = entry.policy.signingAlgorithms.map((spec) => KEY_SPECS[spec].alg)
  const groups = new Map<Algorithm, ScheduledKey[]>(
    algorithms.map((alg) => [alg, entry.keys.filter((key) => KEY_SPECS[key.spec].alg === alg)]),
  )
  const withdrawn = new Set([...state.rows.values()].filter((key) => key.withdrawn === 1).map((key) => key.kid))
  const openSigner = once((kid: string) =>
    signerOf({ store, sealer }, state, kid).catch((error: unknown) => {
      onKeyFailure(tenant, error)
      throw error
    }),
  )
  const setOf = latest((slot: Slot) => publishedIn(state, withdrawn, slot))
  const jwsOf = latest((slot: Slot) => signedIn(store, state, withdrawn, slot))
  const clients = once((clientId: string) => findClient(store, tenant, clientId))
  const mayNote = noter()
  /** Before the first slot, within the clocks' tolerance, its set is served already. */
  const slotNow = (now: number): Slot | undefined => slotAt(slots, now) ?? slots[0]

  return {
    tenant,
    issuer: entry.issuer,
    accessTokenLifetime: entry.policy.accessTokenLifetime,
    algorithms,
    tokenType: entry.policy.tokenType,
    rejectIssuedBefore: state.rejectBefore,
    published(now) {
      const slot = slotNow(now)
      const last = slot === slots.at(-1)
      return { keys: slot ? setOf(slot) : [], nextChange: slot && !last ? slot.to : Number.POSITIVE_INFINITY }
    },
    signedSet(now) {
      const slot = slotNow(now)
      return slot ? jwsOf(slot) : null
    },
    async historicalSet() {
      const row = await store.get<{ historical: string | null }>(
        'SELECT historical FROM tenants WHERE tenant = ?',
        tenant,
      )
      return row?.historical ?? null
    },
    signer(algorithm, now) {
      const key = signerAt(groups.get(algorithm) ?? [], facts, entry.policy.propagationTime, now)
      return key ? openSigner(key.kid) : null
    },
    client: clients,
    takeAssertion: (clientId, jti, expires) => traffic.takeAssertion(tenant, JSON.stringify([clientId, jti]), expires),
    record: (issued) => traffic.record(tenant, issued),
    noteFetch(party, kids, now) {
      const named = mayNote(party ?? '', kids, now)
      if (named !== null) traffic.noteFetch(tenant, named, kids, now)
    },
  }
}

export type ServiceContext = Pick<Context, 'store' | 'traffic' | 'sealer' | 'onKeyFailure'>

function publishedIn({ entry }: TenantState, withdrawn: ReadonlySet<string>, slot: Slot): PublishedJwk[] {
  return keySet(
    entry.keys,
    slot.kids.filter((kid) => !withdrawn.has(kid)),
    entry.policy,
  )
}

/** The signed set of a slot; with one withdrawn key the variant without it, with two there is none until the vault signs. */
async function signedIn(
  store: Store,
  state: TenantState,
  withdrawn: ReadonlySet<string>,
  slot: Slot,
): Promise<string | null> {
  const row = await store.get<{ jws: string; without: string }>(
    'SELECT jws, without FROM slots WHERE tenant = ? AND import = ? AND start = ?',
    state.tenant,
    state.import,
    slot.from,
  )
  must(row, 'store-damaged', `The signed key set of ${state.tenant} is not in the store.`)
  const sets: SignedSets = { jws: row.jws, without: JSON.parse(row.without) }
  const [gone, second] = slot.kids.filter((kid) => withdrawn.has(kid))
  if (gone === undefined) return sets.jws
  return second === undefined ? (sets.without[gone] ?? null) : null
}

async function signerOf(
  { store, sealer }: Pick<Context, 'store' | 'sealer'>,
  state: TenantState,
  kid: string,
): Promise<TokenSigner | null> {
  const key = state.entry.keys.find((one) => one.kid === kid)
  const sql = 'SELECT sealed FROM private_keys WHERE kid = ? AND tenant = ?'
  const row = await store.get<{ sealed: Uint8Array }>(sql, kid, state.tenant)
  if (!key || !row) return null
  const pkcs8 = sealer.openKey(state.tenant, kid, state.dataKey, row.sealed)
  const privateKey = createPrivateKey({ key: Buffer.from(pkcs8.buffer), format: 'der', type: 'pkcs8' })
  wipe(pkcs8)
  return createSigner(key.spec, kid, privateKey)
}

/** Remembers the answers of a function of one string; many who ask at the same time make it answer once. */
function once<T>(work: (name: string) => Promise<T | null>): (name: string) => Soon<T | null> {
  const known = new Map<string, Soon<T | null>>()
  return (name) => {
    const found = known.get(name)
    if (found !== undefined) return found
    const asked = work(name).then(
      (made) => {
        if (made === null) known.delete(name)
        else known.set(name, made)
        return made
      },
      (error: unknown) => {
        known.delete(name)
        throw error
      },
    )
    known.set(name, asked)
    return asked
  }
}

/** Remembers the last answer only: the slot of now is asked for again and again. */
function latest<A, T>(work: (of: A) => T): (of: A) => T {
  let last: { of: A; answer: T } | null = null
  return (of) => {
    if (last !== null && last.of === of) return last.answer
    const answer = work(of)
    last = { of, answer }
    // What could not be read is asked for again.
    if (answer instanceof Promise)
      answer.catch(() => {
        if (last?.answer === answer) last = null
      })
    return answer
  }
}

/** Decides which fetches are worth writing down, under which name: null for none. */
function noter(): (party: string, kids: readonly string[], now: number) => string | null {
  const noted = new Map<string, { kids: string; at: number }>()
  return (party, kids, now) => {
    const name = noted.has(party) || noted.size < MOST_PARTIES ? party : ''
    const set = kids.join()
    const last = noted.get(name)
    if (last && last.kids === set && now - last.at < NOTE_EVERY) return null
    noted.set(name, { kids: set, at: now })
    return name
  }
}
