import { useCallback, useEffect, useState } from 'react'
import type { Gives, MethodName, Takes } from '../../shared/contract/contract.ts'
import { useKeyrite } from '../state.tsx'
import { useAsk } from './use-ask.ts'

/** What a method gives, asked when the screen appears and again when the vault has changed. Null until it is there. */
export function useLoaded<M extends MethodName>(method: M, input: Takes<M>) {
  const { call, overview } = useKeyrite()
  const [value, setValue] = useState<Gives<M> | null>(null)
  const { ask, failure } = useAsk()
  const asked = JSON.stringify(input)
  const load = useCallback(
    () => ask(() => call(method, JSON.parse(asked) as Takes<M>), setValue),
    [ask, call, method, asked],
  )
  const seen = `${overview?.folder} ${overview?.events}`
  // biome-ignore lint/correctness/useExhaustiveDependencies: another vault or another event is a reason to ask again
  useEffect(() => {
    load()
  }, [load, seen])
  return { value, failure, again: load }
}
