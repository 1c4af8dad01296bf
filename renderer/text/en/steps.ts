import { language } from './language.ts'

export const steps = {
  rail: 'Steps',
  position: (step: number, of: number) => `Step ${step} of ${of}`,
  before: (of: number) => `${language.counted(of, 'step')}, not started`,
  after: (of: number) => `All ${language.counted(of, 'step')} done`,
  minutesLeft: (minutes: number) => `about ${minutes} min left`,
  partDone: (done: number, of: number) => `${done} of ${of} done`,
  partAhead: (of: number) => (of === 1 ? '1 step' : `${of} steps`),
  noWayBack: 'No way back after this line',
  readAloud: 'Read aloud',
  do: 'Do',
  observe: 'Observe',
  initial: 'Initial',
  initialHint: 'When all is true',
  initialOf: (who: string) => `Initials of ${who}`,
  initialled: (clock: string) => `Initialled ${clock}`,
}
