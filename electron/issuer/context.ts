import type { Anchor } from '../../shared/formats/trust-anchor.ts'
import type { TrustedClock } from './clock.ts'
import type { EffectiveConfig } from './config.ts'
import { writeHighwater } from './highwater.ts'
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
  /** Told when a private key of a tenant cannot be read or opened. */
  onKeyFailure: (tenant: string, error: unknown) => void
}

/** Marks outside of the store how far it has come; after every committed change that must not be undone. */
export const markHighwater = ({ dir, store, receipts }: Context): Promise<void> => writeHighwater(dir, store, receipts)
