import type { Anchor } from '../../shared/formats/trust-anchor.ts'
import type { TrustedClock } from './clock.ts'
import type { EffectiveConfig } from './config.ts'
import { writeHighwater } from './highwater.ts'
import type { SecondPlace } from './keeping/second-place.ts'
import type { ReceiptChain } from './receipt-chain.ts'
import type { Sealer } from './sealing.ts'
import type { Store } from './store/store.ts'
import type { Traffic } from './traffic.ts'

/** What every part of an open runtime works with. */
export type Context = {
  dir: string
  config: EffectiveConfig
  anchor: Anchor
  store: Store
  traffic: Traffic
  sealer: Sealer
  receipts: ReceiptChain
  clock: TrustedClock
  secondPlace: SecondPlace | null
  /** Told when a private key of a tenant cannot be read or opened. */
  onKeyFailure: (tenant: string, error: unknown) => void
}

/**
 * Marks outside of the store how far it has come, and writes to the second place what that lacks; after every committed
 * change that must not be undone.
 */
export function markHighwater(context: Context): Promise<void> {
  const before = marking.get(context.store) ?? Promise.resolve()
  const marked = before.catch(() => {}).then(() => mark(context))
  marking.set(context.store, marked)
  return marked
}

/** Marks of one process are written one after another, so that none is put back by an earlier one. */
const marking = new WeakMap<Store, Promise<void>>()

async function mark(context: Context): Promise<void> {
  await writeHighwater(context.dir, context.store, context.receipts)
  await context.secondPlace?.keep(context)
}
