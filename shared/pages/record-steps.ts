import { spellDuration } from '../domain/policy.ts'
import type { Role } from '../domain/roster.ts'
import { SIGN_OFF } from '../domain/script.ts'
import { shortHex } from '../formats/fingerprint.ts'
import { KB } from '../formats/json.ts'
import { readStatementHeader } from '../formats/jws.ts'
import { type CeremonyRecord, type RecordBody, rosterIndexAt } from '../formats/record.ts'
import type { Roster } from '../formats/roster.ts'
import { type Html, html, type Part, said } from './page.ts'
import { ROLE_WORDS, timeCell } from './parts.ts'
import { drawQuorum } from './quorum-svg.ts'
import { drawSteps, letter } from './steps-svg.ts'
import { capital, listed, numberWord, spellClock, spellDate } from './words.ts'

/** The part of a record's page that tells what happened: the drawing, every step, the approvals, the deviations. */

type Step = RecordBody['steps'][number]
/** Anything of the script, and the closing, that custodians approved. */
type Act = RecordBody['approvals'][number]

const nameOf = (record: RecordBody, id: string): Html =>
  said(record.participants.find((one) => one.id === id)?.name ?? id)

/** Deviations in the order of the clock, as their letters go. */
const deviated = (record: RecordBody): RecordBody['deviations'] => record.deviations.toSorted((a, b) => a.at - b.at)

/** @param endedAt when the last signature was given */
export function happened(record: RecordBody, endedAt: number): Html {
  const { startedAt, steps, script, approvals } = record
  const titleOf = (id: string) => script.find((one) => one.id === id)?.title ?? id
  const done = steps.map(({ step, at }, index) => ({
    title: titleOf(step),
    from: steps[index - 1]?.at ?? startedAt,
    to: at,
    approved: approvals.some((one) => one.step === step),
  }))
  const closing = { title: titleOf(SIGN_OFF.id), from: done.at(-1)?.to ?? startedAt, to: endedAt, approved: true }
  const deviations = deviated(record).map(({ at }) => at)
  return html`<h2>What happened</h2>
${drawSteps({ from: startedAt, to: endedAt, steps: [...done, closing], deviations })}
<ol class="steps">
${steps.map((step, index) => stepBlock(record, step, index))}</ol>
${remaining(record)}`
}

function stepBlock(record: RecordBody, { step, at, by, observed }: Step, index: number): Html {
  const planned = record.script.find((one) => one.id === step)
  const from = record.steps[index - 1]?.at ?? record.startedAt
  const approvals = record.approvals.filter((one) => one.step === step)
  const noted = by === 'keyrite' ? html`Keyrite` : nameOf(record, by)
  const rows: [string, Part][] = [
    ['Read aloud', planned ? html`<span class="aloud">${planned.readAloud}</span>` : null],
    ['Do', planned?.do ?? null],
    ['To observe', planned?.observe ?? null],
    ['Observed', html`<b>${observed}</b><small>noted by ${noted}</small>`],
    ...approvals.map((one): [string, Part] => ['Approved by', approvers(record, one)]),
  ]
  return html`<li class="step"><div class="when"><b>${index + 1}</b> ${spellClock(at)}<small>${spellDate(at)}</small><small>after ${spellDuration(at - from)}</small><small>${whoActs(planned?.who)}</small></div><div><h3>${planned?.title ?? step}</h3>
<dl>${rows.map(([name, what]) => (what === null ? null : html`<dt>${name}</dt><dd>${what}</dd>`))}</dl></div></li>
`
}

const whoActs = (who: string | undefined): string | null =>
  who === undefined ? null : Object.hasOwn(ROLE_WORDS, who) ? ROLE_WORDS[who as Role] : capital(who)

/** The step that closes a ceremony comes after its record is written; it is named, not passed over. */
function remaining({ script, steps: done }: RecordBody): Part {
  const recorded = new Set(done.map((one) => one.step))
  const rest = script.filter((one) => !recorded.has(one.id)).map((one) => one.title)
  if (rest.length === 0) return null
  return html`<p class="aside">After this record comes: ${listed(rest)}.</p>`
}

const approvers = (record: RecordBody, { approvals }: Pick<Act, 'approvals'>): Html =>
  html`${approvals.map(
    (jws, index) => html`${index > 0 ? ', ' : null}${nameOf(record, readStatementHeader(jws, 8 * KB).kid)}`,
  )}`

/** The quorum acts in their order; the last one closes the ceremony and covers this record. */
export function approvalTable(
  record: RecordBody,
  closing: CeremonyRecord['closing'],
  rosters: readonly Roster[],
): Html {
  const row = (given: Act) => {
    const act = record.script.find((one) => one.id === given.step)?.title ?? given.step
    const roster = rosters[rosterIndexAt(record.kind, given.step)] ?? rosters.at(-1)
    const all = roster?.people.filter((person) => person.role === 'custodian').length ?? 0
    const drawn = drawQuorum(given.approvals.length, roster?.threshold ?? 0, all)
    return html`<tr><td>${act}</td><td>${approvers(record, given)}</td><td>${drawn}</td><td class="mono t">${shortHex(given.objects)}</td></tr>\n`
  }
  const threshold = rosters[0]?.threshold ?? 0
  return html`<h2>Approvals <span class="aside">${numberWord(threshold)} custodians for each act; each one signs this plan, this step and these objects</span></h2>
<table><thead><tr><th scope="col">Act</th><th scope="col">Approved by</th><th scope="col">Needed</th><th scope="col">Objects</th></tr></thead><tbody>
${[...record.approvals, { step: SIGN_OFF.id, ...closing }].map(row)}</tbody></table>
<p class="aside">A filled square is a custodian who approved; the bar stands where enough is reached.</p>
`
}

export function deviationTable(record: RecordBody): Html {
  if (record.deviations.length === 0) return html`<h2>Deviations</h2><p>None. Every step happened as planned.</p>`
  const row = ({ at, by, expected, happened, action }: RecordBody['deviations'][number], index: number) =>
    html`<tr><td class="n"><b>${letter(index)}</b></td><td class="t">${timeCell(at)}<small>${by === 'keyrite' ? 'Keyrite' : nameOf(record, by)}</small></td><td>${expected}</td><td>${happened}</td><td>${action}</td></tr>\n`
  return html`<h2>Deviations</h2>
<table><thead><tr><th class="n" scope="col"></th><th scope="col">When, by whom</th><th scope="col">Expected</th><th scope="col">Happened</th><th scope="col">Action taken</th></tr></thead><tbody>
${deviated(record).map(row)}</tbody></table>
`
}
