import { useKeyrite } from '../../state.tsx'
import { Looking } from './Looking.tsx'
import { Opening } from './Opening.tsx'

/** Home: the vault that is open, or the vaults at hand. */
export function HomeScreen() {
  const { overview, at } = useKeyrite()
  const wanted = at.screen === 'home' ? at.open : undefined
  return overview && wanted === undefined ? <Looking overview={overview} /> : <Opening wanted={wanted} key={wanted} />
}
