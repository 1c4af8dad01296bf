import { must } from '../../../shared/errors.ts'
import { manifestSchema } from '../../../shared/formats/bundle.ts'
import { BUNDLE_CAPS } from '../../../shared/formats/bundle-file.ts'
import { digest, fromUtf8 } from '../../../shared/formats/bytes.ts'
import { peekStatement } from '../../../shared/formats/jws.ts'
import { handoffFileType } from '../../../shared/formats/material-file.ts'
import { readLinesGuarded } from '../../files/read.ts'
import { type Context, markHighwater } from '../context.ts'
import { touch } from '../lifecycle.ts'
import type { Reader, Writer } from '../store/store.ts'
import { eraseTransportKey } from '../transport.ts'

/**
 * What a store that was brought up to date still lacks: the newest bundle that its receipts tell of. Until that was
 * imported again nothing is served.
 */
export type Awaited = {
  number: number
  manifest: string
  /** Transport keys whose receipts say that they are erased: kept, so that the same files can be imported once more. */
  kept: string[]
  /** Tenants of that bundle, and since when their tokens are not active any more. */
  rejects: Record<string, number>
}

/** What is awaited, in words, or null. */
export async function whatIsAwaited(store: Reader): Promise<string | null> {
  const awaited = await store.meta<Awaited>('awaited')
  if (!awaited) return null
  const here = (await store.bundle())?.number ?? 0
  const what = here < awaited.number ? `bundle ${awaited.number}` : `the key material of bundle ${awaited.number}`
  return `This runtime was restored from an older copy: ${what} was imported since, and is not here.`
}

export const AWAITED_HINT =
  'Import the files of that handoff again: "issuer import". Until then nothing is served. If no clock was confirmed for long: "issuer clock confirm" first.'

/** A bundle with the awaited number must be the very one. Code `bundle-forked`; codes of reading. */
export async function mustBeAwaited({ store }: Context, paths: readonly string[]): Promise<void> {
  const awaited = await store.meta<Awaited>('awaited')
  if (!awaited) return
  for (const path of paths) {
    const lines = readLinesGuarded(path, BUNDLE_CAPS)
    const first = lines.next()
    lines.return(undefined)
    if (first.done || handoffFileType(first.value) !== 'bundle') continue
    const { number } = peekStatement(fromUtf8(first.value), manifestSchema, 'bundle')
    const same = number !== awaited.number || digest(first.value) === awaited.manifest
    must(same, 'bundle-forked', `Another bundle with the number ${number} was imported before.`)
  }
}

/** After an import: where nothing is awaited any more, this is an ordinary runtime again. */
export async function settleAwaited(context: Context): Promise<void> {
  const { store, receipts, clock } = context
  if (!(await store.meta<Awaited>('awaited'))) return
  await store.change(async (tx) => {
    const awaited = await tx.meta<Awaited>('awaited')
    const number = (await tx.bundle())?.number ?? 0
    if (!awaited || number < awaited.number) return
    const left = await keptOf(tx, awaited)
    // A later bundle brings what the awaited one would have brought.
    if (left.length > 0 && number === awaited.number) return
    for (const kid of left) {
      await eraseTransportKey(tx, kid, clock.now())
      await receipts.append(tx, clock.now(), { type: 'transport-key-erased', key: kid })
    }
    for (const [tenant, before] of Object.entries(awaited.rejects)) await rejectBefore(tx, tenant, before)
    await tx.setMeta('awaited', null)
  })
  await markHighwater(context)
}

async function keptOf(tx: Reader, { kept }: Awaited): Promise<string[]> {
  const left: string[] = []
  for (const kid of kept)
    if (await tx.get('SELECT 1 FROM own_keys WHERE kid = ? AND sealed IS NOT NULL', kid)) left.push(kid)
  return left
}

/** Tokens of the tenant issued before are not active; never earlier than was said before. */
export async function rejectBefore(tx: Writer, tenant: string, before: number): Promise<void> {
  const later = 'CASE WHEN reject_before IS NULL OR reject_before < ? THEN ? ELSE reject_before END'
  await tx.run(`UPDATE tenants SET reject_before = ${later} WHERE tenant = ?`, before, before, tenant)
  await touch(tx, tenant)
}
