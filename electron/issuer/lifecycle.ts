import { KEY_SPECS } from '../../shared/domain/algorithms.ts'
import { isSpent, phaseAt } from '../../shared/domain/key.ts'
import { MINUTE, SKEW } from '../../shared/domain/policy.ts'
import type { Stated } from '../../shared/formats/receipt.ts'
import { type Context, markHighwater } from './context.ts'
import type { Store } from './store.ts'
import { loadTenant, nextPhaseChange, type StatedPhase, signersAt, type TenantState } from './tenant-state.ts'

/** Moves keys through their phases by trusted time: states what changed, erases what can never sign again. */

type Reason = Extract<Stated, { type: 'erased' }>['reason']

/** After every instant: the year 2200, as in the formats. */
const NEVER = 7_258_118_400
const BATCH = 100

export type Settled = { phases: number; erased: number }

/**
 * Looks at every tenant whose time has come: appends a receipt for each phase that changed, and erases private halves
 * that are spent, tainted, compromised or destroyed. Doing it twice changes nothing. During a clock hold nothing is
 * erased; a command whose clock is not proved leaves all of it to the serving process.
 */
export function settle(context: Context): Settled {
  const { store, clock } = context
  const now = clock.now()
  const done: Settled = { phases: 0, erased: 0 }
  if (clock.unproved) return done
  for (;;) {
    const due = store.all<{ tenant: string }>('SELECT tenant FROM tenants WHERE due <= ? LIMIT ?', now, BATCH)
    if (due.length === 0) break
    store.change(() => {
      for (const { tenant } of due) settleTenant(context, tenant, now, done)
    })
  }
  if (done.erased > 0) store.checkpoint()
  if (done.erased + done.phases > 0) markHighwater(context)
  return done
}

function settleTenant({ store, receipts, clock }: Context, tenant: string, now: number, done: Settled): void {
  const state = loadTenant(store, tenant)
  if (!state) return
  for (const { kid, phase } of newPhases(state, now)) {
    receipts.append(now, { type: 'phase', tenant, kid, phase })
    store.run('UPDATE keys SET phase = ? WHERE kid = ?', phase, kid)
    done.phases += 1
  }
  for (const { kid, reason } of clock.hold ? [] : toErase(state, now)) {
    erasePrivate(store, kid)
    receipts.append(now, { type: 'erased', tenant, kid, reason })
    touch(store, tenant)
    done.erased += 1
  }
  store.run('UPDATE tenants SET due = ? WHERE tenant = ?', nextPhaseChange(state, now) ?? NEVER, tenant)
}

function newPhases(state: TenantState, now: number): { kid: string; phase: StatedPhase }[] {
  if (state.removedAt !== null)
    return [...state.rows.values()].flatMap(({ kid, phase }) =>
      phase === null || phase === 'removed' ? [] : [{ kid, phase: 'removed' }],
    )
  const signers = signersAt(state, now)
  return state.entry.keys.flatMap((key) => {
    const phase = phaseAt(key, signers.get(KEY_SPECS[key.spec].alg) ?? null, now)
    const changed = phase !== 'planned' && phase !== state.rows.get(key.kid)?.phase
    return changed ? [{ kid: key.kid, phase }] : []
  })
}

/** The private halves that must go, with the reason. A key that the bundle no longer names goes with its tombstone. */
function toErase(state: TenantState, now: number): { kid: string; reason: Reason }[] {
  const signers = signersAt(state, now)
  const compromised = new Set(state.entry.compromised.map((key) => key.kid))
  const byKid = new Map(state.entry.keys.map((key) => [key.kid, key]))
  const reasonOf = (kid: string): Reason | null => {
    const row = state.rows.get(kid)
    const key = byKid.get(kid)
    if (row?.tombstoned) return 'destroyed'
    if (state.removedAt !== null) return 'offboarded'
    if (compromised.has(kid)) return 'compromised'
    if (row?.tainted != null) return 'tainted'
    if (!state.entry.policy.destroyPrivateAtRetirement) return null
    if (!key) return 'retired'
    return isSpent(key, signers.get(KEY_SPECS[key.spec].alg) ?? null, false, now) ? 'retired' : null
  }
  return [...state.rows.values()].flatMap((row) => {
    const reason = row.has_private ? reasonOf(row.kid) : null
    return reason ? [{ kid: row.kid, reason }] : []
  })
}

/** Overwrites a private half in place, then deletes it (`secure_delete` clears the page). */
function erasePrivate(store: Store, kid: string): void {
  store.run('UPDATE private_keys SET sealed = zeroblob(length(sealed)) WHERE kid = ?', kid)
  store.run('DELETE FROM private_keys WHERE kid = ?', kid)
}

/** Makes a running server load this tenant anew before its next request. */
export function touch(store: Store, tenant: string): void {
  store.run('UPDATE tenants SET version = version + 1 WHERE tenant = ?', tenant)
}

/**
 * What a serving process does again and again: keeps the clock's high-water and settles what is due. `first` is its
 * first time after a start: what was to be announced while nobody served is first published now.
 */
export function tick(context: Context, first: boolean): Settled {
  const { store, clock } = context
  clock.serve()
  const now = clock.now()
  if (clock.hold?.kind === 'jump') return { phases: 0, erased: 0 }
  const { servedUntil } = store.clock()
  if (first || servedUntil === null || now - servedUntil >= MINUTE) keepTime(context, first, now)
  return settle(context)
}

/** Writes the time to the disk, not more often than needed. */
function keepTime(context: Context, first: boolean, now: number): void {
  const { store, clock } = context
  store.change(() => {
    const before = store.clock()
    if (first && before.servedUntil !== null && now - before.servedUntil > SKEW)
      publishLate(store, before.servedUntil, now)
    store.setClock({ ...before, floor: Math.max(before.floor, now), servedUntil: now, hold: clock.hold })
    store.run('DELETE FROM assertions WHERE expires < ?', now - SKEW)
  })
  markHighwater(context)
}

function publishLate(store: Store, from: number, now: number): void {
  const late = 'first_published IS NULL AND announce_at > ? AND announce_at <= ?'
  const touched = `UPDATE tenants SET version = version + 1, due = 0 WHERE tenant IN (SELECT tenant FROM keys WHERE ${late})`
  store.run(touched, from, now)
  store.run(`UPDATE keys SET first_published = ? WHERE ${late}`, now, from, now)
}

/** Ends a clock hold by an operator's word. Gives false when there was none. */
export function confirmClock(context: Context, actor: string): boolean {
  const { store, clock, receipts } = context
  clock.now()
  if (!clock.hold) return false
  const now = clock.release()
  store.change(() => {
    const before = store.clock()
    store.setClock({ ...before, floor: Math.max(before.floor, now), confirmedAt: now, hold: null })
    receipts.append(now, { type: 'clock-confirmed', actor })
    store.run('UPDATE tenants SET due = 0')
  })
  markHighwater(context)
  return true
}
