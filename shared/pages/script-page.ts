import type { CeremonyKind } from '../domain/events.ts'
import { SCRIPTS, SIGN_OFF, type Step } from '../domain/script.ts'
import { hexGroups, words } from '../formats/fingerprint.ts'
import type { ReadPlan } from '../formats/plan.ts'
import { type Html, html, renderPage } from './page.ts'
import { fingerprint, ROLE_WORDS } from './parts.ts'
import { planInLines, planInWords } from './plan-words.ts'
import { KIND_WORDS } from './record-page.ts'
import { capital, counted } from './words.ts'

/** The script for the room, before the ceremony: what the plan says, its digest to compare, and every step with boxes. */

type PlannedStep = Omit<Step, 'act'>

export const stepsOf = (kind: CeremonyKind): readonly PlannedStep[] => [...SCRIPTS[kind], SIGN_OFF]

const whoActs = (who: Step['who']): string => (who === 'everyone' ? 'Everyone' : ROLE_WORDS[who])
const minutesOf = (steps: readonly PlannedStep[]): number => steps.reduce((sum, step) => sum + step.minutes, 0)

const STYLE = `
.boxes{display:grid;grid-template-columns:2fr 2fr 3fr;gap:12px;margin-top:10px;font:var(--small) var(--serif);color:var(--ink-2)}
.boxes span{border:var(--hair) solid var(--edge);padding:2px 8px 26px}
.step .no{display:block;margin-top:6px;font-weight:600;color:var(--danger)}
`

/** A page that prints on A4 and Letter in black. `practice` is what the plan itself says; only a genesis says it. */
export function renderScript({ plan, text, digest }: ReadPlan): string {
  const steps = stepsOf(plan.kind)
  const practice = plan.kind === 'genesis' && plan.practice
  const title = `Script: ${KIND_WORDS[plan.kind].title}`
  const body = html`
<h1>${title}</h1>
<p class="lead">${capital(counted(steps.length, 'step'))}, about ${minutesOf(steps)} minutes. Read each step aloud before it is done. Anybody may note a deviation at any step.</p>
<h2>The plan</h2>
${planInWords(text)}
${fingerprint('Digest of the plan', 'compare it with the one reviewed beforehand', digest)}
<h2>The steps</h2>
<ol class="steps">
${steps.map(stepBlock)}</ol>
<h2>Deviations <span class="aside">expected, what happened, what was done about it, who noted it and when</span></h2>
<div class="boxes"><span>Expected</span><span>Happened</span><span>Action, by whom, time (UTC)</span></div>
<div class="boxes"><span>Expected</span><span>Happened</span><span>Action, by whom, time (UTC)</span></div>
`
  return renderPage({ title, number: `Plan ${hexGroups(digest).slice(0, 2).join(' ')}`, practice, body, style: STYLE })
}

function stepBlock(step: PlannedStep, index: number): Html {
  const rows: [string, Html][] = [
    ['Read aloud', html`<span class="aloud">${step.readAloud}</span>`],
    ['Do', html`${step.do}`],
    ['Observe', html`${step.observe}`],
  ]
  const marks = html`${step.quorum ? html`<small>custodians approve</small>` : null}${step.noWayBack ? html`<span class="no">◆ No way back after this step</span>` : null}`
  return html`<li class="step"><div class="when"><b>${index + 1}</b> ${whoActs(step.who)}<small>about ${step.minutes} min</small>${marks}</div><div><h3>${step.title}</h3>
<dl>${rows.map(([name, what]) => html`<dt>${name}</dt><dd>${what}</dd>`)}</dl>
<div class="boxes"><span>Initials</span><span>Time (UTC)</span><span>Observed</span></div></div></li>
`
}

/** The same as plain text, 78 columns wide. */
export function scriptLines({ plan, text, digest }: ReadPlan): string {
  const steps = stepsOf(plan.kind)
  const groups = hexGroups(digest)
  const numbered = words(digest).map((word, index) => `${String(index + 1).padStart(2)} ${word}`.padEnd(13))
  const rows = (all: readonly string[], width: number, gap: string) =>
    Array.from({ length: Math.ceil(all.length / width) }, (_, row) =>
      `  ${all.slice(row * width, row * width + width).join(gap)}`.trimEnd(),
    )
  return [
    `Script: ${KIND_WORDS[plan.kind].title}. ${steps.length} steps, about ${minutesOf(steps)} minutes.`,
    '',
    'The plan',
    ...planInLines(text).flatMap((line) => broken(line, `  ${/^ */.exec(line)?.[0] ?? ''}`)),
    '',
    'Its digest (SHA-256); compare it with the one reviewed beforehand',
    ...rows(groups, 8, ' '),
    ...rows(numbered, 6, ''),
    '',
    ...steps.flatMap(stepLines),
    'Deviations (expected / happened / action, by whom, time):',
    '',
    '  '.padEnd(78, '_'),
    '',
    '  '.padEnd(78, '_'),
    '',
  ].join('\n')
}

function stepLines(step: PlannedStep, index: number): string[] {
  const part = (name: string, text: string) => broken(`${name.padEnd(11)} ${text}`, '   ', 12)
  const who = `${whoActs(step.who)}; about ${step.minutes} min${step.quorum ? '; custodians approve' : ''}`
  return [
    `${index + 1}. ${step.title}`,
    ...(step.noWayBack ? ['   ◆ NO WAY BACK AFTER THIS STEP'] : []),
    ...part('Who', who),
    ...part('Read aloud', step.readAloud),
    ...part('Do', step.do),
    ...part('Observe', step.observe),
    '   Initials ____________   Time (UTC) ____________   Observed _______________',
    '',
  ]
}

/** One line broken at 78 columns, indented; what follows the first line stands `hang` further in. */
function broken(line: string, indent: string, hang = 2): string[] {
  const lines: string[] = []
  let current = ''
  for (const word of line.trim().split(/(?<=\s)(?=\S)/)) {
    const margin = lines.length === 0 ? indent : indent + ' '.repeat(hang)
    if (current !== '' && margin.length + current.length + word.trimEnd().length > 78) {
      lines.push(`${margin}${current.trimEnd()}`)
      current = ''
    }
    current += word
  }
  return [...lines, `${lines.length === 0 ? indent : indent + ' '.repeat(hang)}${current.trimEnd()}`]
}
