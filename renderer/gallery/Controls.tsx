import { useState } from 'react'
import { Button, Buttons } from '../components/Button.tsx'
import { Choice, MultiChoice } from '../components/Choice.tsx'
import { Empty, Facts } from '../components/Facts.tsx'
import { Field, Fields, optional, TextField } from '../components/Field.tsx'
import { Fingerprint } from '../components/Fingerprint.tsx'
import { Frame } from '../components/Frame.tsx'
import { MarginRow, Page, Section, Stack } from '../components/Page.tsx'
import { Progress } from '../components/Progress.tsx'
import { SecretField } from '../components/SecretField.tsx'
import { Status, type StatusKind } from '../components/Status.tsx'
import { Table } from '../components/Table.tsx'
import { Tabs } from '../components/Tabs.tsx'
import { ThresholdMeter } from '../components/ThresholdMeter.tsx'
import { DIGEST, NOW } from './sample.ts'

const nothing = () => {}

const KINDS: StatusKind[] = [
  'done',
  'now',
  'todo',
  'waiting',
  'warn',
  'due',
  'danger',
  'open',
  'closed',
  'ends',
  'skipped',
]

const options = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ value: `${index}`, label: `Possibility ${index + 1}` }))

export function Controls() {
  return (
    <Frame title="Controls" network="offline" now={NOW}>
      <Page title="Controls" lead="Everything that is operated, in its states.">
        <Section title="Status" aside="word, shape, colour">
          <Buttons>
            {KINDS.map((kind) => (
              <Status key={kind} kind={kind} />
            ))}
          </Buttons>
        </Section>
        <Section title="Buttons">
          <Stack>
            <Buttons>
              <Button kind="filled" onPress={nothing}>
                The act due now
              </Button>
              <Button onPress={nothing}>Another act</Button>
              <Button kind="danger" onPress={nothing}>
                It does not match: stop
              </Button>
              <Button kind="quiet" onPress={nothing}>
                A way out
              </Button>
              <Button kind="link" onPress={nothing}>
                A link
              </Button>
            </Buttons>
            <Buttons>
              <Button kind="filled" waitsFor="Waits for one more custodian.">
                Start
              </Button>
              <Button kind="filled" pending>
                Sealing…
              </Button>
              <Button kind="danger" disabled>
                Destroy
              </Button>
            </Buttons>
          </Stack>
        </Section>
        <Typing />
        <Choosing />
        <Quorums />
        <Lists />
      </Page>
    </Frame>
  )
}

function Typing() {
  const [value, setValue] = useState('')
  return (
    <Section title="Fields">
      <Stack gap={24}>
        <Fields>
          <TextField label="Name" value={value} onChange={setValue} hint="As it stands in the contract." required />
          <TextField label="Issuer" value="http://id" onChange={nothing} error="Use an https URL." mono />
          <TextField label={optional('Place')} value="Harbour" onChange={nothing} disabled />
          <TextField label="Id" value="acme" onChange={nothing} readOnly />
        </Fields>
        <TextField label="Why" value="" onChange={nothing} lines={3} hint="It stands in the record." />
        <SecretField label="Custodian 4, your passphrase" action="Approve" onSubmit={nothing} />
        <SecretField
          label="A new passphrase"
          action="Take it"
          onSubmit={nothing}
          repeat
          error="That passphrase does not open Custodian 4’s share. Nothing has changed; type it again."
        />
        <Field label="A control of one’s own" hint="It brings its own input.">
          {({ id, describedBy, look }) => <input id={id} className={look} aria-describedby={describedBy} type="date" />}
        </Field>
      </Stack>
    </Section>
  )
}

function Choosing() {
  const [one, setOne] = useState<string | null>('1')
  const [some, setSome] = useState(['0', '2'])
  return (
    <Section title="Choices">
      <Fields>
        <Choice label="One of three" options={options(3)} value={one} onChange={setOne} hint="Arrow keys move." />
        <Choice label="One of many" options={options(12)} value={one} onChange={setOne} />
        <Choice label="Nothing yet" options={options(12)} value={null} onChange={setOne} />
        <MultiChoice
          label="Any of them"
          options={[...options(3), { value: 'x', label: 'Not now', note: 'waits for a runtime', disabled: true }]}
          value={some}
          onChange={setSome}
        />
      </Fields>
    </Section>
  )
}

const Quorums = () => (
  <Section title="Quorum and progress">
    <Stack gap={24}>
      <ThresholdMeter
        sentence="0 of 3 approvals"
        enough="5 custodians are here; any 3 are enough"
        need={3}
        given={[]}
        candidates={['Custodian 1', '2', '3', '4', '5']}
      />
      <ThresholdMeter
        sentence="2 of 2 approvals"
        enough="2 custodians are here; any 2 are enough"
        need={2}
        given={[
          { name: 'Custodian 1', said: 'Approved 09:12' },
          { name: 'Custodian 2', said: 'Approved 09:14' },
        ]}
        candidates={[]}
      />
      <Progress label="Making keys" done={7} of={20} words="Making the key of Contoso" />
      <Progress label="Writing the export" done={0} of={1} />
    </Stack>
  </Section>
)

const KEYS = [
  { name: 'acme-2026-04', tenant: 'Acme', days: 21 },
  { name: 'contoso-2026-05', tenant: 'Contoso', days: 53 },
  { name: 'fabrikam-2026-06', tenant: 'Fabrikam', days: 22 },
]

const Keys = () => (
  <Table
    label="Keys"
    rows={KEYS}
    keyOf={(row) => row.name}
    columns={[
      { id: 'name', name: 'Key', head: true, cell: (row) => row.name, sortBy: (row) => row.name },
      { id: 'tenant', name: 'Tenant', cell: (row) => row.tenant, sortBy: (row) => row.tenant },
      { id: 'days', name: 'Days left', align: 'end', cell: (row) => row.days, sortBy: (row) => row.days },
      { id: 'state', name: 'State', cell: () => <Status kind="now">Signing</Status>, nowrap: true },
    ]}
  />
)

const Lists = () => (
  <Section title="Lists">
    <Tabs
      label="Views"
      tabs={[
        { id: 'keys', title: 'Keys', content: <Keys /> },
        {
          id: 'facts',
          title: 'Facts',
          content: <Facts ruled facts={[{ label: 'Key id', value: DIGEST, mono: true }]} />,
        },
      ]}
    />
    <MarginRow margin="Hanging margin">
      <Facts
        facts={[
          { label: 'Vault', value: 'Harbour' },
          { label: 'Digest', value: DIGEST, mono: true },
        ]}
      />
    </MarginRow>
    <Empty title="No ceremony is open" action={<Button onPress={nothing}>Start one</Button>}>
      <p>The last one ended on 2 June.</p>
    </Empty>
    <Fingerprint digest={DIGEST} title="Plan" wordless />
  </Section>
)
