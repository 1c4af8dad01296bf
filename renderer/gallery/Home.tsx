import { AttentionList } from '../components/Attention.tsx'
import { Button, Buttons } from '../components/Button.tsx'
import { Frame } from '../components/Frame.tsx'
import { Page } from '../components/Page.tsx'
import { SideNav, VaultCard } from '../components/Rail.tsx'
import { type ScheduleEntry, ScheduleTimeline } from '../components/ScheduleTimeline.tsx'
import { MANY, NOW, TENANTS } from './sample.ts'

const nothing = () => {}

const Vaults = () => (
  <>
    <p>Vaults at hand</p>
    <VaultCard name="Harbour" note="Production · record 214" current />
    <VaultCard name="Harbour rehearsal" note="" practice onOpen={nothing} />
  </>
)

const Viewing = () => (
  <>
    <strong>Viewing only</strong>
    <p>No key can be made, used, exported or destroyed without three custodians.</p>
    <Button kind="link" onPress={nothing}>
      Close the vault
    </Button>
  </>
)

const SCREENS = ['Home', 'Records', 'Keys and copies', 'People', 'Evidence'].map((name) => ({ id: name, name }))

const left = (
  <SideNav label="Screens" items={SCREENS} current="Home" onGo={nothing} top={<Vaults />} foot={<Viewing />} />
)

const link = (words: string) => (
  <Button kind="link" onPress={nothing}>
    {words}
  </Button>
)

const attention = (
  <AttentionList
    title="Needs attention"
    rest="Nothing else needs you."
    items={[
      {
        id: '1',
        status: 'due',
        said: 'Due by 16 June',
        title: 'Make Acme’s next key',
        words: 'The current key stops signing on 30 June.',
        action: link('Plan the rotation'),
      },
      {
        id: '2',
        status: 'open',
        said: 'Open copy',
        title: 'us-1 may still hold a Contoso key',
        words: 'It was told to erase contoso-2026-02 on 2 June. No receipt yet.',
        action: link('See the copy'),
      },
      {
        id: '3',
        status: 'open',
        said: 'Receipts missing',
        title: 'Nothing from eu-1 since 30 May',
        words: 'Bring its receipts before the next handoff.',
        action: link('Import receipts'),
      },
      {
        id: '4',
        status: 'due',
        said: 'Overdue',
        title: 'Custodian 4’s passphrase',
        words: 'Last proved on 28 November. Due every six months.',
        action: link('Prove it now'),
      },
    ]}
  />
)

const title = (
  <>
    All four live tenants are signing.
    <br />
    Acme’s next key is due by 16 June.
  </>
)

const actions = (
  <Buttons>
    <Button kind="filled" onPress={nothing}>
      Start a ceremony
    </Button>
    <Button onPress={nothing}>Rehearse one</Button>
    <Button onPress={nothing}>Verify a record</Button>
  </Buttons>
)

function HomeOf({ entries, onOpen }: { entries: ScheduleEntry[]; onOpen?: (entry: ScheduleEntry) => void }) {
  return (
    <Frame
      layout="home"
      title="Harbour vault"
      note="opened by the Administrator, 09:02"
      network="offline"
      now={NOW}
      left={left}
      right={attention}
    >
      <Page title={title} lead="Three of the five custodians need to be in the room. Allow an hour.">
        {actions}
        <ScheduleTimeline entries={entries} now={NOW} onOpen={onOpen} />
      </Page>
    </Frame>
  )
}

export const Home = () => <HomeOf entries={TENANTS} />
export const ManyTenants = () => <HomeOf entries={MANY} onOpen={nothing} />
