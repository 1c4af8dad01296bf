import { type ComponentType, lazy, Suspense } from 'react'
import { Lost } from './app/Lost.tsx'
import { PracticeDrawer } from './app/PracticeDrawer.tsx'
import { RefusedCall } from './app/RefusedCall.tsx'
import { Shell } from './app/Shell.tsx'
import { Waiting } from './app/Waiting.tsx'
import { type Destination, useAppState } from './state.tsx'

type Screen = Destination['screen']

/** Each screen is a file of its own, loaded when somebody goes there. */
const FOUND = import.meta.glob<Record<string, ComponentType>>('./screens/*/index.tsx')
const screenOf = (folder: Screen, name: string): ComponentType =>
  lazy(async () => ({
    default: (await FOUND[`./screens/${folder}/index.tsx`]?.())?.[name] ?? (() => 'This screen is not here yet.'),
  }))
const SCREENS: Record<Screen, ComponentType> = {
  home: screenOf('home', 'HomeScreen'),
  records: screenOf('records', 'RecordsScreen'),
  keys: screenOf('keys', 'KeysScreen'),
  people: screenOf('people', 'PeopleScreen'),
  evidence: screenOf('evidence', 'EvidenceScreen'),
  transfer: screenOf('transfer', 'TransferScreen'),
  plan: screenOf('plan', 'PlanScreen'),
  readiness: screenOf('readiness', 'ReadinessScreen'),
  sitting: screenOf('sitting', 'SittingScreen'),
}

/** These take the whole window and draw their own frame. */
const WHOLE: readonly Screen[] = ['plan', 'readiness', 'sitting']

export function App() {
  const { hello, machine, sitting, lost, at } = useAppState()
  if (lost) return <Lost />
  if (!hello || !machine) return <Waiting starting />
  const screen: Screen = sitting ? 'sitting' : at.screen === 'sitting' ? 'home' : at.screen
  const Shown = SCREENS[screen]
  const content = (
    <Suspense fallback={<Waiting />}>
      <Shown />
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
