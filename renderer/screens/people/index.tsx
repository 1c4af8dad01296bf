import type { Overview, PersonStatus } from '../../../shared/contract/home.ts'
import { NeedsVault } from '../../app/NeedsVault.tsx'
import { useOpenPage } from '../../app/use-open-page.ts'
import { Button } from '../../components/Button.tsx'
import { fullDay, listed } from '../../components/format.ts'
import { FailureNotice } from '../../components/Notice.tsx'
import { Page, Section, Stack } from '../../components/Page.tsx'
import { Status } from '../../components/Status.tsx'
import { type Column, Table } from '../../components/Table.tsx'
import { useKeyrite } from '../../state.tsx'
import { text } from '../../text/index.ts'
import css from './people.module.css'

const words = text.people

/** Who belongs to the vault, who holds a share, and who still knows their passphrase. */
export function PeopleScreen() {
  const { overview } = useKeyrite()
  return overview ? <People overview={overview} /> : <NeedsVault />
}

function People({ overview }: { overview: Overview }) {
  const { people, threshold, epoch } = overview
  const custodians = people.filter(({ role }) => role === 'custodian').length
  return (
    <Page title={words.title} lead={words.lead(threshold, custodians)}>
      <p className={css.epoch}>{words.epoch(epoch)}</p>
      <Roster people={people} />
      <Proving people={people} />
      <Changing />
      <Card event={overview.signedEvent} />
    </Page>
  )
}

function Roster({ people }: { people: readonly PersonStatus[] }) {
  const { go } = useKeyrite()
  const { columns } = words
  const change = ({ id }: PersonStatus) => go({ screen: 'plan', start: { kind: 'passphrase', given: { person: id } } })
  const shown: Column<PersonStatus>[] = [
    { id: 'name', name: columns.name, head: true, nowrap: true, cell: ({ name }) => name, sortBy: ({ name }) => name },
    { id: 'role', name: columns.role, cell: ({ role }) => text.app.roles[role], sortBy: ({ role }) => role },
    {
      id: 'share',
      name: columns.share,
      cell: ({ share }) => (share === null ? words.noShare : (words.share[share] ?? share)),
    },
    {
      id: 'proved',
      name: columns.proved,
      nowrap: true,
      cell: ({ lastProved }) => (lastProved === null ? words.never : fullDay(lastProved)),
      sortBy: ({ lastProved }) => lastProved ?? 0,
    },
    { id: 'standing', name: columns.standing, nowrap: true, cell: (person) => <Standing person={person} /> },
    {
      id: 'acts',
      name: columns.acts,
      quiet: true,
      nowrap: true,
      cell: (person) => (
        <Button kind="link" label={words.changeOf(person.name)} onPress={() => change(person)}>
          {words.change}
        </Button>
      ),
    },
  ]
  return <Table label={words.title} columns={shown} rows={people} keyOf={({ id }) => id} />
}

const Standing = ({ person: { due, overdue } }: { person: PersonStatus }) =>
  overdue ? (
    <Status kind="due">{words.overdue(fullDay(due))}</Status>
  ) : (
    <Status kind="done">{words.good(fullDay(due))}</Status>
  )

function Proving({ people }: { people: readonly PersonStatus[] }) {
  const { go } = useKeyrite()
  const late = people.filter(({ overdue }) => overdue).map(({ name }) => name)
  return (
    <Section title={words.proveTitle}>
      <Stack>
        <p className={css.text}>{words.proveBody}</p>
        <p>{late.length === 0 ? words.allGood : words.due(listed(late))}</p>
        <div>
          <Button
            kind={late.length > 0 ? 'filled' : 'plain'}
            onPress={() => go({ screen: 'plan', start: { kind: 'inventory' } })}
          >
            {words.prove}
          </Button>
        </div>
      </Stack>
    </Section>
  )
}

function Changing() {
  const { go } = useKeyrite()
  return (
    <Section title={words.custodyTitle}>
      <Stack>
        <p className={css.text}>{words.custodyBody}</p>
        <div>
          <Button onPress={() => go({ screen: 'plan', start: { kind: 'custody' } })}>{words.custody}</Button>
        </div>
      </Stack>
    </Section>
  )
}

function Card({ event }: { event: number | null }) {
  const page = useOpenPage()
  return (
    <Section title={words.cardTitle}>
      <Stack>
        <p className={css.text}>{words.cardBody(event)}</p>
        {event !== null && (
          <div>
            <Button onPress={() => page.open({ page: 'head-card' })} pending={page.pending}>
              {words.card}
            </Button>
          </div>
        )}
        {page.failure && <FailureNotice failure={page.failure} onDismiss={page.forget} />}
      </Stack>
    </Section>
  )
}
