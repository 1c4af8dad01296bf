import type { CeremonyKind } from '../domain/events.ts'
import type { Role } from '../domain/roster.ts'
import { SIGN_OFF } from '../domain/script.ts'
import { shortHex } from '../formats/fingerprint.ts'
import { KB } from '../formats/json.ts'
import { readStatementHeader } from '../formats/jws.ts'
import { type CeremonyRecord, type RecordBody, recordDigest } from '../formats/record.ts'
import type { Roster } from '../formats/roster.ts'
import { type Html, html, type Part, renderPage, said } from './page.ts'
import {
  FOOT,
  factTable,
  fingerprint,
  hexPair,
  MEANING,
  peekRoster,
  ROLE_WORDS,
  signatureBlocks,
  timeCell,
} from './parts.ts'
import { planInWords } from './plan-words.ts'
import { drawSteps } from './steps-svg.ts'
import { capital, counted, listed, numberWord, spellTime } from './words.ts'

export const KIND_WORDS: Record<CeremonyKind, { title: string; did: string }> = {
  genesis: { title: 'Genesis', did: 'creates the vault: its people, its quorum and its root key' },
  onboard: { title: 'Onboarding', did: 'gives tenants their issuers, their first keys and their schedules' },
  'enroll-runtime': { title: 'Enrollment of a runtime', did: 'makes a runtime known to the vault' },
  handoff: { title: 'Handoff', did: 'exports a bundle and key material for a runtime' },
  rotate: { title: 'Rotation', did: 'makes the next keys of its tenants' },
  emergency: { title: 'Emergency', did: 'names keys compromised and replaces them' },
  intake: { title: 'Intake', did: 'takes the receipts of a runtime' },
  destroy: { title: 'Destruction', did: 'destroys the vault’s copies of private keys' },
}

/** The page of a record: drawn from record.json alone, so that the same record gives the same bytes everywhere. */
export function renderRecord({ record, signatures, closing }: CeremonyRecord): string {
  const rosters = record.rosters.map(peekRoster)
  const { title } = KIND_WORDS[record.kind]
  const body = html`
<h1>${title}, ${said(record.vault.name)}</h1>
${lead(record)}
${summary(record)}
${present(record)}
${plan(record)}
${steps(record)}
${approvals(record, closing, rosters)}
${deviations(record)}
${signatureBlocks(record.participants, signatures, rosters)}
${MEANING}
${fingerprint('Record digest', 'what everybody signed', recordDigest(record))}
${FOOT}`
  return renderPage({
    title: `${title}, ${record.ceremony}`,
    number: record.ceremony,
    practice: record.vault.practice,
    body,
  })
}

const lastAt = (record: RecordBody): number => record.steps.at(-1)?.at ?? record.startedAt

function lead(record: RecordBody): Html {
  const { participants, deviations, steps } = record
  const noted = deviations.length === 0 ? 'without deviation' : `with ${counted(deviations.length, 'deviation')}`
  return html`<p class="lead">This ceremony ${KIND_WORDS[record.kind].did}. ${capital(counted(participants.length, 'person', 'people'))} ${
    participants.length === 1 ? 'was' : 'were'
  } present. ${capital(counted(steps.length, 'step'))} ${steps.length === 1 ? 'is' : 'are'} recorded, ${noted}.</p>`
}

const summary = (record: RecordBody): Html =>
  factTable([
    ['Ceremony', html`<span class="mono">${record.ceremony}</span>`],
    ['Vault', html`${said(record.vault.name)} <span class="mono aside">${record.vault.id}</span>`],
    ['Started', spellTime(record.startedAt)],
    ['Last step', spellTime(lastAt(record))],
    ['Events', `${record.events.from} to ${record.events.to} of the vault’s log`],
    ['Log at its end', hexPair(record.events.head)],
  ])

const present = ({ participants }: RecordBody): Html => html`<h2>Who was there</h2>
<table><thead><tr><th scope="col">Person</th><th scope="col">Role</th><th scope="col">Id</th></tr></thead><tbody>
${participants.map(({ id, name, role }) => html`<tr><td>${name}</td><td>${ROLE_WORDS[role]}</td><td class="mono">${id}</td></tr>\n`)}</tbody></table>
`

