import { type ComponentType, lazy, Suspense } from 'react'
import { Lost } from './app/Lost.tsx'
import { PracticeDrawer } from './app/PracticeDrawer.tsx'
import { RefusedCall } from './app/RefusedCall.tsx'
import { Shell } from './app/Shell.tsx'
import { Waiting } from './app/Waiting.tsx'
import { type Destination, useAppState } from './state.tsx'

type Screen = Destination['screen']

/** Each screen is a file of its own, loaded when somebody goes there. */
const SCREENS: Record<Screen, ComponentType> = {
  home: lazy(async () => ({ default: (await import('./screens/home/index.tsx')).HomeScreen })),
  records: lazy(async () => ({ default: (await import('./screens/records/index.tsx')).RecordsScreen })),
  keys: lazy(async () => ({ default: (await import('./screens/keys/index.tsx')).KeysScreen })),
  people: lazy(async () => ({ default: (await import('./screens/people/index.tsx')).PeopleScreen })),
  evidence: lazy(async () => ({ default: (await import('./screens/evidence/index.tsx')).EvidenceScreen })),
  transfer: lazy(async () => ({ default: (await import('./screens/transfer/index.tsx')).TransferScreen })),
  plan: lazy(async () => ({ default: (await import('./screens/plan/index.tsx')).PlanScreen })),
  readiness: lazy(async () => ({ default: (await import('./screens/readiness/index.tsx')).ReadinessScreen })),
  sitting: lazy(async () => ({ default: (await import('./screens/sitting/index.tsx')).SittingScreen })),
}

/** These take the whole window and draw their own frame. */
const WHOLE: readonly Screen[] = ['plan', 'readiness', 'sitting']

export function App() {
  const { hello, machine, sitting, lost, at, visit } = useAppState()
  if (lost) return <Lost />
  if (!hello || !machine) return <Waiting starting />
  const screen: Screen = sitting ? 'sitting' : at.screen === 'sitting' ? 'home' : at.screen
  const Shown = SCREENS[screen]
  const content = (
    <Suspense fallback={<Waiting />}>
      <Shown key={screen === 'sitting' ? screen : visit} />
    </Suspense>
  )
  return (
    <>
      {WHOLE.includes(screen) ? content : <Shell screen={screen}>{content}</Shell>}
      {hello.practice && <PracticeDrawer people={hello.practice.people} />}
      <RefusedCall />
    </>
  )
}
