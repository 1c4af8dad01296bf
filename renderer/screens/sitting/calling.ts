import { useState } from 'react'
import type { Failure } from '../../../shared/contract/common.ts'

export type Calling<T> = { run: (given: T) => Promise<boolean>; pending: boolean; failure: Failure | null }

/** Calls one method after another, and keeps why the last one failed. `run` gives whether it did not. */
export function useCalling<T>(calls: (given: T) => Promise<unknown>): Calling<T> {
  const [pending, setPending] = useState(false)
  const [failure, setFailure] = useState<Failure | null>(null)
  const run = async (given: T): Promise<boolean> => {
    setPending(true)
    setFailure(null)
    try {
      await calls(given)
      return true
    } catch (error) {
      setFailure(error as Failure)
      return false
    } finally {
      setPending(false)
    }
  }
  return { run, pending, failure }
}
