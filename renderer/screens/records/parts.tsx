import type { RecordView } from '../../../shared/contract/records.ts'
import { useOpenPage } from '../../app/use-open-page.ts'
import { Button } from '../../components/Button.tsx'
import { clock, dayAndClock } from '../../components/format.ts'
import { FailureNotice } from '../../components/Notice.tsx'
import { Section } from '../../components/Page.tsx'
import { Status } from '../../components/Status.tsx'
import { type Column, Table } from '../../components/Table.tsx'
import { text } from '../../text/index.ts'
import css from './records.module.css'

const words = text.records

type Of<K extends 'steps' | 'signed' | 'files' | 'moments'> = RecordView[K][number]

/** The script, with what became of each step. */
export function RecordSteps({ record }: { record: RecordView }) {
  const held = new Map(record.moments.filter(({ what }) => what === 'step').map((moment) => [moment.title, moment]))
  const columns: Column<Of<'steps'>>[] = [
    { id: 'step', name: words.step, head: true, cell: (step) => step.title },
    {
      id: 'who',
      name: words.who,
      cell: (step) => (step.who === 'everyone' ? words.everyone : text.app.roles[step.who]),
    },
    {
      id: 'done',
      name: words.done,
      nowrap: true,
      cell: (step) => <Held moment={held.get(step.title)} noWayBack={step.noWayBack} />,
    },
    { id: 'observed', name: words.observed, cell: (step) => held.get(step.title)?.text ?? '' },
  ]
  return (
    <Section title={words.steps}>
      <Table label={words.steps} columns={columns} rows={record.steps} keyOf={(step) => step.id} />
    </Section>
  )
}

function Held({ moment, noWayBack }: { moment: Of<'moments'> | undefined; noWayBack: boolean }) {
  return (
    <>
      {moment ? <Status kind="done">{clock(moment.at)}</Status> : <Status kind="todo">{words.notDone}</Status>}
      {noWayBack && (
        <div>
          <Status kind="danger">{words.noWayBack}</Status>
        </div>
      )}
    </>
  )
}

export function Deviations({ record }: { record: RecordView }) {
  const noted = record.moments.filter(({ what }) => what === 'deviation')
  return (
    <Section title={words.noted}>
      {noted.length === 0 ? (
        <p>{words.noneNoted}</p>
      ) : (
        <ul className={css.noted}>
          {noted.map((moment) => (
            <li key={`${moment.at} ${moment.title}`}>
              <Status kind="warn">{`${clock(moment.at)} ${moment.title}`}</Status>
              <p>{moment.text}</p>
            </li>
          ))}
        </ul>
      )}
    </Section>
  )
}

const SIGNED: Column<Of<'signed'>>[] = [
  { id: 'person', name: words.person, head: true, cell: ({ person }) => person.name },
  { id: 'role', name: words.role, cell: ({ person }) => text.app.roles[person.role] },
  {
    id: 'says',
    name: words.says,
    cell: ({ agrees, reason }) => (
      <>
        <Status kind={agrees ? 'done' : 'danger'}>{agrees ? words.agrees : words.disagrees}</Status>
        {reason && <div>{reason}</div>}
      </>
    ),
  },
  { id: 'when', name: words.when, nowrap: true, cell: ({ at }) => dayAndClock(at) },
]

/** Everybody who signed, and whoever does not agree. */
export function Signatures({ record }: { record: RecordView }) {
  return (
    <Section title={words.signed}>
      <Table
        label={words.signed}
        columns={SIGNED}
        rows={record.signed}
        keyOf={({ person }) => person.id}
        empty={<p>{words.nobodySigned}</p>}
      />
    </Section>
  )
}

export function RecordFiles({ record }: { record: RecordView }) {
  const { open, failure, forget } = useOpenPage()
  const columns: Column<Of<'files'>>[] = [
    { id: 'title', name: words.file, head: true, cell: ({ title }) => title },
    { id: 'name', name: words.files, cell: ({ name }) => <code>{name}</code> },
    { id: 'size', name: words.size, nowrap: true, align: 'end', cell: ({ size }) => words.bytes(size) },
    {
      id: 'print',
      name: words.print,
      quiet: true,
      cell: ({ name, title, page }) =>
        page && (
          <Button
            kind="link"
            label={words.printOf(title)}
            onPress={() => open({ page: 'file', ceremony: record.ceremony, name })}
          >
            {words.print}
          </Button>
        ),
    },
  ]
  return (
    <Section title={words.files}>
      {failure && <FailureNotice failure={failure} onDismiss={forget} />}
      <Table
        label={words.files}
        columns={columns}
        rows={record.files}
        keyOf={({ name }) => name}
        empty={<p>{words.noFiles}</p>}
      />
    </Section>
  )
}
