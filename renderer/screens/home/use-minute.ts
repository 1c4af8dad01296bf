import { useEffect, useState } from 'react'
import { useKeyrite } from '../../state.tsx'

/** The machine's clock, anew each minute: what is drawn against it does not move faster. */
export function useMinute(): number {
  const { clockAhead } = useKeyrite()
  const read = () => Math.floor(Date.now() / 1000) + clockAhead
  const [now, setNow] = useState(read)
  useEffect(() => {
    const set = () => setNow(Math.floor(Date.now() / 1000) + clockAhead)
    set()
    const timer = setInterval(set, 60_000)
    return () => clearInterval(timer)
  }, [clockAhead])
  return now
}
