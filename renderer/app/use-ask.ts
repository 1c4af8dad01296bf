import { useCallback, useState } from 'react'
import { Failure } from '../client.ts'

/** Something asked of the engine: whether it is under way, and why it failed. */
export function useAsk() {
  const [pending, setPending] = useState(false)
  const [failure, setFailure] = useState<Failure | null>(null)
  const ask = useCallback(async <T>(work: () => Promise<T>, then?: (value: T) => void): Promise<void> => {
    setPending(true)
    setFailure(null)
    try {
      const value = await work()
      setPending(false)
      then?.(value)
    } catch (error) {
      setPending(false)
      if (!(error instanceof Failure)) throw error
      setFailure(error)
    }
  }, [])
  const forget = useCallback(() => setFailure(null), [])
  return { pending, failure, ask, forget }
}
