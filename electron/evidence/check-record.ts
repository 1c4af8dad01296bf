import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isAlone, SCRIPTS, SIGN_OFF } from '../../shared/domain/script.ts'
import { must } from '../../shared/errors.ts'
import { checkApprovals } from '../../shared/formats/approval.ts'
import { digest, utf8 } from '../../shared/formats/bytes.ts'
import { canonicalText, MB } from '../../shared/formats/json.ts'
import { parsePlan } from '../../shared/formats/plan.ts'
import {
  type CeremonyRecord,
  closingObjects,
  parseRecord,
  type RecordBody,
  recordDigest,
  rosterIndexAt,
  scriptOf,
  signersOf,
} from '../../shared/formats/record.ts'
import { openRoster, type Roster } from '../../shared/formats/roster.ts'
import { type Anchor, openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import { renderRecord } from '../../shared/pages/record-page.ts'
import { scriptText } from '../../shared/pages/script-text.ts'
import { capital, counted, spellTime } from '../../shared/pages/words.ts'
import { readFileGuarded } from '../files/read.ts'
import { replayRecord } from './check-log.ts'
import { checkAttendance, checkPeople, checkSignatures } from './check-people.ts'
import { drawPdf } from './draw-pdf.ts'
import { anchorOf, type Context, type Findings, sameVault } from './findings.ts'

/**
 * A ceremony's record: from the trust anchor to the roster, from the roster to everybody's word and to the M custodians
 * who closed the ceremony with exactly this record. Without those it would be the word of whoever wrote it.
 */
export async function checkRecord(path: string, context: Context, findings: Findings): Promise<void> {
  const file = parseRecord(readFileGuarded(path, 16 * MB))
  const { record, signatures } = file
  const beside = (name: string, kind: string, bytes: Uint8Array) =>
    context.drawn.set(join(dirname(path), name), { kind, bytes, from: 'the record', source: findings })
  beside('plan.json', 'plan', utf8(record.plan))
  beside('script.txt', 'script', utf8(scriptText(record)))
  await findings.attempt(() => beside('record.html', 'page', utf8(renderRecord(file))))
  if (existsSync(join(dirname(path), 'record.pdf')))
    await findings.attempt(async () => beside('record.pdf', 'page', await drawPdf(file)))
  const anchor = anchorOf(context, findings)
  if (!anchor || !sameVault(findings, anchor, record.vault)) return
  await findings.attempt(() => checkAnchorOf(record, anchor, findings))
  const rosters = await findings.attempt(() => openRosters(record.rosters, anchor))
  if (!rosters) return
  checkRosters(record, rosters, findings)
  checkPeople(record, rosters, findings)
  checkAttendance(record, findings)
  const there = signersOf(record)
  const signers = record.participants.filter((person) => there.includes(person.id))
  await checkSignatures(signers, signatures, recordDigest(record), rosters, findings)
  checkPlan(record, findings)
  await checkActs(file, rosters, findings)
  checkSteps(record, findings)
  await replayRecord(path, file, anchor, context, findings)
  // What one person did alone, nobody else vouches for: the record agrees with itself, and no more.
  findings.anchored = !isAlone(record.kind)
  if (findings.problems.length > 0) return
  context.records.set(record.ceremony, recordDigest(record))
  for (const { certificate, statement } of record.certificates) context.certificates.set(certificate, statement)
}

async function checkAnchorOf(record: RecordBody, anchor: Anchor, findings: Findings): Promise<void> {
  const carried = await openTrustAnchor(record.anchor)
  findings.rule(
    carried.key.kid === anchor.key.kid,
    'The record carries another trust anchor than the one given: it comes from another vault, or from before or after a change of the root.',
  )
  findings.rule(record.vault.name === anchor.name, 'The record names the vault differently than the trust anchor.')
}

/** Opens rosters in order of their epochs. Codes of `openRoster`. */
export async function openRosters(statements: readonly string[], anchor: Anchor): Promise<Roster[]> {
  const rosters = await Promise.all(statements.map((jws) => openRoster(jws, anchor.key, anchor.practice)))
  return rosters.filter((roster) => roster.vaultId === anchor.vaultId).sort((a, b) => a.epoch - b.epoch)
}

function checkPlan({ plan, planDigest }: RecordBody, findings: Findings): void {
  findings.rule(digest(plan) === planDigest, 'The plan is not the one whose digest was approved.')
}

/** The rosters in force, one more than the script has steps that bring a new one, oldest first and none left out. */
function checkRosters({ kind, rosters: stated }: RecordBody, rosters: readonly Roster[], findings: Findings): void {
  findings.rule(rosters.length === stated.length, 'A roster of this record is of another vault.')
  const epochs = 1 + SCRIPTS[kind].filter((step) => step.newRoster).length
  const whole =
    rosters.length === epochs && rosters.every((one, index) => one.epoch === (rosters[0]?.epoch ?? 0) + index)
  findings.rule(whole, `This ceremony has ${counted(epochs, 'roster')} in force, one epoch after the other.`)
}

/** The roster whose custodians approve a step: an epoch drawn in the ceremony counts only after its own step. */
function rosterAt(kind: RecordBody['kind'], step: string, rosters: readonly Roster[]): Roster {
  const roster = rosters[rosterIndexAt(kind, step)]
  must(roster, 'signature-invalid', 'The roster that was in force is not in this record.')
  return roster
}

/** Every step that needs a quorum has one, and so has the closing, which covers the whole body. */
async function checkActs(
  { record, closing }: CeremonyRecord,
  rosters: readonly Roster[],
  findings: Findings,
): Promise<void> {
  const { kind } = record
  const allowed = SCRIPTS[kind].filter((step) => step.quorum)
  for (const { id, title } of allowed.filter((step) => step.quorum === true))
    findings.rule(
      record.approvals.some((one) => one.step === id),
      `“${title}” was not approved by a quorum.`,
    )
  for (const given of record.approvals) {
    const step = allowed.find((one) => one.id === given.step)
    if (!step) findings.problem(`An approval names the step ${given.step}, which needs none in this script.`)
    else await checkAct(record, { ...given, title: step.title }, rosters, findings)
  }
  const objects = digest(canonicalText(closingObjects(recordDigest(record))))
  findings.rule(closing.objects === objects, 'The custodians closed the ceremony with another record.')
  if (isAlone(kind)) return checkAlone(record, closing.approvals, findings)
  await checkAct(
    record,
    { step: SIGN_OFF.id, title: SIGN_OFF.title, objects, approvals: closing.approvals },
    rosters,
    findings,
  )
}

/** What one person does alone binds nobody else: they alone were there, and no quorum approved it. */
function checkAlone({ participants, plan }: RecordBody, approvals: readonly string[], findings: Findings): void {
  findings.rule(participants.length === 1, 'This ceremony is held by one person alone.')
  const planned = findings.problems.length === 0 ? parsePlan(plan).plan : null
  if (planned?.kind === 'passphrase')
    findings.rule(planned.person === participants[0]?.id, `The plan is for ${planned.person}, who was not there.`)
  findings.rule(approvals.length === 0, 'Nobody approves what one person does alone.')
  findings.remark('One person held this ceremony alone: no quorum approved it, and the root has not signed it here.')
}

type Given = RecordBody['approvals'][number] & { title: string }

async function checkAct(
  { ceremony, kind, planDigest, participants, vault }: RecordBody,
  { step, title, objects, approvals }: Given,
  rosters: readonly Roster[],
  findings: Findings,
): Promise<void> {
  const custodians = await findings.attempt(() => {
    const roster = rosterAt(kind, step, rosters)
    const expected = { vaultId: vault.id, epoch: roster.epoch, ceremony, planDigest, step, objects }
    return checkApprovals(approvals, expected, roster)
  }, `“${title}”`)
  if (!custodians) return
  const present = new Set(participants.map((person) => person.id))
  for (const id of custodians) findings.rule(present.has(id), `${id} approved but was not present.`)
  findings.fact(`“${title}” approved by ${counted(custodians.length, 'custodian')}.`)
}

/** The script is the one of this kind of ceremony, and every step of it was done in its order; the closing comes after. */
function checkSteps({ kind, steps, script, startedAt, events }: RecordBody, findings: Findings): void {
  findings.rule(
    canonicalText(script) === canonicalText(scriptOf(kind)),
    `The script in this record is not the one of this kind of ceremony (${kind}).`,
  )
  const planned = SCRIPTS[kind]
  steps.forEach(({ step, at }, index) => {
    const due = planned[index]?.id
    findings.rule(due === step, `Step ${index + 1} is ${step}, but the script has ${due ?? 'no further step'}.`)
    const before = index === 0 ? startedAt : (steps[index - 1]?.at ?? startedAt)
    findings.rule(at >= before, `Step ${index + 1} stands earlier than the one before it.`)
  })
  findings.rule(steps.length >= planned.length, 'The record ends before the script does.')
  findings.rule(events.from <= events.to, 'The numbers of the events are not in order.')
  const last = steps.at(-1)
  if (last)
    findings.fact(
      `${capital(counted(steps.length, 'step'))} in the order of the script, from ${spellTime(startedAt)} to ${spellTime(last.at)}.`,
    )
}
