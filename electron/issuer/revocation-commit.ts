import { KEY_SPECS } from '../../shared/domain/algorithms.ts'
import { JWKS_MAX_AGE } from '../../shared/domain/policy.ts'
import { must } from '../../shared/errors.ts'
import { type RevokedLine, revokedSlots } from '../../shared/formats/revocation.ts'
import type { OpenRevocation } from '../../shared/formats/revocation-file.ts'
import type { Context } from './context.ts'
import { knownEntry } from './import-checks.ts'
import { servedTime, touch } from './lifecycle.ts'
import type { Reader, Writer } from './store/store.ts'
import { loadTenant, signersAt, type TenantState } from './tenant-state.ts'

/** The end of a revocation: one transaction that puts all of it in force. */

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

/** Where it stands: after the last one that was taken, or that very one. Codes `revocation-lower`, `revocation-forked`. */
export async function placeOf(
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

export type How = { staged: number; now: number; actor: string; fresh: boolean }

const INTO_IMPORTS = 'INSERT INTO imports (id, at, number, manifest, outcome) VALUES (?, ?, ?, ?, ?)'

/** All of it is in force with its receipt, or nothing is. */
export function commitRevocation(context: Context, file: OpenRevocation, how: How): Promise<Revoked> {
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
    const served = await servedTime(context, tx)
    for await (const line of tenants) await revoke(tx, line, { iat, served, ...how }, done)
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

async function revoke(tx: Writer, line: RevokedLine, how: How & Times, done: Revoked): Promise<void> {
  const { tenant } = line
  const { now, served } = how
  const state = await loadTenant(tx, tenant)
  if (!state || state.removedAt !== null) return note(done, `${tenant} is not served here`)
  const known = line.revoke.filter((kid) => state.rows.has(kid))
  if (known.length < line.revoke.length)
    note(done, `${line.revoke.length - known.length} of the keys of ${tenant} never came here`)
  for (const kid of known)
    await tx.run('UPDATE keys SET tainted = coalesce(tainted, ?), withdrawn = 1 WHERE kid = ?', now, kid)
  await callUpon(tx, state, line, served, done)
  await replaceSlots(tx, state, line, how, done)
  await touch(tx, tenant, { due: true })
  const cached = now + Math.max(JWKS_MAX_AGE, ...state.entry.relyingParties.map((party) => party.cacheSeconds))
  const delivered = known.map((kid) => state.rows.get(kid)?.delivered_until ?? 0)
  if (known.length > 0) done.residualUntil = Math.max(done.residualUntil ?? 0, cached, ...delivered)
  done.tenants += 1
  done.keys += known.length
}

/** When the vault signed it, and the time of those who sign tokens. */
type Times = { iat: number; served: number }

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
