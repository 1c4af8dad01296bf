import { randomInt } from 'node:crypto'
import { KEY_SPECS } from '../../shared/domain/algorithms.ts'
import { JWKS_MAX_AGE } from '../../shared/domain/policy.ts'
import type { Slot } from '../../shared/domain/slots.ts'
import { isKeyriteError, must } from '../../shared/errors.ts'
import { checkSlots, type TenantEntry } from '../../shared/formats/bundle-check.ts'
import { fromUtf8 } from '../../shared/formats/bytes.ts'
import { readStatementHeader } from '../../shared/formats/jws.ts'
import {
  checkRevokedLine,
  checkRevokedPast,
  REVOCATION_STATEMENT_MAX,
  type Revocation,
  type RevokedLine,
  revokedSlots,
} from '../../shared/formats/revocation.ts'
import { type OpenRevocation, openRevocation, REVOCATION_CAPS } from '../../shared/formats/revocation-file.ts'
import { readLinesGuarded } from '../files/read.ts'
import { type Context, markHighwater } from './context.ts'
import { alarm, lockImports, mustTrustClock, tidy } from './import.ts'
import { checkBinding, knownEntry } from './import-checks.ts'
import { settle, touch } from './lifecycle.ts'
import { clearStaging, inBatches } from './staging.ts'
import type { Reader, Writer } from './store/store.ts'
import { loadTenant, signersAt, type TenantState } from './tenant-state.ts'

/**
 * A revocation at the runtime (handoff.md; issuer.md, "Emergency"): its keys never sign again and are not published any
 * more. Everything is checked and its slots staged before it counts; then one transaction puts all of it in force.
 */

export type Revoked = {
  /** `no-op`: exactly this was imported before. */
  outcome: 'revoked' | 'no-op'
  id: string
  order: number
  /** Tenants and keys that this runtime has, and standby keys that took over. */
  tenants: number
  keys: number
  standbys: string[]
  /** Until when a token signed with one of the keys may still be accepted somewhere; null where nothing was changed. */
  residualUntil: number | null
  /** What could not be done as the file says, at most a hundred lines. */
  notes: string[]
}

/** The newest revocation that was taken. */
type Taken = { order: number; id: string; digest: string }

const NOTES_MAX = 100
const BATCH = 64

/** True for a file that says it is a revocation. Codes of reading. */
export function isRevocation(path: string): boolean {
  const lines = readLinesGuarded(path, REVOCATION_CAPS)
  try {
    const first = lines.next()
    if (first.done) return false
    const { typ } = readStatementHeader(fromUtf8(first.value), REVOCATION_STATEMENT_MAX)
    return /^keyrite-(?:practice-)?revocation$/.test(typ)
  } catch (error) {
    if (isKeyriteError(error) && !error.code.startsWith('file-')) return false
    throw error
  } finally {
    lines.return(undefined)
  }
}

/**
 * Takes a revocation. Codes: `clock-refused`, those of `openRevocation`, `checkBinding` and `checkRevokedLine`;
 * `revocation-lower` after a later one, `revocation-forked` for another one of the same order, `store-busy`. A tenant or
 * a key that is not here, and slots that are not those of the bundle here, are noted and do not hold the rest up.
 */
export async function importRevocation(context: Context, path: string, actor: string): Promise<Revoked> {
  mustTrustClock(context)
  const unlock = await lockImports(context)
  const authentic: string[] = []
  try {
    return await take(context, path, actor, authentic)
  } catch (error) {
    await tidy(context.store)
    await alarm(context, error, authentic.at(-1))
    throw error
  } finally {
    await unlock()
  }
}

async function take(context: Context, path: string, actor: string, authentic: string[]): Promise<Revoked> {
  const { store } = context
  const now = context.clock.now()
  const staged = randomInt(1, 2 ** 47)
  await clearStaging(store)
  const fresh = await opened(context, path, async (file) => {
    checkBinding(context, file.revocation, now)
    authentic.push(path)
    if ((await placeOf(store, file)) === 'same') return false
    await stage(context, file, staged, now)
    return true
  })
  const revoked = await opened(context, path, (file) => commit(context, file, { staged, now, actor, fresh }))
  await clearStaging(store)
  await settle(context)
  await markHighwater(context)
  return revoked
}

