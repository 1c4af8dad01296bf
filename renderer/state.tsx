import { createContext, type ReactNode, useContext, useEffect, useState } from 'react'
import type { Gives, Notice, Takes } from '../shared/contract/contract.ts'
import type { Overview } from '../shared/contract/home.ts'
import type { Machine } from '../shared/contract/machine.ts'
import type { Sitting } from '../shared/contract/sitting.ts'
import { type KeyriteState, useKeyriteState } from './app/keyrite-state.ts'

/**
 * What every screen knows of the app, and how it asks for more.
 *
 * The app draws header, navigation and clocks around Home, Records, Keys, People, Evidence and Transfer: these give their
 * content alone (`Page`). Plan, Readiness and Sitting take the whole window: each draws `Framed` from app/Framed.tsx, which
 * is `Frame` with network, practice and clock filled in. Everything asked of the engine goes through `call`.
 */

export type CeremonyKind = Sitting['kind']

/** Where a plan begins: a kind with what is known already (fields as the plan file names them), or a whole plan file. */
export type PlanStart = { kind: CeremonyKind; given?: Record<string, unknown> } | { text: string }

type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never
/** What people mean to sit down for; Readiness adds the reasons for checks that do not pass. */
export type Intent = Without<Takes<'sit'>, 'overrides'>

export type Destination =
  | { screen: 'home'; open?: string }
  | { screen: 'records'; ceremony?: string; verify?: true }
  | { screen: 'keys'; kid?: string; tenant?: string; only?: 'open-copies' }
  | { screen: 'people' }
  | { screen: 'evidence' }
  /** `rehearse`: whoever comes here means to try it first. */
  | { screen: 'plan'; start?: PlanStart; rehearse?: true }
  | { screen: 'readiness'; then: Intent }
  | { screen: 'transfer' }
  | { screen: 'sitting' }

/** The way to sit down: through Readiness. */
// biome-ignore lint/suspicious/noThenProperty: an intent, which nothing awaits
export const readyFor = (intent: Intent): Destination => ({ screen: 'readiness', then: intent })

export type Theme = 'light' | 'dark' | 'system'
export type Hello = Gives<'hello'>
export type Progress = Omit<Extract<Notice, { tell: 'progress' }>, 'tell'>
export type { Machine, Overview, Sitting }

const Known = createContext<KeyriteState | null>(null)
const Ticking = createContext<number | null>(null)

/** Loads what the app knows, follows the engine's notices, and gives both to the screens inside. */
export function KeyriteProvider({ children }: { children: ReactNode }) {
  const state = useKeyriteState()
  return (
    <Known value={state}>
      <Clock offset={state.clockAhead}>{children}</Clock>
    </Known>
  )
}

/** Everything that the frame itself needs, before and after the engine has said hello. */
export function useAppState(): KeyriteState {
  const state = useContext(Known)
  if (!state) throw new Error('The screens stand inside KeyriteProvider.')
  return state
}

/** For screens: they are drawn only once the engine has said hello. */
export function useKeyrite() {
  const { hello, machine, ...state } = useAppState()
  if (!hello || !machine) throw new Error('Screens are drawn after the engine has said hello.')
  return { hello, machine, ...state }
}

/** Seconds since 1970 by the machine's clock, anew each second. Only what shows a clock should use it. */
export function useNow(): number {
  return useContext(Ticking) ?? Math.floor(Date.now() / 1000)
}

/** The machine's clock, as last told, ticks on by the page's own. */
function Clock({ offset, children }: { offset: number; children: ReactNode }) {
  const [now, setNow] = useState(() => Math.floor(Date.now() / 1000) + offset)
  useEffect(() => {
    const tick = () => setNow(Math.floor(Date.now() / 1000) + offset)
    tick()
    const timer = setInterval(tick, 1000)
    return () => clearInterval(timer)
  }, [offset])
  return <Ticking value={now}>{children}</Ticking>
}
