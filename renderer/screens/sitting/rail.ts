import type { Sitting, SittingStep } from '../../../shared/contract/sitting.ts'
import type { RailPart, RailStep } from '../../components/StepRail.tsx'
import { text } from '../../text/index.ts'

/** Where we are, as the rail draws it: the room and the people first, then the steps of the script, then the closing. */

const CLOSING = 'sign-off'
/** A card is no part of making a vault, and a restore asks for it in a step of its own. */
const WITHOUT_CARD: readonly Sitting['kind'][] = ['genesis', 'restore']

type Early = 'machine' | 'gather' | 'plan' | 'time' | 'card'

/** What comes before the first step; the plan is shown only where a ceremony begins. */
function early({ doing, kind, alone }: Sitting): Early[] {
  const begins = doing === 'hold' || doing === 'rehearse'
  const asked: Early[] = ['machine', 'gather']
  if (begins) asked.push('plan')
  if (alone === null) asked.push('time')
  if (begins && !WITHOUT_CARD.includes(kind)) asked.push('card')
  return asked
}

const ASKED: Partial<Record<string, Early>> = { plan: 'plan', time: 'time', 'head-card': 'card' }

/** Where among those it stands; null once the script has begun. */
function earlyNow(sitting: Sitting): Early | null {
  if (sitting.phase === 'gathering') return 'gather'
  const asked = sitting.question && ASKED[sitting.question.ask]
  if (asked) return asked
  return null
}

const isClosing = (step: SittingStep): boolean => step.id === CLOSING

const nameOf = (id: Early, { doing }: Sitting): string =>
  id === 'machine' && doing === 'rehearse' ? text.sitting.rail.practiceRoom : text.sitting.rail[id]

/** The parts with their steps, numbered through. */
export function railOf(sitting: Sitting): RailPart[] {
  const asked = early(sitting)
  const now = earlyNow(sitting)
  const at = now === null ? asked.length : asked.indexOf(now)
  const before = asked.map(
    (id, index): Omit<RailStep, 'number'> => ({
      name: nameOf(id, sitting),
      state: index < at ? 'done' : index === at ? 'now' : 'todo',
    }),
  )
  const script = sitting.steps.filter((step) => !isClosing(step))
  const names = text.sitting.parts
  const parts: [string, Omit<RailStep, 'number'>[]][] = [
    [names.room, before.slice(0, 1)],
    [names.people, before.slice(1)],
    [names.script, script.map((step) => drawn(step, now !== null))],
    [names.close, sitting.steps.filter(isClosing).map((step) => drawn(step, now !== null))],
  ]
  let number = 0
  return parts
    .filter(([, steps]) => steps.length > 0)
    .map(([name, steps], index) => ({
      number: index + 1,
      name,
      steps: steps.map((step) => ({ number: ++number, ...step })),
    }))
}

/** While something else is asked first, no step of the script is under way. */
function drawn(step: SittingStep, early: boolean): Omit<RailStep, 'number'> {
  const state = step.status === 'done' ? 'done' : step.status === 'now' && !early ? 'now' : 'todo'
  return { name: step.title, state, at: step.at ?? undefined, noWayBack: step.noWayBack }
}

/** The number that the rail gives a step of the script. */
export const numberOf = (sitting: Sitting, id: string): number =>
  early(sitting).length + sitting.steps.findIndex((step) => step.id === id) + 1

/** Minutes that the steps still to be done are planned for. */
export const minutesLeft = ({ steps }: Sitting): number =>
  steps.filter(({ status }) => status !== 'done').reduce((sum, { minutes }) => sum + minutes, 0)

/** The step that cannot be taken back and is done already: the ceremony can then only be finished. */
export const begunForGood = ({ steps, kind }: Sitting): SittingStep | undefined =>
  kind === 'emergency' ? undefined : steps.find(({ noWayBack, status }) => noWayBack && status === 'done')

/** The step under way; without one, the next. */
export const stepNow = ({ steps }: Sitting): SittingStep | undefined =>
  steps.find(({ status }) => status === 'now') ?? steps.find(({ status }) => status === 'to-do')
