import { spellDuration } from '../../shared/domain/policy.ts'
import { SIGN_OFF } from '../../shared/domain/script.ts'
import { hexGroups, shortHex, words } from '../../shared/formats/fingerprint.ts'
import { KB } from '../../shared/formats/json.ts'
import { readStatementHeader } from '../../shared/formats/jws.ts'
import { type CeremonyRecord, type RecordBody, recordDigest, rosterIndexAt } from '../../shared/formats/record.ts'
import { PAGE_VERSION } from '../../shared/pages/page.ts'
import { peekRoster, peekSignOff, ROLE_WORDS } from '../../shared/pages/parts.ts'
import { confirmed, KIND_WORDS, shown, wasThere } from '../../shared/pages/record-page.ts'
import { letter } from '../../shared/pages/steps-svg.ts'
import { spellTime } from '../../shared/pages/words.ts'
import { Pdf } from './pdf.ts'

/**
 * record.pdf: what record.html says, plainly, for those who file PDF. It follows from record.json alone, byte for byte, so
 * that `keyrite verify` compares it like every page. Drawings are left to the page.
 */
export async function recordPdf({ record, signatures, closing }: CeremonyRecord): Promise<Uint8Array> {
  const { title } = KIND_WORDS[record.kind]
  const pdf = new Pdf({
    title: `${title}, ${record.ceremony}`,
    number: record.ceremony,
    producer: `Keyrite pages ${PAGE_VERSION}`,
    at: record.steps.at(-1)?.at ?? record.startedAt,
    practice: record.vault.practice,
  })
  pdf.title(`${title}, ${record.vault.name}`)
  if (record.vault.practice)
    pdf.box(
      'PRACTICE',
      'Made in a vault for rehearsal. Nothing in this file protects or proves anything in production.',
    )
  pdf.text(`This ceremony ${KIND_WORDS[record.kind].did}.`)
  objections(pdf, record, signatures)
  summary(pdf, record)
  people(pdf, record, signatures)
  pdf.heading('What was planned')
  plan(pdf, record)
  pdf.small('Digest of the plan file, which every approval names:')
  hex(pdf, record.planDigest)
  steps(pdf, record)
  deviations(pdf, record)
  approvals(pdf, record, closing)
  digest(pdf, record)
  return pdf.end()
}

type Signatures = CeremonyRecord['signatures']

/** A fleet's plan would fill hundreds of sheets. */
const PLAN_MOST = 16 * KB

function plan(pdf: Pdf, { plan: text }: RecordBody): void {
  if (text.length > PLAN_MOST)
    return pdf.text('The plan is too long for this file. It stands in plan.json and in record.html.')
  for (const line of text.split('\n')) pdf.code(line)
  pdf.text('')
}

const nameOf = (record: RecordBody, id: string): string =>
  record.participants.find((one) => one.id === id)?.name ?? (id === 'keyrite' ? 'Keyrite' : id)

function objections(pdf: Pdf, { participants }: RecordBody, signatures: Signatures): void {
  for (const { id, name } of participants) {
    const said = signatures[id] === undefined ? null : peekSignOff(signatures[id])
    if (said && !said.agrees) pdf.box(`${name} does not agree with this record.`, said.reason)
  }
}

function summary(pdf: Pdf, record: RecordBody): void {
  const { ceremony, vault, startedAt, certificates, events } = record
  pdf.facts([
    ['Ceremony', ceremony],
    ['Vault', `${vault.name} (${vault.id})`],
    ['Started', spellTime(startedAt)],
    ['Last step', spellTime(record.steps.at(-1)?.at ?? startedAt)],
    ['Time', confirmed(record)],
    ['Head card', shown(record)],
    ...(certificates.length > 0
      ? [['Certificates', certificates.map((one) => one.certificate).join(', ')] as const]
      : []),
    ['Events', `${events.from} to ${events.to} of the vault’s log`],
    ['Log at its end', hexGroups(events.head).join(' ')],
  ])
}

function people(pdf: Pdf, record: RecordBody, signatures: Signatures): void {
  pdf.heading('Who was there')
  pdf.facts(
    record.participants.map(({ id, name, role }): [string, string] => [
      name,
      `${ROLE_WORDS[role]} (${id}), ${wasThere(record, id)}; ${signed(signatures[id])}`,
    ]),
  )
}

function signed(jws: string | undefined): string {
  if (jws === undefined) return 'has not signed'
  const { agrees, at } = peekSignOff(jws)
  return `${agrees ? 'agrees' : 'does not agree'}, signed ${spellTime(at)}`
}

function steps(pdf: Pdf, record: RecordBody): void {
  pdf.heading('What happened')
  record.steps.forEach(({ step, at, by, observed }, index) => {
    const planned = record.script.find((one) => one.id === step)
    const from = record.steps[index - 1]?.at ?? record.startedAt
    pdf.block(`${index + 1}. ${planned?.title ?? step}`, [
      ['When', `${spellTime(at)}, after ${spellDuration(at - from)}`],
      ...(planned
        ? [
            ['Read aloud', planned.readAloud] as const,
            ['Do', planned.do] as const,
            ['To observe', planned.observe] as const,
          ]
        : []),
      ['Observed', observed],
      ['Noted by', nameOf(record, by)],
    ])
  })
}

function deviations(pdf: Pdf, record: RecordBody): void {
  pdf.heading('Deviations')
  if (record.deviations.length === 0) return pdf.text('None. Every step happened as planned.')
  record.deviations
    .toSorted((a, b) => a.at - b.at)
    .forEach(({ at, by, expected, happened, action }, index) => {
      pdf.block(`${letter(index)}. ${spellTime(at)}, ${nameOf(record, by)}`, [
        ['Expected', expected],
        ['Happened', happened],
        ['Action taken', action],
      ])
    })
}

function approvals(pdf: Pdf, record: RecordBody, closing: CeremonyRecord['closing']): void {
  pdf.heading('Approvals')
  const rosters = record.rosters.map(peekRoster)
  const given = [...record.approvals, { step: SIGN_OFF.id, ...closing }]
  pdf.facts(
    given.map(({ step, objects, approvals: jws }): [string, string] => {
      const needed = rosters[rosterIndexAt(record.kind, step)]?.threshold ?? 0
      const who = jws.map((one) => nameOf(record, readStatementHeader(one, 8 * KB).kid))
      return [
        record.script.find((one) => one.id === step)?.title ?? step,
        `${who.length > 0 ? who.join(', ') : 'nobody'} (${needed} needed), objects ${shortHex(objects)}`,
      ]
    }),
  )
}

function digest(pdf: Pdf, record: RecordBody): void {
  const of = recordDigest(record)
  pdf.heading('Record digest: what everybody signed')
  hex(pdf, of)
  pdf.text(
    words(of)
      .map((word, index) => `${index + 1} ${word}`)
      .join(', '),
  )
  pdf.small(
    'The signed file record.json is the authority; this file is drawn from it. Check it with "keyrite verify" and the trust anchor. A letter that the fonts of PDF do not have stands here by its number, such as [U+0141]; record.html shows it.',
  )
}

function hex(pdf: Pdf, of: string): void {
  pdf.mono(hexGroups(of).slice(0, 8).join(' '))
  pdf.mono(hexGroups(of).slice(8).join(' '))
}
