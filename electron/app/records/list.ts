import type { RecordRow, RecordView } from '../../../shared/contract/records.ts'
import { SCRIPTS } from '../../../shared/domain/script.ts'
import type { Ceremony, VaultState } from '../../../shared/domain/state.ts'
import { must } from '../../../shared/errors.ts'
import { hexGroups, words } from '../../../shared/formats/fingerprint.ts'
import { certificatesOf, type Participant, participantsOf } from '../../../shared/formats/record.ts'
import { peekSignOff } from '../../../shared/pages/parts.ts'
import { planInLines } from '../../../shared/pages/plan-words.ts'
import { stepsOf } from '../../../shared/pages/script-page.ts'
import { type AppContext, viewed } from '../context.ts'
import { aboutOf } from './about.ts'
import { filesIn, folderOf } from './folder.ts'

/** The ceremonies that were held: a list, and one of them moment by moment. It all follows from the vault's history. */

/** Newest first. */
export const recordRows = (app: AppContext): RecordRow[] =>
  [...viewed(app).vault.state.ceremonies.values()].map((ceremony) => rowOf(app, ceremony)).reverse()

function rowOf(app: AppContext, ceremony: Ceremony): RecordRow {
  const { state } = viewed(app).vault
  const { id, kind, startedAt, ended, deviations, plan } = ceremony
  return {
    ceremony: id,
    kind,
    startedAt,
    endedAt: ended?.at ?? null,
    how: ended?.how ?? 'open',
    about: aboutOf(plan, state),
    people: participantsOf(ceremony).map(({ name }) => name),
    deviations: deviations.length,
    certificates: certificatesOf(state, id).map((one) => one.id),
    folder: folderOf(app, id),
  }
}

/** One ceremony of the open vault. Code `ceremony-unknown`. */
export function recordOf(app: AppContext, id: string): RecordView {
  const ceremony = ceremonyOf(viewed(app).vault.state, id)
  const row = rowOf(app, ceremony)
  const { ended, plan, planDigest, kind, attendance } = ceremony
  const people = participantsOf(ceremony)
  return {
    ...row,
    plan: planInLines(plan),
    planDigest: fingerprintOf(planDigest),
    recordDigest: ended?.record ? fingerprintOf(ended.record) : null,
    present: attendance.map(({ at, present }) => ({ at, people: present.map((one) => personOf(people, one)) })),
    moments: momentsOf(ceremony, people),
    steps: stepsOf(kind).map(({ quorum, noWayBack, id: step, title, who, readAloud, do: what, observe, minutes }) => ({
      id: step,
      title,
      who,
      readAloud,
      do: what,
      observe,
      minutes,
      quorum: quorum !== undefined,
      noWayBack: noWayBack === true,
    })),
    signed: Object.entries(ended?.signOffs ?? {}).map(([person, jws]) => {
      const said = peekSignOff(jws)
      const { agrees, at } = said
      return { person: personOf(people, person), agrees, reason: said.agrees ? null : said.reason, at }
    }),
    reason: ended?.reason ?? null,
    files: row.folder === null ? [] : filesIn(row.folder).map(described),
  }
}

export function ceremonyOf(state: VaultState, id: string): Ceremony {
  const ceremony = state.ceremonies.get(id)
  must(ceremony, 'ceremony-unknown', `The vault has no ceremony ${id}.`)
  return ceremony
}

const fingerprintOf = (digest: string) => ({ hex: hexGroups(digest), words: words(digest) })

const personOf = (people: readonly Participant[], id: string): Participant =>
  people.find((one) => one.id === id) ?? { id, name: id, role: 'administrator' }

const nameOf = (people: readonly Participant[], id: string): string =>
  id === 'keyrite' ? 'Keyrite' : personOf(people, id).name

type Moment = RecordView['moments'][number]

/** Everything that happened, by the clock. */
function momentsOf(ceremony: Ceremony, people: readonly Participant[]): Moment[] {
  const { startedAt, attendance, done, deviations, ended, kind } = ceremony
  const names = (ids: readonly string[]) => ids.map((id) => nameOf(people, id)).join(', ')
  const [first, ...later] = attendance
  const plain = { by: '', noWayBack: false }
  const steps = done.map(({ step, at, by, observed }): Moment => {
    const planned = SCRIPTS[kind].find(({ id }) => id === step)
    const title = planned?.title ?? step
    return { at, what: 'step', title, by: nameOf(people, by), text: observed, noWayBack: planned?.noWayBack === true }
  })
  const noted = deviations.map(
    ({ at, by, expected, happened, action }): Moment => ({
      at,
      what: 'deviation',
      title: happened,
      by: nameOf(people, by),
      text: `Expected: ${expected} Done about it: ${action}`,
      noWayBack: false,
    }),
  )
  const came = later.map(
    ({ at, present }): Moment => ({ ...plain, at, what: 'attendance', title: 'Others are here', text: names(present) }),
  )
  const middle = [...came, ...noted, ...steps].toSorted((one, other) => one.at - other.at)
  const start: Moment = {
    ...plain,
    at: startedAt,
    what: 'started',
    title: 'The ceremony begins',
    text: names(first?.present ?? []),
  }
  return [start, ...middle, ...endOf(ended, people)]
}

function endOf(ended: Ceremony['ended'], people: readonly Participant[]): Moment[] {
  if (!ended) return []
  const { at, how, reason, signOffs } = ended
  if (how === 'aborted')
    return [{ at, what: 'aborted', title: 'Closed without finishing', by: '', text: reason ?? '', noWayBack: false }]
  const signed = Object.keys(signOffs).map((id) => nameOf(people, id))
  return [
    {
      at,
      what: 'ended',
      title: 'The record is signed',
      by: '',
      text: `Signed by ${signed.join(', ')}`,
      noWayBack: false,
    },
  ]
}

const TITLES: [pattern: RegExp, title: string][] = [
  [/^record\.html$/, 'The record, as a page'],
  [/^record\.pdf$/, 'The record, for paper'],
  [/^record\.json$/, 'The signed record'],
  [/^plan\.json$/, 'The plan'],
  [/^script\.txt$/, 'The script'],
  [/^log\.ndjson$/, 'The events of the vault that it covers'],
  [/^head-card\.html$/, 'The head card, as a page'],
  [/^head-card\.keyrite$/, 'The head card, signed by the root'],
  [/^certificate-.*\.html$/, 'The certificate, as a page'],
  [/^certificate-.*\.proofs\.json$/, 'Proof for each key of the certificate'],
  [/^certificate-.*\.json$/, 'The signed certificate'],
  [/^inventory\.html$/, 'The inventory, as a page'],
  [/^inventory\.json$/, 'The signed inventory'],
  [/^SHA256SUMS$/, 'Digests of all files'],
]

const described = ({ name, size }: { name: string; size: number }): RecordView['files'][number] => ({
  name,
  size,
  title: TITLES.find(([pattern]) => pattern.test(name))?.[1] ?? name,
  page: name.endsWith('.html'),
})
