import { useState } from 'react'
import { Button } from '../components/Button.tsx'
import { FooterBar, Frame } from '../components/Frame.tsx'
import { SecretField } from '../components/SecretField.tsx'
import { Across, Initials, Observation, ReadAloud, StepCard, StepRow } from '../components/StepCard.tsx'
import { type RailPart, StepRail } from '../components/StepRail.tsx'
import { ThresholdMeter } from '../components/ThresholdMeter.tsx'
import { at } from './sample.ts'

const nothing = () => {}
const clock = (time: string) => at(`2026-06-09T${time}:00`)

const done = (number: number, name: string, time: string) => ({ number, name, state: 'done', at: clock(time) }) as const
const todo = (number: number, name: string) => ({ number, name, state: 'todo' }) as const

const finished = (from: number, names: string[]) => names.map((name, index) => done(from + index, name, '09:20'))
const ahead = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => todo(from + index, `Step ${from + index}`))

export const PARTS: RailPart[] = [
  { number: 1, name: 'Prepare the room', steps: finished(1, ['Doors', 'Telephones', 'Networks', 'Disk', 'Printer']) },
  { number: 2, name: 'People and time', steps: finished(6, ['Who is here', 'Roles', 'Time', 'Head card']) },
  {
    number: 3,
    name: 'Make the keys',
    steps: [
      done(10, 'Compare the plan’s hash', '09:41'),
      done(11, 'Check the generator', '09:44'),
      done(12, 'Read the plan aloud', '09:47'),
      done(13, 'Confirm who is present', '09:49'),
      { number: 14, name: 'Approve making two keys', state: 'now' },
      todo(15, 'Make acme-2026-06'),
      todo(16, 'Make acme-2026-09'),
      { ...todo(17, 'Seal both keys'), noWayBack: true },
    ],
  },
  { number: 4, name: 'Carry to the runtime', steps: ahead(18, 8) },
  { number: 5, name: 'Close and sign', steps: ahead(26, 6) },
]

export const waysOut = (
  <>
    <Button kind="quiet" onPress={nothing}>
      Note a deviation
    </Button>
    <Button kind="quiet" onPress={nothing}>
      Pause
    </Button>
    <Button kind="quiet" onPress={nothing}>
      Abort…
    </Button>
  </>
)

export function Runner() {
  return (
    <Frame
      title="Rotation of Acme"
      id="R-2026-014"
      network="offline"
      now={at('2026-06-09T09:56:12')}
      left={<StepRail parts={PARTS} minutesLeft={40} />}
      footer={
        <FooterBar
          act={
            <Button kind="filled" waitsFor="Waits for 1 approval, 1 observation and 2 initials">
              Finish step 14
            </Button>
          }
        >
          {waysOut}
        </FooterBar>
      }
    >
      <Step />
    </Frame>
  )
}

const GIVEN = [
  { name: 'Custodian 1', said: 'Approved 09:52' },
  { name: 'Custodian 3', said: 'Approved 09:54' },
]

/** Custodian 4's, in the gallery. */
const PASSPHRASE = 'open sesame'

function Step() {
  const [seen, setSeen] = useState(false)
  const [initials, setInitials] = useState('')
  const [approved, setApproved] = useState(false)
  const [error, setError] = useState<string>()
  const approve = (passphrase: string) => {
    setApproved(passphrase === PASSPHRASE)
    setError('That passphrase does not open Custodian 4’s share. Nothing has changed; type it again.')
  }
  return (
    <StepCard title="Approve making two keys for Acme" step={14}>
      <StepRow kind="readAloud" who="Administrator" status="done" said="Read 09:50" operable={false}>
        <ReadAloud>
          We are about to make two signing keys for Acme. Three custodians must approve. Type your own passphrase while
          everyone else looks away.
        </ReadAloud>
      </StepRow>
      <StepRow kind="do" who="Three custodians" status={approved ? 'done' : 'now'}>
        <ThresholdMeter
          sentence={approved ? '3 of 3 approvals' : '2 of 3 approvals'}
          enough="5 custodians are here; any 3 are enough"
          need={3}
          given={approved ? [...GIVEN, { name: 'Custodian 4', said: 'Approved 09:56' }] : GIVEN}
          candidates={['Custodian 2', '4', '5']}
        />
        {!approved && (
          <SecretField label="Custodian 4, your passphrase" action="Approve" onSubmit={approve} error={error} />
        )}
      </StepRow>
      <StepRow kind="observe" who="Compliance officer 1">
        <Across>
          <Observation seen onSee={nothing}>
            The plan’s hash still begins <code>7F3A 91C2</code>.
          </Observation>
          <Observation seen={seen} onSee={setSeen}>
            Three different people typed.
          </Observation>
        </Across>
      </StepRow>
      <StepRow kind="initial" who="When all is true">
        <Across>
          <Initials who="Administrator" value={initials} onChange={setInitials} />
          <Initials who="Compliance officer 1" value="CO" onChange={nothing} at={clock('09:55')} />
        </Across>
      </StepRow>
    </StepCard>
  )
}

/** Before the first step, with a network up, in a practice vault, and rows that nobody can operate yet. */
export function NotStarted() {
  const parts = PARTS.map((part) => ({
    ...part,
    steps: part.steps.map(({ number, name }) => todo(number, name)),
  }))
  return (
    <Frame
      title="Rotation of Acme"
      id="R-2026-014"
      note="Rehearsal"
      network="detected"
      practice
      now={at('2026-06-09T09:56:12')}
      left={<StepRail parts={parts} />}
      footer={<FooterBar act={<Button kind="filled">Start</Button>}>{waysOut}</FooterBar>}
    >
      <StepCard title="Prepare the room" lead="Nobody is missing." step={1}>
        <StepRow kind="readAloud" who="Administrator" status="now">
          <ReadAloud>Close the door, and put every telephone into the box.</ReadAloud>
        </StepRow>
        <StepRow kind="observe" who="Everybody" status="todo" operable={false}>
          <Observation seen={false} onSee={nothing}>
            No telephone is outside of the box.
          </Observation>
        </StepRow>
        <StepRow kind="initial" status="todo" operable={false}>
          <Initials who="Administrator" value="" onChange={nothing} />
        </StepRow>
      </StepCard>
    </Frame>
  )
}
