import { dirname, join } from 'node:path'
import { approvalSchema, checkApprovals } from '../../shared/formats/approval.ts'
import { digest, utf8 } from '../../shared/formats/bytes.ts'
import { shortHex } from '../../shared/formats/fingerprint.ts'
import { KB, MB } from '../../shared/formats/json.ts'
import { peekStatement } from '../../shared/formats/jws.ts'
import { parseRecord, type RecordBody, recordDigest } from '../../shared/formats/record.ts'
import { openRoster, type Roster } from '../../shared/formats/roster.ts'
import { checkSignOffs } from '../../shared/formats/sign-off.ts'
import { type Anchor, openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import { renderRecord } from '../../shared/pages/record-page.ts'
import { scriptText } from '../../shared/pages/script-text.ts'
import { capital, counted, spellTime } from '../../shared/pages/words.ts'
import { readFileGuarded } from '../files/read.ts'
import { anchorOf, type Context, type Findings, sameVault } from './findings.ts'

/** A ceremony's record: from the trust anchor to the roster, from the roster to everybody's word. */
export async function checkRecord(path: string, context: Context, findings: Findings): Promise<void> {
  const file = parseRecord(readFileGuarded(path, 16 * MB))
  const { record, signatures } = file
  const beside = (name: string, kind: string, bytes: Uint8Array) =>
    context.drawn.set(join(dirname(path), name), { kind, bytes, from: 'the record', source: findings })
  beside('plan.json', 'plan', utf8(record.plan))
  beside('script.txt', 'script', utf8(scriptText(record)))
  await findings.attempt(() => beside('record.html', 'page', utf8(renderRecord(file))))
  const anchor = anchorOf(context, findings)
  if (!anchor || !sameVault(findings, anchor, record.vault)) return
  await findings.attempt(() => checkAnchorOf(record, anchor, findings))
  const rosters = await findings.attempt(() => openRosters(record.rosters, anchor))
  if (!rosters) return
  checkPeople(record, rosters, findings)
  await checkSignatures(record.participants, signatures, recordDigest(record), rosters, findings)
  checkPlan(record, findings)
  await checkActs(record, rosters, findings)
  checkSteps(record, findings)
  findings.anchored = true
  if (findings.problems.length === 0) context.records.set(record.ceremony, recordDigest(record))
}

async function checkAnchorOf(record: RecordBody, anchor: Anchor, findings: Findings): Promise<void> {
  const carried = await openTrustAnchor(record.anchor)
  findings.rule(carried.key.kid === anchor.key.kid, 'The record carries another trust anchor than the one given.')
  findings.rule(record.vault.name === anchor.name, 'The record names the vault differently than the trust anchor.')
}

/** Opens rosters in order of their epochs. Codes of `openRoster`. */
export async function openRosters(statements: readonly string[], anchor: Anchor): Promise<Roster[]> {
  const rosters = await Promise.all(statements.map((jws) => openRoster(jws, anchor.key, anchor.practice)))
  return rosters.filter((roster) => roster.vaultId === anchor.vaultId).sort((a, b) => a.epoch - b.epoch)
}

function checkPeople(
  { participants, steps, deviations }: RecordBody,
  rosters: readonly Roster[],
  findings: Findings,
): void {
  const known = rosters.flatMap((roster) => roster.people)
  for (const { id, name, role } of participants)
    findings.rule(
      known.some((person) => person.id === id && person.name === name && person.role === role),
      `${name} (${id}) does not stand in the roster with this name and role.`,
    )
  const ids = new Set([...participants.map((person) => person.id), 'keyrite'])
  findings.rule(ids.size === participants.length + 1, 'A participant stands twice.')
  for (const { by } of [...steps, ...deviations])
    findings.rule(ids.has(by), `${by} acts in this record but was not present.`)
}

/** Every participant's sign-off, each by the key of the newest roster that names the person. */
export async function checkSignatures(
  participants: readonly { id: string; name: string }[],
  signatures: Readonly<Record<string, string>>,
  of: string,
  rosters: readonly Roster[],
  findings: Findings,
): Promise<void> {
  let signed = 0
  for (const { id, name } of participants) {
    const jws = signatures[id]
    const roster = rosters.findLast((one) => one.people.some((person) => person.id === id)) ?? rosters.at(-1)
    if (jws === undefined || !roster) findings.problem(`${name} (${id}) has not signed.`)
    else if (await findings.attempt(() => checkSignOffs({ [id]: jws }, of, roster))) signed += 1
  }
  for (const id of Object.keys(signatures))
    findings.rule(
      participants.some((person) => person.id === id),
      `${id} signed but does not stand among the participants.`,
    )
  if (signed > 0) findings.fact(`Signed by ${signed} of ${participants.length} people, digest ${shortHex(of)} …`)
}

function checkPlan({ plan, planDigest }: RecordBody, findings: Findings): void {
  findings.rule(digest(plan) === planDigest, 'The plan is not the one whose digest was approved.')
}

async function checkActs(record: RecordBody, rosters: readonly Roster[], findings: Findings): Promise<void> {
  const present = new Set(record.participants.map((person) => person.id))
  for (const { step, objects, approvals } of record.approvals) {
    const title = record.script.find((one) => one.id === step)?.title
    findings.rule(title !== undefined, `An approval names the step ${step}, which the script does not have.`)
    const custodians = await findings.attempt(async () => {
      const epoch =
        approvals[0] === undefined ? 0 : peekStatement(approvals[0], approvalSchema, 'approval', 8 * KB).epoch
      const roster = rosters.find((one) => one.epoch === epoch) ?? rosters[0]
      const { ceremony, planDigest, vault } = record
      return roster
        ? checkApprovals(approvals, { vaultId: vault.id, epoch, ceremony, planDigest, step, objects }, roster)
        : []
    })
    if (!custodians) continue
    for (const id of custodians) findings.rule(present.has(id), `${id} approved but was not present.`)
    findings.fact(`“${title ?? step}” approved by ${counted(custodians.length, 'custodian')}.`)
  }
}

/** Steps follow the script without a gap; only the closing ones, which come after the record, may be missing. */
function checkSteps({ steps, script, startedAt, events }: RecordBody, findings: Findings): void {
  steps.forEach(({ step, at }, index) => {
    const planned = script[index]?.id
    findings.rule(planned === step, `Step ${index + 1} is ${step}, but the script has ${planned ?? 'no further step'}.`)
    const before = index === 0 ? startedAt : (steps[index - 1]?.at ?? startedAt)
    findings.rule(at >= before, `Step ${index + 1} stands earlier than the one before it.`)
  })
  findings.rule(script.length - steps.length <= 1, 'The record ends before the script does.')
  findings.rule(events.from <= events.to, 'The numbers of the events are not in order.')
  const last = steps.at(-1)
  if (last)
    findings.fact(
      `${capital(counted(steps.length, 'step'))} in the order of the script, from ${spellTime(startedAt)} to ${spellTime(last.at)}.`,
    )
}
