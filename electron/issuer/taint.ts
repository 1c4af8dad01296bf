import { type Algorithm, KEY_SPECS } from '../../shared/domain/algorithms.ts'
import type { ScheduledKey } from '../../shared/domain/key.ts'
import { JWKS_MAX_AGE } from '../../shared/domain/policy.ts'
import { asKeyriteError, type Code, must } from '../../shared/errors.ts'
import { type Context, markHighwater } from './context.ts'
import { servedTime, settle, touch } from './lifecycle.ts'
import type { Writer } from './store/store.ts'
import { servedTenant, signersAt, type TenantState } from './tenant-state.ts'

/**
 * An emergency at the runtime without the vault (issuer.md, "Emergency"): a taint only does less than the ceremony
 * authorised, so that it needs no quorum, and there is no way back.
 */

export type How = {
  /** Also stop publishing the key. */
  withdraw: boolean
  actor: string
}

export type TaintedKey = {
  kid: string
  withdrawn: boolean
  /** False when the key was tainted (and withdrawn) before: nothing changed. */
  changed: boolean
}

/** What follows for the tenant. */
type After = {
  tenant: string
  /** Until when a token signed with one of the keys may still be accepted somewhere, in seconds since 1970 UTC. */
  residualUntil: number
  /** Standby keys that sign from now on. */
  standbys: string[]
  /** Algorithms of the tenant for which no key may sign now. */
  unsigned: Algorithm[]
}
export type Tainted = After & TaintedKey
export type TaintedTenant = After & { keys: TaintedKey[] }

/**
 * Stops signing with a key at once and for ever; with `withdraw` also stops publishing it. Where nobody could sign for its
 * algorithm then, the tenant's standby key is called upon in the same change, if its private half is here. Residual
 * exposure: the longest registered cache, and for those who pin the root the greatest `exp` of any delivered slot that
 * holds the key. Codes `tenant-unknown`, `key-unknown`.
 */
export async function taint(context: Context, tenant: string, kid: string, how: How): Promise<Tainted> {
  const { keys, ...after } = await taintAmong(context, tenant, how, (state) => {
    must(state.rows.has(kid), 'key-unknown', `${tenant} has no key with this id.`)
    return [kid]
  })
  await settle(context)
  await markHighwater(context)
  return { ...after, kid, withdrawn: false, changed: false, ...keys[0] }
}

/** The same for every key of a tenant that was not removed yet, those to come included. Code `tenant-unknown`. */
export async function taintTenant(context: Context, tenant: string, how: How): Promise<TaintedTenant> {
  const done = await taintAmong(context, tenant, how, (state) => keysLeft(state, context.clock.now()))
  await settle(context)
  await markHighwater(context)
  return done
}

export type TaintedRuntime = {
  tenants: { tenant: string; keys: number; changed: number; residualUntil: number }[]
  keys: number
  changed: number
  /** The longest of all; null where there is no tenant. */
  residualUntil: number | null
  /** Tenants whose keys could not be tainted. */
  failed: { tenant: string; code: Code; message: string }[]
}

const PAGE = 500

/**
 * The same for every key of every tenant, each tenant in a change of its own: what was done stays done, and doing it
 * again goes on where it was broken off. A tenant that fails does not hold up the others.
 */
export async function taintRuntime(
  context: Context,
  how: How,
  progress: (done: number, total: number) => void = () => {},
): Promise<TaintedRuntime> {
  const done: TaintedRuntime = { tenants: [], keys: 0, changed: 0, residualUntil: null, failed: [] }
  const [counted] = await context.store.all<{ n: number }>(`SELECT count(*) AS n ${SERVED}`)
  const sql = `SELECT t.tenant ${SERVED} AND t.tenant > ? ORDER BY t.tenant LIMIT ${PAGE}`
  for (let after = ''; ; ) {
    const page = await context.store.all<{ tenant: string }>(sql, after)
    for (const { tenant } of page) {
      await taintOne(context, tenant, how, done)
      progress(done.tenants.length + done.failed.length, counted?.n ?? 0)
    }
    const last = page.at(-1)
    if (!last) break
    after = last.tenant
  }
  await settle(context)
  await markHighwater(context)
  return done
}

const SERVED = 'FROM tenants t LEFT JOIN removed_tenants r ON r.tenant = t.tenant WHERE r.tenant IS NULL'

