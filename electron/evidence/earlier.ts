import type { EventOf, VaultEvent } from '../../shared/domain/events.ts'
import { emptyState, type Runtime, type Tenant, type VaultKey, type VaultState } from '../../shared/domain/state.ts'
import type { Anchor } from '../../shared/formats/trust-anchor.ts'

/**
 * The vault before an extract of its log. What happened until then is not known, so whatever an event speaks of without
 * having made it is taken to be there, as that event needs it. What the extract itself makes, the fold judges as ever.
 */

class Earlier<V> extends Map<string, V> {
  readonly #make: (id: string) => V

  constructor(make: (id: string) => V) {
    super()
    this.#make = make
  }

  override get(id: string): V {
    const value = super.get(id) ?? this.#make(id)
    this.set(id, value)
    return value
  }
}

/** Things of which nothing is known but that they are there, and what the fold adds to them. */
const key = (kid: string) => ({ kid, exported: [] as number[] }) as object as VaultKey
const tenant = (id: string) => ({ tenant: id, kids: [] as string[] }) as object as Tenant
const runtime = (runtimeId: string) =>
  ({
    runtimeId,
    handoffs: [],
    envelopes: [],
    revocations: [],
    opened: [],
    receipts: { upTo: 0, head: null, takenAt: null, statements: [] },
  }) as object as Runtime

/** @param jws the trust anchor as the record carries it; `roster` and `epoch` those in force when the ceremony began */
export function stateBefore({ vaultId, name, practice, jws }: Anchor, roster: string, epoch: number): VaultState {
  const keys = new Earlier(key)
  const tenants = new Earlier(tenant)
  const runtimes = new Earlier(runtime)
  return Object.assign(emptyState(''), { vaultId, name, practice, anchor: jws, roster, epoch, keys, tenants, runtimes })
}

const isEarlier = (known: VaultKey): boolean => known.bornAt === undefined

type Presume = { [T in VaultEvent['type']]?: (state: VaultState, event: EventOf<T>) => void }

/** What an event needs to have happened before, where that may have been before the extract. */
const PRESUMED: Presume = {
  'absence-proved': ({ keys }, { kids }) => {
    for (const known of kids.map((kid) => keys.get(kid)))
      if (known && isEarlier(known)) known.destroyed ??= { at: 0, reason: 'earlier' }
  },
  'standby-activated': ({ keys }, { kid }) => {
    const known = keys.get(kid)
    if (known && isEarlier(known)) known.standby ??= true
  },
  'hold-lifted': ({ holds }, { hold }) => {
    if (!holds.has(hold)) holds.set(hold, { hold, kids: [], reason: 'earlier', at: 0 })
  },
  'export-intended': ({ exports }, { number }) => {
    if (exports.length === 0) exports.length = number - 1
  },
  'backup-opened': ({ backups }, { number }) => {
    if (!backups.has(number)) backups.set(number, { number } as Backup)
  },
}
type Backup = VaultState['backups'] extends Map<number, infer B> ? B : never

/** Makes a state ready for the next event of an extract. */
export function presume(state: VaultState, event: VaultEvent): void {
  const make = PRESUMED[event.type] as ((state: VaultState, event: VaultEvent) => void) | undefined
  make?.(state, event)
}
