import { type Destination, useKeyrite } from '../../state.tsx'
import { type Calling, useCalling } from './calling.ts'

const HOME: Destination = { screen: 'home' }

/** Leaves a sitting that is over or has not begun, for Home or for what comes next; it shows the vault as it is now. */
export function useLeave(): { leave: (to?: Destination) => void } & Pick<Calling<Destination>, 'pending' | 'failure'> {
  const { call, refresh, go, sitting } = useKeyrite()
  const { run, pending, failure } = useCalling(async (to: Destination) => {
    // Who came in is forgotten first.
    if (sitting?.phase === 'gathering') await call('pause', { why: 'asked' })
    go(to)
    await call('rise', {})
    await refresh()
  })
  return { leave: (to = HOME) => void run(to), pending, failure }
}
