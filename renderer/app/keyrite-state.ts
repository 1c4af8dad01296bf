import { useCallback, useEffect, useEffectEvent, useMemo, useRef, useState } from 'react'
import type { Notice } from '../../shared/contract/contract.ts'
import type { VaultAtHand } from '../../shared/contract/home.ts'
import { call, onLost, onNotice } from '../client.ts'
import type { Destination, Hello, Machine, Overview, Progress, Sitting } from '../state.tsx'
import { useTheme } from './theme.ts'

/** What the engine told so far, and where in the app we are. */
export type KeyriteState = ReturnType<typeof useKeyriteState>

export function useKeyriteState() {
  const theme = useTheme()
  const place = usePlace()
  const vault = useVault()
  const told = useTold(vault.refresh)
  return useMemo(() => ({ ...told, ...vault, ...theme, ...place, call }), [told, vault, theme, place])
}

/** Where we are. Each time somebody goes somewhere is a visit of its own: the screen begins anew, its heading has the focus. */
function usePlace() {
  const [{ at, visit }, setPlace] = useState<{ at: Destination; visit: number }>({ at: { screen: 'home' }, visit: 0 })
  const go = useCallback((to: Destination) => setPlace((before) => ({ at: to, visit: before.visit + 1 })), [])
  return useMemo(() => ({ at, visit, go }), [at, visit, go])
}

/** The vault that is open to look at, and those at hand. */
function useVault() {
  const [overview, setOverview] = useState<Overview | null>(null)
  const [vaults, setVaults] = useState<VaultAtHand[]>([])
  const [folder, lookIn] = useState<string | null>(null)
  const refresh = useCallback(async () => {
    const [opened, found] = await Promise.all([
      call('overview', {}).catch(() => null),
      call('vaults', { folder }).catch(() => ({ vaults: [] })),
    ])
    setOverview(opened)
    setVaults(found.vaults)
  }, [folder])
  return useMemo(() => ({ overview, vaults, folder, lookIn, refresh }), [overview, vaults, folder, refresh])
}

/** What comes without being asked: notices, and the end of the connection. */
function useTold(refresh: () => Promise<void>) {
  const [hello, setHello] = useState<Hello | null>(null)
  const [lost, setLost] = useState(false)
  const machine = useMachine()
  const { sitting, setSitting } = useSitting(refresh)
  const rest = useRest()
  const { hearMachine } = machine
  const lookAnew = useEffectEvent(refresh)
  const { hearRest } = rest

  useEffect(() => {
    let heard = false
    const hear = (notice: Notice) => {
      if (notice.tell === 'machine') hearMachine(notice.machine)
      else if (notice.tell === 'sitting') {
        heard = true
        setSitting(notice.sitting)
      } else if (notice.tell === 'view-closed') void lookAnew()
      else hearRest(notice)
    }
    const stops = [onNotice(hear), onLost(() => setLost(true))]
    const begin = async () => {
      const [said, under, now] = await Promise.all([call('hello', {}), call('machine', {}), call('sitting', {})])
      hearMachine(under)
      // What was told meanwhile is newer.
      if (!heard) setSitting(now)
      setHello(said)
    }
    begin().catch(() => setLost(true))
    return () => {
      for (const stop of stops) stop()
    }
  }, [hearMachine, hearRest, setSitting])

  useEffect(() => {
    refresh()
  }, [refresh])
  return useMemo(() => ({ hello, lost, sitting, ...machine, ...rest }), [hello, lost, sitting, machine, rest])
}

/** The machine as last told, and by how many seconds its clock is ahead of the page's. */
function useMachine() {
  const [machine, setMachine] = useState<Machine | null>(null)
  const [clockAhead, setAhead] = useState(0)
  const hearMachine = useCallback((told: Machine) => {
    setMachine(told)
    const ahead = told.now - Math.floor(Date.now() / 1000)
    // A notice is under way for a moment: a second more or less is the same clock.
    setAhead((before) => (Math.abs(ahead - before) > 1 ? ahead : before))
  }, [])
  return useMemo(() => ({ machine, clockAhead, hearMachine }), [machine, clockAhead, hearMachine])
}

/** The sitting; once it is over and left, the vault is looked at anew. */
function useSitting(refresh: () => Promise<void>) {
  const [sitting, setSitting] = useState<Sitting | null>(null)
  const sat = useRef(false)
  const sits = sitting !== null
  useEffect(() => {
    if (sat.current && !sits) refresh()
    sat.current = sits
  }, [sits, refresh])
  return { sitting, setSitting }
}

function useRest() {
  const [progress, setProgress] = useState<Progress | null>(null)
  const [refused, setRefused] = useState<string | null>(null)
  const hearRest = useCallback((notice: Extract<Notice, { tell: 'progress' | 'refused-call' }>) => {
    if (notice.tell === 'refused-call') setRefused(notice.why)
    else setProgress({ label: notice.label, done: notice.done, of: notice.of })
  }, [])
  const forgetRefused = useCallback(() => setRefused(null), [])
  return useMemo(() => ({ progress, refused, hearRest, forgetRefused }), [progress, refused, hearRest, forgetRefused])
}