/** The file is read twice, each time whole and bound to the root's statement: memory holds one tenant at a time. */
async function opened<T>({ anchor }: Context, path: string, work: (file: OpenRevocation) => Promise<T>): Promise<T> {
  const lines = readLinesGuarded(path, REVOCATION_CAPS)
  try {
    return await work(await openRevocation(lines, anchor))
  } finally {
    lines.return(undefined)
  }
}

/** Where it stands: after the last one that was taken, or that very one. Codes `revocation-lower`, `revocation-forked`. */
async function placeOf(
  store: Reader,
  { revocation: { id, order }, statementDigest: digest }: Pick<OpenRevocation, 'revocation' | 'statementDigest'>,
): Promise<'next' | 'same'> {
  const last = await store.meta<Taken>('revocation')
  if (!last || order > last.order) return 'next'
  const message = `This is revocation ${order}; revocation ${last.order} was taken already.`
  must(order === last.order, 'revocation-lower', message)
  const same = id === last.id && digest === last.digest
  must(same, 'revocation-forked', `Another revocation with the number ${order} was taken before.`)
  return 'same'
}

/** Checks every line, and stages the slots of those tenants whose bundle here is the one that they were cut for. */
async function stage(
  context: Context,
  { revocation, tenants }: OpenRevocation,
  staged: number,
  now: number,
): Promise<void> {
  for await (const batch of inBatches(tenants, BATCH)) {
    const checked = await Promise.all(
      batch.map(async (line) => ({ line, fits: await fitting(context, line, revocation, now) })),
    )
    await context.store.change(async (tx) => {
      for (const { line, fits } of checked)
        if (fits)
          await tx.insert(
            'INSERT INTO slots (import, tenant, start, jws, without) VALUES',
            line.slots.map(({ from, set, without }) => [staged, line.tenant, from, set, JSON.stringify(without)]),
          )
    })
  }
}

async function fitting(
  { store, anchor }: Context,
  line: RevokedLine,
  { iat }: Revocation,
  now: number,
): Promise<boolean> {
  const entry = await knownEntry(store, line.tenant)
  const plan = entry ? revokedSlots(entry, line, iat) : []
  const lasts = (plan.at(-1)?.expires ?? 0) > now
  if (entry && lasts && (await areThose(entry, line, { plan, iat }, anchor.key))) {
    await checkRevokedPast(line, { issuer: entry.issuer, iat }, anchor.key)
    return true
  }
  await checkRevokedLine(line, iat, anchor.key)
  return false
}

/** Other slots than those of the bundle here are no failure: the runtime has another bundle than the vault thought. */
async function areThose(
  entry: TenantEntry,
  line: RevokedLine,
  { plan, iat }: { plan: Slot[]; iat: number },
  key: Context['anchor']['key'],
): Promise<boolean> {
  try {
    await checkSlots(entry, line.slots, plan, iat, key)
    return true
  } catch (error) {
    if (isKeyriteError(error, 'bundle-refused')) return false
    throw error
  }
}

type How = { staged: number; now: number; actor: string; fresh: boolean }

const INTO_IMPORTS = 'INSERT INTO imports (id, at, number, manifest, outcome) VALUES (?, ?, ?, ?, ?)'

/** All of it is in force with its receipt, or nothing is. */
function commit(context: Context, file: OpenRevocation, how: How): Promise<Revoked> {
  const { store, receipts } = context
  const { revocation, statementDigest: digest, tenants } = file
  const { staged, now, actor, fresh } = how
  const { id, order, iat } = revocation
  const done: Revoked = {
    outcome: 'revoked',
    id,
    order,
    tenants: 0,
    keys: 0,
    standbys: [],
    residualUntil: null,
    notes: [],
  }
  return store.change(async (tx) => {
    const same = (await placeOf(tx, file)) === 'same'
    must(same !== fresh, 'store-busy', 'Another import ran at the same time.')
    await tx.run(INTO_IMPORTS, staged, now, order, digest, same ? 'no-op' : 'revoked')
    if (same) return { ...done, outcome: 'no-op' }
    for await (const line of tenants) await revoke(tx, line, { iat, ...how }, done)
    await tx.setMeta('revocation', { order, id, digest } satisfies Taken)
    await receipts.append(tx, now, {
      type: 'revoked',
      id,
      order,
      digest,
      tenants: done.tenants,
      keys: done.keys,
      actor,
    })
    const clock = await tx.clock()
    await tx.setClock({ ...clock, floor: Math.max(clock.floor, Math.min(now, iat)) })
    return { ...done, notes: done.notes.slice(0, NOTES_MAX) }
  })
}

