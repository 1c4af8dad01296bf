import type { Handlers } from '../../../shared/contract/contract.ts'
import type { PLAN_METHODS } from '../../../shared/contract/plan.ts'
import type { AppContext } from '../context.ts'
import { choicesOf } from './choices.ts'
import { loadPlan, plansAt, savePlan } from './files.ts'
import { reviewOf } from './review.ts'

/** Plans: what forms choose from, what a plan will mean, and the files they are kept in. */
export function planHandlers(app: AppContext): Pick<Handlers, keyof typeof PLAN_METHODS> {
  return {
    choices: () => choicesOf(app),
    reviewPlan: ({ text }) => reviewOf(app, text),
    plans: () => ({ plans: plansAt(app) }),
    loadPlan: ({ place, name }) => ({ text: loadPlan(app, place, name) }),
    savePlan: ({ name, text }) => ({ name: savePlan(app, name, text) }),
  }
}
