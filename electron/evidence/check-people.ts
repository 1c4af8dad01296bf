import { shortHex } from '../../shared/formats/fingerprint.ts'
import type { RecordBody } from '../../shared/formats/record.ts'
import type { Roster } from '../../shared/formats/roster.ts'
import { checkSignOffs, type SignOff } from '../../shared/formats/sign-off.ts'
import { counted } from '../../shared/pages/words.ts'
import type { Findings } from './findings.ts'

/** Who took part in a ceremony, who was there when, and what each of them signed. */

export function checkPeople(
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

/** Who was there from when on: exactly the participants, and whoever left before the end cannot have signed. */
export function checkAttendance({ participants, attendance, startedAt }: RecordBody, findings: Findings): void {
  const there = new Set(attendance.flatMap(({ present }) => present))
  for (const { id, name } of participants)
    findings.rule(there.has(id), `${name} (${id}) took part but was never there.`)
  for (const id of there)
    findings.rule(
      participants.some((person) => person.id === id),
      `${id} was there but does not stand among the participants.`,
    )
  findings.rule(attendance[0]?.at === startedAt, 'Who was there at the beginning is not said.')
  findings.rule(
    attendance.every(({ at }, index) => index === 0 || at >= (attendance[index - 1]?.at ?? at)),
    'The changes of who was there are not in order.',
  )
  const last = attendance.at(-1)?.present ?? []
  for (const { id, name } of participants)
    if (!last.includes(id)) findings.remark(`${name} took part, was not there at the end and has not signed.`)
}

/**
 * The sign-off of everybody who must sign, each by the key of the newest roster that names the person. Gives what each
 * said whose signature holds; who does not agree is always told.
 */
export async function checkSignatures(
  participants: readonly { id: string; name: string }[],
  signatures: Readonly<Record<string, string>>,
  of: string,
  rosters: readonly Roster[],
  findings: Findings,
): Promise<ReadonlyMap<string, SignOff>> {
  const signed = new Map<string, SignOff>()
  for (const { id, name } of participants) {
    const jws = Object.hasOwn(signatures, id) ? signatures[id] : undefined
    const roster = rosters.findLast((one) => one.people.some((person) => person.id === id)) ?? rosters.at(-1)
    if (jws === undefined || !roster) findings.problem(`${name} (${id}) has not signed.`)
    else {
      const said = await findings.attempt(async () => (await checkSignOffs({ [id]: jws }, of, roster))[id])
      if (said) signed.set(id, said)
      if (said && !said.agrees) findings.remark(`${name} does not agree: ${said.reason}`)
    }
  }
  for (const id of Object.keys(signatures))
    findings.rule(
      participants.some((person) => person.id === id),
      `${id} signed but does not stand among those who were there.`,
    )
  if (signed.size > 0)
    findings.fact(
      `Signed by ${signed.size} of ${participants.length} people${objecting(signed)}, digest ${shortHex(of)} …`,
    )
  return signed
}

function objecting(signed: ReadonlyMap<string, SignOff>): string {
  const count = [...signed.values()].filter((said) => !said.agrees).length
  return count === 0 ? '' : `, ${counted(count, 'of whom does not agree', 'of whom do not agree')}`
}
