import { KEY_SPECS } from '../../shared/domain/algorithms.ts'
import { isSpent, phaseAt } from '../../shared/domain/key.ts'
import { MINUTE, SKEW } from '../../shared/domain/policy.ts'
import type { Stated } from '../../shared/formats/receipt.ts'
import { type Context, markHighwater } from './context.ts'
import type { Reader, Writer } from './store/store.ts'
import { loadTenant, nextPhaseChange, type StatedPhase, signersAt, type TenantState } from './tenant-state.ts'

/** Moves keys through their phases by trusted time: states what changed, erases what can never sign again. */

type Reason = Extract<Stated, { type: 'erased' }>['reason']

/** After every instant: the year 2200, as in the formats. */
const NEVER = 7_258_118_400
const BATCH = 100

/** How many private halves were erased under the storage key of now. */
export const ERASED_COUNT = 'erased-under-key'

export type Settled = { phases: number; erased: number }

/**
 * Looks at every tenant whose time has come: appends a receipt for each phase that changed, and erases private halves
 * that are spent, tainted, compromised or destroyed. Doing it twice changes nothing. During a clock hold nothing is
 * erased; a command whose clock is not proved leaves all of it to the serving process, and any other command goes by the
 * time that the serving process wrote down: its own clock may be hours ahead, and would take a key from those who sign.
 */
export async function settle(context: Context): Promise<Settled> {
  const { store, clock } = context
  const done: Settled = { phases: 0, erased: 0 }
  if (clock.unproved) return done
  const now = await servedTime(context, store)
  for (;;) {
    const due = await store.all<{ tenant: string }>('SELECT tenant FROM tenants WHERE due <= ? LIMIT ?', now, BATCH)
    if (due.length === 0) break
    await store.change(async (tx) => {
      const before = done.erased + done.phases
      // Another replica may have stated something by a later time since: nothing of it is taken back.
      clock.reload(await tx.clock())
      const at = await servedTime(context, tx)
      for (const { tenant } of due) await settleTenant(context, tx, tenant, at, done)
      if (done.erased + done.phases > before) await raiseFloor(tx, at)
    })
  }
  if (done.erased > 0) await store.clearTraces()
  if (done.erased + done.phases > 0) await markHighwater(context)
  return done
}

/** A replica whose clock is behind loses the old key with this very change: from then on it must see the new one's time. */
async function raiseFloor(tx: Writer, now: number): Promise<void> {
  const clock = await tx.clock()
  if (now > clock.floor) await tx.setClock({ ...clock, floor: now })
}

/**
 * The time of those who sign. A short command goes no further than what a serving process wrote down, at most a minute
 * ago: its own clock may be hours ahead.
 */
export async function servedTime({ clock }: Pick<Context, 'clock'>, from: Reader): Promise<number> {
  const now = clock.now()
  return clock.serves ? now : Math.min(now, (await from.clock()).floor)
}

async function settleTenant(
  { receipts, clock }: Context,
  tx: Writer,
  tenant: string,
  now: number,
  done: Settled,
): Promise<void> {
  const state = await loadTenant(tx, tenant)
  if (!state) return
  for (const { kid, phase } of newPhases(state, now)) {
    await receipts.append(tx, now, { type: 'phase', tenant, kid, phase })
    await tx.run('UPDATE keys SET phase = ? WHERE kid = ?', phase, kid)
    done.phases += 1
  }
  for (const { kid, reason } of clock.hold ? [] : toErase(state, now)) {
    await erasePrivate(tx, kid)
    await receipts.append(tx, now, { type: 'erased', tenant, kid, reason })
    await touch(tx, tenant)
    done.erased += 1
  }
  await tx.run('UPDATE tenants SET due = ? WHERE tenant = ?', nextPhaseChange(state, now) ?? NEVER, tenant)
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

/** Overwrites a private half, then deletes it (in a file `secure_delete` clears the page). */
export async function erasePrivate(tx: Writer, kid: string): Promise<void> {
  const row = await tx.get<{ sealed: Uint8Array }>('SELECT sealed FROM private_keys WHERE kid = ?', kid)
  await tx.run('UPDATE private_keys SET sealed = ? WHERE kid = ?', new Uint8Array(row?.sealed.length ?? 0), kid)
  await tx.run('DELETE FROM private_keys WHERE kid = ?', kid)
  await tx.setMeta(ERASED_COUNT, ((await tx.meta<number>(ERASED_COUNT)) ?? 0) + 1)
}

/** Makes every running server load this tenant anew before its next request; `due` has its lifecycle looked at. */
export async function touch(tx: Writer, tenant: string, { due = false } = {}): Promise<void> {
  const sql = `UPDATE tenants SET version = ?${due ? ', due = 0' : ''} WHERE tenant = ?`
  await tx.run(sql, await tx.version(), tenant)
}

/**
 * What a serving process does again and again: keeps the clock's high-water and settles what is due. `first` is its
 * first time after a start: what was to be announced while nobody served is first published now.
 */
export async function tick(context: Context, first: boolean): Promise<Settled> {
  const { store, clock } = context
  clock.serve()
  const now = clock.now()
  if (clock.hold?.kind === 'jump') return { phases: 0, erased: 0 }
  const { servedUntil } = await store.clock()
  if (first || servedUntil === null || now - servedUntil >= MINUTE) await keepTime(context, first, now)
  return settle(context)
}

/** Writes the time to the disk, not more often than needed. */
async function keepTime(context: Context, first: boolean, now: number): Promise<void> {
  const { store, traffic, clock } = context
  await store.change(async (tx) => {
    const before = await tx.clock()
    // What another process noticed or an operator confirmed since this one looked must not be undone.
    clock.reload(before)
    if (clock.hold?.kind === 'jump') return
    if (first && before.servedUntil !== null && now - before.servedUntil > SKEW)
      await publishLate(tx, before.servedUntil, now)
    await tx.setClock({ ...before, floor: Math.max(before.floor, now), servedUntil: now, hold: clock.hold })
  })
  await traffic.forget(now)
  await markHighwater(context)
}

async function publishLate(tx: Writer, from: number, now: number): Promise<void> {
  const late = 'first_published IS NULL AND announce_at > ? AND announce_at <= ?'
  const tenants = await tx.all<{ tenant: string }>(`SELECT DISTINCT tenant FROM keys WHERE ${late}`, from, now)
  for (const { tenant } of tenants) await touch(tx, tenant, { due: true })
  await tx.run(`UPDATE keys SET first_published = ? WHERE ${late}`, now, from, now)
}

/** Ends a clock hold by an operator's word. Gives false when there was none. */
export async function confirmClock(context: Context, actor: string): Promise<boolean> {
  const { store, clock, receipts } = context
  clock.now()
  if (!clock.hold) return false
  const now = clock.release()
  await store.change(async (tx) => {
    const before = await tx.clock()
    await tx.setClock({ ...before, floor: Math.max(before.floor, now), confirmedAt: now, hold: null })
    await receipts.append(tx, now, { type: 'clock-confirmed', actor })
    await tx.run('UPDATE tenants SET due = 0')
  })
  await markHighwater(context)
  return true
}
