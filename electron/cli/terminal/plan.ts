import { KeyriteError } from '../../../shared/errors.ts'
import type { ReadPlan } from '../../../shared/formats/plan.ts'
import { planInLines } from '../../../shared/pages/plan-words.ts'
import { hexRows, paragraph, wordRows } from './layout.ts'
import type { Prompter } from './prompter.ts'

/** A plan of many tenants is read on paper; the screen shows its beginning. */
const MOST_LINES = 200

/** The plan in words, and its digest as people compare it. */
export function showPlan(ask: Prompter, { text, digest }: Pick<ReadPlan, 'text' | 'digest'>): void {
  const lines = planInLines(text)
  const rest = lines.length - MOST_LINES
  const shown = lines.slice(0, MOST_LINES).map((line) => `  ${line}`)
  const more = rest > 0 ? [`  … and ${rest} more lines: print them with "ceremony print".`] : []
  ask.say(
    ['', 'The plan', '', ...shown, ...more, '', 'Its digest', '', hexRows(digest), '', wordRows(digest), ''].join('\n'),
  )
}

/** Everybody sees what today is for before anything begins. Code `comparison-failed` when it is another plan. */
export async function agreeOnPlan(ask: Prompter, read: ReadPlan): Promise<void> {
  showPlan(ask, read)
  ask.say(paragraph('Compare the digest with the one on the printed script that was reviewed.'))
  const same = await ask.yes('Is this the plan that was reviewed?', {
    yes: 'Yes, the digest is the same',
    no: 'No: stop',
  })
  if (!same) throw new KeyriteError('comparison-failed', 'This is not the plan that was reviewed. Nothing was begun.')
}
