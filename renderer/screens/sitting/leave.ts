import { type Destination, type Sitting, useKeyrite } from '../../state.tsx'
import { type Calling, useCalling } from './calling.ts'

/** Leaves a sitting that is over or has not begun, for Home or for what comes next; it shows the vault as it is now. */
export function useLeave(): { leave: (to?: Destination) => void } & Pick<Calling<Destination>, 'pending' | 'failure'> {
  const { call, refresh, go, sitting, overview } = useKeyrite()
  const { run, pending, failure } = useCalling(async (to: Destination) => {
    // Who came in is forgotten first.
    if (sitting?.phase === 'gathering') await call('pause', { why: 'asked' })
    go(to)
    await call('rise', {})
    await refresh()
  })
  return { leave: (to = homeOf(sitting, overview?.folder)) => void run(to), pending, failure }
}

/** Home; after a ceremony that made a vault, where its people open it. */
const homeOf = (sitting: Sitting | null, open: string | undefined): Destination =>
  sitting && isNew(sitting, open) ? { screen: 'home', open: sitting.vault.folder } : { screen: 'home' }

/** Whether it made a vault that nobody has opened yet to look at. */
export const isNew = ({ phase, doing, vault }: Sitting, open: string | undefined): boolean =>
  phase === 'finished' && doing !== 'rehearse' && vault.folder !== open