async function taintOne(context: Context, tenant: string, how: How, done: TaintedRuntime): Promise<void> {
  try {
    const one = await taintAmong(context, tenant, how, (state) => keysLeft(state, context.clock.now()))
    const { residualUntil } = one
    const changed = one.keys.filter((key) => key.changed).length
    done.tenants.push({ tenant, keys: one.keys.length, changed, residualUntil })
    done.keys += one.keys.length
    done.changed += changed
    done.residualUntil = Math.max(done.residualUntil ?? 0, residualUntil)
  } catch (error) {
    const { code, message } = asKeyriteError(error)
    // Where the store itself is gone, nobody else's keys can be tainted either.
    if (code === 'store-unreachable' || code.startsWith('medium-')) throw error
    done.failed.push({ tenant, code, message })
  }
}

/** Keys that are not over: published, to come, or with a private half that is still here. */
function keysLeft({ rows, entry }: TenantState, now: number): string[] {
  const byKid = new Map(entry.keys.map((key) => [key.kid, key]))
  return [...rows.values()].flatMap(({ kid, has_private }) => {
    const key = byKid.get(kid)
    return (key && now < key.removeAt) || has_private === 1 ? [kid] : []
  })
}

/** One change: the taints, the standby keys that take over, and a receipt for each key that it changed. */
function taintAmong(
  { store, receipts, clock }: Context,
  tenant: string,
  { withdraw, actor }: How,
  choose: (state: TenantState) => string[],
): Promise<TaintedTenant> {
  const now = clock.now()
  return store.change(async (tx) => {
    const state = await servedTenant(tx, tenant)
    const cached = now + Math.max(JWKS_MAX_AGE, ...state.entry.relyingParties.map((party) => party.cacheSeconds))
    const keys: TaintedKey[] = []
    let longest = cached
    for (const kid of choose(state)) {
      const row = state.rows.get(kid)
      if (!row) continue
      const residualUntil = Math.max(cached, row.delivered_until)
      longest = Math.max(longest, residualUntil)
      const withdrawn = withdraw || row.withdrawn === 1
      const changed = row.tainted === null || withdrawn !== (row.withdrawn === 1)
      keys.push({ kid, withdrawn, changed })
      if (!changed) continue
      await tx.run(NEVER_AGAIN, now, withdrawn ? 1 : 0, kid)
      await receipts.append(tx, now, { type: 'tainted', tenant, kid, withdrawn, actor, residualUntil })
    }
    const next = await standIn(tx, await servedTenant(tx, tenant), keys, await servedTime({ clock }, tx))
    if (next.standbys.length > 0 || keys.some((key) => key.changed)) await touch(tx, tenant, { due: true })
    return { tenant, keys, residualUntil: longest, ...next }
  })
}

const NEVER_AGAIN = 'UPDATE keys SET tainted = coalesce(tainted, ?), withdrawn = ? WHERE kid = ?'

/** Calls upon a standby key for each algorithm of these keys for which nobody signs any more. */
async function standIn(
  tx: Writer,
  state: TenantState,
  keys: readonly TaintedKey[],
  now: number,
): Promise<Pick<After, 'standbys' | 'unsigned'>> {
  const kids = new Set(keys.map((key) => key.kid))
  const lost = new Set(state.entry.keys.flatMap((key) => (kids.has(key.kid) ? [KEY_SPECS[key.spec].alg] : [])))
  const signers = signersAt(state, now)
  const standbys: string[] = []
  const unsigned: Algorithm[] = []
  for (const alg of state.entry.policy.signingAlgorithms.map((spec) => KEY_SPECS[spec].alg)) {
    if (signers.get(alg)) continue
    const standby = lost.has(alg) ? standbyFor(state, alg, now) : undefined
    if (!standby) unsigned.push(alg)
    else {
      await tx.run('UPDATE keys SET called_at = ? WHERE kid = ?', now, standby.kid)
      standbys.push(standby.kid)
    }
  }
  return { standbys, unsigned }
}

/** The standby key that may sign now and stands by longest. */
function standbyFor({ entry, facts }: TenantState, alg: Algorithm, now: number): ScheduledKey | undefined {
  return entry.keys
    .filter((key) => {
      const { hasPrivate, tainted } = facts(key.kid)
      const inTime = key.signFrom <= now && now < key.signUntil
      return key.standby && KEY_SPECS[key.spec].alg === alg && hasPrivate && !tainted && inTime
    })
    .sort((a, b) => b.signUntil - a.signUntil)[0]
}
