import { useKeyrite } from '../../state.tsx'
import { type Calling, useCalling } from './calling.ts'

/** Leaves a sitting that is over or has not begun; Home then shows the vault as it is now. */
export function useLeave(): { leave: () => Promise<boolean>; pending: boolean; failure: Calling<null>['failure'] } {
  const { call, refresh, go, sitting } = useKeyrite()
  const { run, pending, failure } = useCalling(async (_: null) => {
    // Who came in is forgotten first.
    if (sitting?.phase === 'gathering') await call('pause', { why: 'asked' })
    await call('rise', {})
    go({ screen: 'home' })
    await refresh()
  })
  return { leave: () => run(null), pending, failure }
}
