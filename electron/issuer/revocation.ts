import { randomInt } from 'node:crypto'
import type { Slot } from '../../shared/domain/slots.ts'
import { isKeyriteError } from '../../shared/errors.ts'
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
import { importing, mustTrustClock } from './import.ts'
import { checkBinding, knownEntry } from './import-checks.ts'
import { settle } from './lifecycle.ts'
import { commitRevocation, placeOf, type Revoked } from './revocation-commit.ts'
import { clearStaging, inBatches, stageSlots } from './staging.ts'

/**
 * A revocation at the runtime (handoff.md; issuer.md, "Emergency"): its keys never sign again and are not published any
 * more. Everything is checked and its slots staged before it counts; then one transaction puts all of it in force.
 */

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
  return importing(context, (authentic) => take(context, path, actor, authentic))
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
  const revoked = await opened(context, path, (file) => commitRevocation(context, file, { staged, now, actor, fresh }))
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
      for (const { line, fits } of checked) if (fits) await stageSlots(tx, staged, line)
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