async function revoke(tx: Writer, line: RevokedLine, how: How & { iat: number }, done: Revoked): Promise<void> {
  const { tenant } = line
  const { now } = how
  const state = await loadTenant(tx, tenant)
  if (!state || state.removedAt !== null) return note(done, `${tenant} is not served here`)
  const known = line.revoke.filter((kid) => state.rows.has(kid))
  if (known.length < line.revoke.length)
    note(done, `${line.revoke.length - known.length} of the keys of ${tenant} never came here`)
  for (const kid of known)
    await tx.run('UPDATE keys SET tainted = coalesce(tainted, ?), withdrawn = 1 WHERE kid = ?', now, kid)
  await callUpon(tx, state, line, now, done)
  await replaceSlots(tx, state, line, how, done)
  await touch(tx, tenant, { due: true })
  const cached = now + Math.max(JWKS_MAX_AGE, ...state.entry.relyingParties.map((party) => party.cacheSeconds))
  const delivered = known.map((kid) => state.rows.get(kid)?.delivered_until ?? 0)
  if (known.length > 0) done.residualUntil = Math.max(done.residualUntil ?? 0, cached, ...delivered)
  done.tenants += 1
  done.keys += known.length
}

const note = (done: Revoked, what: string): void => void (done.notes.length < NOTES_MAX && done.notes.push(what))

/** The standby key signs from now on, where its private half is here and a revoked key signed until now, or nobody did. */
async function callUpon(
  tx: Writer,
  state: TenantState,
  { standby, revoke }: RevokedLine,
  now: number,
  done: Revoked,
): Promise<void> {
  const key = state.entry.keys.find((one) => one.kid === standby)
  if (standby === null || (key && !key.standby)) return
  const signer = key && signersAt(state, now).get(KEY_SPECS[key.spec].alg)
  if (signer && !revoke.includes(signer.kid)) return
  const { hasPrivate, tainted } = state.facts(standby)
  if (!key || !hasPrivate || tainted)
    return note(done, `the standby key of ${state.tenant} cannot take over: its private half is not here`)
  await tx.run('UPDATE keys SET called_at = ? WHERE kid = ?', now, standby)
  done.standbys.push(standby)
}

const IN_FORCE =
  'UPDATE tenants SET import = ?, iat = ?, revoked = ?, historical = coalesce(?, historical) WHERE tenant = ?'
const DELIVERED = 'UPDATE keys SET delivered_until = ? WHERE kid = ? AND delivered_until < ?'

/** The staged slots take the place of those of the bundle; where none are staged, those of the bundle stay. */
async function replaceSlots(
  tx: Writer,
  { tenant }: TenantState,
  { revoke, standby, historical }: RevokedLine,
  { staged, iat }: How & { iat: number },
  done: Revoked,
): Promise<void> {
  const here = await tx.get('SELECT 1 FROM slots WHERE import = ? AND tenant = ?', staged, tenant)
  if (!here) return note(done, `the signed sets for ${tenant} are of another bundle than the one here`)
  await tx.run(IN_FORCE, staged, iat, JSON.stringify({ revoke, standby }), historical ?? null, tenant)
  const entry = await knownEntry(tx, tenant)
  const slots = entry ? revokedSlots(entry, { revoke, standby }, iat) : []
  for (const { kid } of entry?.keys ?? []) {
    const until = Math.max(0, ...slots.map((slot) => (slot.kids.includes(kid) ? slot.expires : 0)))
    await tx.run(DELIVERED, until, kid, until)
  }
}