const plan = ({ plan: text, planDigest }: RecordBody): Html => html`<h2>What was planned</h2>
${planInWords(text)}
<p class="aside">Digest of the plan file, which every approval names:<br>${hexPair(planDigest)}</p>
`

function steps(record: RecordBody): Html {
  const approved = new Set(record.approvals.map((one) => one.step))
  const drawn = record.steps.map(({ step, at }) => ({ at, approved: approved.has(step) }))
  const row = ({ step, at, by, observed }: RecordBody['steps'][number], index: number) => {
    const planned = record.script.find((one) => one.id === step)
    return html`<tr><td class="n">${index + 1}</td><td class="t">${timeCell(at)}</td><td>${planned?.title ?? step}<small>${whoActs(
      planned?.who,
    )}</small></td><td>${observed}<small>${by === 'keyrite' ? 'noted by Keyrite' : html`noted by ${nameOf(record, by)}`}</small></td></tr>\n`
  }
  return html`<h2>What happened</h2>
${drawSteps(drawn, record.startedAt, lastAt(record))}
<div class="scroll"><table><thead><tr><th class="n" scope="col"></th><th scope="col">When</th><th scope="col">Step</th><th scope="col">Observed</th></tr></thead><tbody>
${record.steps.map(row)}</tbody></table></div>
${remaining(record)}`
}

const whoActs = (who: string | undefined): string | null =>
  who === undefined ? null : Object.hasOwn(ROLE_WORDS, who) ? ROLE_WORDS[who as Role] : capital(who)

/** The steps that close a ceremony come after its record is written; they are named, not passed over. */
function remaining({ script, steps: done }: RecordBody): Part {
  const recorded = new Set(done.map((one) => one.step))
  const rest = script.filter((one) => !recorded.has(one.id)).map((one) => one.title)
  if (rest.length === 0) return null
  return html`<p class="aside">After this record comes: ${listed(rest)}.</p>`
}

const nameOf = (record: RecordBody, id: string): Html =>
  said(record.participants.find((one) => one.id === id)?.name ?? id)

/** The quorum acts in their order; the last one closes the ceremony and covers this record. */
function approvals(record: RecordBody, closing: CeremonyRecord['closing'], rosters: readonly Roster[]): Html {
  const threshold = rosters[0]?.threshold ?? 0
  const row = ({ step, objects, approvals: given }: RecordBody['approvals'][number]) => {
    const who = given.map(
      (jws, index) => html`${index > 0 ? ', ' : null}${nameOf(record, readStatementHeader(jws, 8 * KB).kid)}`,
    )
    const act = record.script.find((one) => one.id === step)?.title ?? step
    return html`<tr><td>${act}</td><td>${who}</td><td class="mono t">${shortHex(objects)}</td></tr>\n`
  }
  return html`<h2>Approvals <span class="aside">${numberWord(threshold)} custodians for each act; each one signs this plan, this step and these objects</span></h2>
<div class="scroll"><table><thead><tr><th scope="col">Act</th><th scope="col">Approved by</th><th scope="col">Objects</th></tr></thead><tbody>
${[...record.approvals, { step: SIGN_OFF.id, ...closing }].map(row)}</tbody></table></div>
`
}

function deviations(record: RecordBody): Html {
  const row = ({ at, by, expected, happened, action }: RecordBody['deviations'][number]) =>
    html`<tr><td class="t">${timeCell(at)}<small>${by === 'keyrite' ? 'Keyrite' : nameOf(record, by)}</small></td><td>${expected}</td><td>${happened}</td><td>${action}</td></tr>\n`
  if (record.deviations.length === 0) return html`<h2>Deviations</h2><p>None. Every step happened as planned.</p>`
  return html`<h2>Deviations</h2>
<div class="scroll"><table><thead><tr><th scope="col">When, by whom</th><th scope="col">Expected</th><th scope="col">Happened</th><th scope="col">Action taken</th></tr></thead><tbody>
${record.deviations.map(row)}</tbody></table></div>
`
}
