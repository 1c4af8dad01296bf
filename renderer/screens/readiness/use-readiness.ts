import { useCallback, useEffect, useRef, useState } from 'react'
import type { Check } from '../../../shared/contract/machine.ts'
import type { Override } from '../../../shared/contract/sitting.ts'
import type { Failure } from '../../client.ts'
import { type Intent, useKeyrite } from '../../state.tsx'

/** Fewer letters say nothing, and the contract refuses them. */
export const REASON_MIN = 3

type Reasons = Partial<Record<Check['id'], string>>

/** Checks of the machine, reasons for those that do not pass, and the way on. */
export function useReadiness(then: Intent) {
  const { checks, failure: unchecked, checking, check } = useChecks()
  const [reasons, setReasons] = useState<Reasons>({})
  const { sit, sitting, failure: refused } = useSit(then)
  const practice = usePractice(then)
  const open = (checks ?? []).filter(({ state }) => state !== 'pass')
  const given = open.filter(({ id }) => isReason(reasons[id]))
  return {
    checks,
    checking,
    check,
    practice,
    open,
    missing: practice ? 0 : open.length - given.length,
    reasonOf: (id: Check['id']) => reasons[id] ?? '',
    setReason: (id: Check['id'], reason: string) => setReasons((before) => ({ ...before, [id]: reason })),
    sitting,
    sit: () => sit(given.map((one) => overrideOf(one, reasons[one.id] ?? ''))),
    failure: refused ?? unchecked,
  }
}
export type Readiness = ReturnType<typeof useReadiness>

export const isReason = (text = ''): boolean => text.trim().length >= REASON_MIN

const overrideOf = ({ id }: Check, reason: string): Override => ({
  check: id,
  reason: reason.trim(),
})

/** Looks at once, whenever somebody asks, and whenever an interface comes up or goes down. */
function useChecks() {
  const { call, machine } = useKeyrite()
  const [checks, setChecks] = useState<readonly Check[] | null>(null)
  const [failure, setFailure] = useState<Failure | null>(null)
  const [checking, setChecking] = useState(true)
  const newest = useRef(0)
  const check = useCallback(async () => {
    newest.current += 1
    const mine = newest.current
    setChecking(true)
    try {
      const found = await call('readiness', {})
      if (mine === newest.current) setChecks(found.checks)
      setFailure(null)
    } catch (error) {
      if (mine === newest.current) setFailure(error as Failure)
    } finally {
      if (mine === newest.current) setChecking(false)
    }
  }, [call])
  const networks = machine.networks.join()
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is up decides the first check
  useEffect(() => {
    check()
  }, [check, networks])
  return { checks, failure, checking, check }
}

function useSit(then: Intent) {
  const { call, go } = useKeyrite()
  const [sitting, setSitting] = useState(false)
  const [failure, setFailure] = useState<Failure | null>(null)
  const sit = async (overrides: Override[]) => {
    setSitting(true)
    setFailure(null)
    try {
      await call('sit', then.doing === 'rehearse' ? then : { ...then, overrides })
      go({ screen: 'sitting' })
    } catch (error) {
      setFailure(error as Failure)
      setSitting(false)
    }
  }
  return { sit, sitting, failure }
}

/** Whether what is to begin counts: by its vault, or by the plan of a vault that is still to be made. */
function usePractice(then: Intent): boolean {
  const { overview, vaults } = useKeyrite()
  const { folder } = then
  if (then.doing === 'rehearse') return true
  if (folder === null) return then.doing === 'hold' && saysPractice(then.plan)
  if (overview?.folder === folder) return overview.practice
  return vaults.find((vault) => vault.folder === folder)?.practice ?? false
}

function saysPractice(plan: string): boolean {
  try {
    return (JSON.parse(plan) as { practice?: unknown } | null)?.practice === true
  } catch {
    return false
  }
}
