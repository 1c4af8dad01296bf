import type { CeremonyKind } from '../domain/events.ts'
import { spellDuration } from '../domain/policy.ts'
import { type CeremonyRecord, type RecordBody, recordDigest } from '../formats/record.ts'
import { type Html, html, type Part, renderPage, said } from './page.ts'
import {
  FOOT,
  factTable,
  fingerprint,
  hexPair,
  MEANING,
  objections,
  peekRoster,
  peekSignOff,
  ROLE_WORDS,
  signatureBlocks,
} from './parts.ts'
import { planInWords } from './plan-words.ts'
import { approvalTable, deviationTable, happened } from './record-steps.ts'
import { capital, counted, spellClock, spellTime } from './words.ts'

export const KIND_WORDS: Record<CeremonyKind, { title: string; did: string }> = {
  genesis: { title: 'Genesis', did: 'creates the vault: its people, its quorum and its root key' },
  onboard: { title: 'Onboarding', did: 'gives tenants their issuers, their first keys and their schedules' },
  'enroll-runtime': { title: 'Enrollment of a runtime', did: 'makes a runtime known to the vault' },
  handoff: { title: 'Handoff', did: 'exports a bundle and key material for a runtime' },
  rotate: { title: 'Rotation', did: 'makes the next keys of its tenants' },
  emergency: { title: 'Emergency', did: 'names keys compromised and replaces them' },
  intake: { title: 'Intake', did: 'takes the receipts of a runtime' },
  backup: { title: 'Backup', did: 'copies the vault to a medium and opens the copy once' },
  restore: { title: 'Restore', did: 'makes a backup the vault, in place of one that was lost' },
  inventory: { title: 'Inventory', did: 'compares rows, ledger and receipts, and signs the result' },
  destroy: { title: 'Destruction', did: 'erases the vault’s copies of private keys' },
  'import-key': { title: 'Import of a key', did: 'takes in a key that was made elsewhere, for migration' },
  'export-key': { title: 'Export of a key', did: 'gives a private key to an existing issuer, encrypted to it' },
  amend: { title: 'Amendment', did: 'changes tenants and legal holds' },
  custody: { title: 'Custody', did: 'changes who opens the vault, under a new quorum secret' },
  passphrase: { title: 'Passphrase', did: 'changes the passphrase of one person' },
  envelope: { title: 'Emergency envelopes', did: 'seals for tenants the way out of an emergency' },
  'root-rotate': { title: 'Succession of the root', did: 'lets the sealed successor take over as root' },
}

type Signatures = CeremonyRecord['signatures']

/** The page of a record: drawn from record.json alone, so that the same record gives the same bytes everywhere. */
export function renderRecord({ record, signatures, closing }: CeremonyRecord): string {
  const rosters = record.rosters.map(peekRoster)
  const { title } = KIND_WORDS[record.kind]
  const endedAt = Math.max(lastAt(record), ...Object.values(signatures).map((jws) => peekSignOff(jws).at))
  const body = html`
<h1>${title}, ${said(record.vault.name)}</h1>
${lead(record)}
${objections(record.participants, signatures, 'this record')}
${summary(record, endedAt)}
${present(record, signatures)}
${plan(record)}
${happened(record, endedAt)}
${deviationTable(record)}
${approvalTable(record, closing, rosters)}
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
  return html`<p class="lead">This ceremony ${KIND_WORDS[record.kind].did}. ${capital(counted(participants.length, 'person', 'people'))} took part. ${capital(counted(steps.length, 'step'))} ${steps.length === 1 ? 'is' : 'are'} recorded, ${noted}.</p>`
}

const summary = (record: RecordBody, endedAt: number): Html =>
  factTable([
    ['Ceremony', html`<span class="mono">${record.ceremony}</span>`],
    ['Vault', html`${said(record.vault.name)} <span class="mono aside">${record.vault.id}</span>`],
    ['Started', spellTime(record.startedAt)],
    ['Last step', spellTime(lastAt(record))],
    ['Last signature', spellTime(endedAt)],
    ['Time', confirmed(record)],
    ['Head card', shown(record)],
    ...(record.certificates.length > 0
      ? [['Certificates', record.certificates.map((one) => one.certificate).join(', ')] as const]
      : []),
    ['Events', `${record.events.from} to ${record.events.to} of the vault’s log`],
    ['Log at its end', hexPair(record.events.head)],
  ])

/** What people's own watches said of the time. */
export function confirmed(record: RecordBody): string {
  const { clock } = record
  if (!clock) return 'Nobody confirmed the time; the clock of the machine was taken as it is.'
  const { offset, by } = clock
  const who = by.map((id) => record.participants.find((one) => one.id === id)?.name ?? id).join(' and ')
  const what =
    offset === 0
      ? 'the clock of the machine is right'
      : `the clock of the machine is ${spellDuration(Math.abs(offset))} ${offset > 0 ? 'behind' : 'ahead'}, and times here are corrected by that`
  return `${who} confirmed UTC from their own watches; ${what}.`
}

export const shown = ({ headCard }: RecordBody): string =>
  headCard ? `Event ${headCard.seq} was shown and agreed with the vault.` : 'None was shown.'

function present(record: RecordBody, signatures: Signatures): Html {
  const row = ({ id, name, role }: RecordBody['participants'][number]) =>
    html`<tr><td>${said(name)}</td><td>${ROLE_WORDS[role]}</td><td class="mono">${id}</td><td>${wasThere(record, id)}</td><td>${word(signatures[id])}</td></tr>
`
  return html`<h2>Who was there</h2>
<table><thead><tr><th scope="col">Person</th><th scope="col">Role</th><th scope="col">Id</th><th scope="col">There</th><th scope="col">Record</th></tr></thead><tbody>
${record.participants.map(row)}</tbody></table>
`
}

function word(jws: string | undefined): Part {
  if (jws === undefined) return html`<b>not signed</b>`
  return peekSignOff(jws).agrees ? 'agrees' : html`<b>does not agree</b>`
}

/** "from the start", "from 14:08:20 UTC", "until 14:08:20 UTC". */
export function wasThere({ attendance }: RecordBody, id: string): string {
  const said: string[] = []
  attendance.forEach(({ at, present: people }, index) => {
    const before = index > 0 && attendance[index - 1]?.present.includes(id) === true
    const now = people.includes(id)
    if (now && !before) said.push(index === 0 ? 'from the start' : `from ${spellClock(at)}`)
    if (!now && before) said.push(`until ${spellClock(at)}`)
  })
  return said.join(', ')
}

const plan = ({ plan: text, planDigest }: RecordBody): Html => html`<h2>What was planned</h2>
${planInWords(text)}
<p class="aside">Digest of the plan file, which every approval names:<br>${hexPair(planDigest)}</p>
`
