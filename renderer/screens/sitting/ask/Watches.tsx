import { useState } from 'react'
import type { Person } from '../../../../shared/contract/common.ts'
import { Button } from '../../../components/Button.tsx'
import { Choice } from '../../../components/Choice.tsx'
import { TextField } from '../../../components/Field.tsx'
import { spellDuration } from '../../../components/format.ts'
import { MarginRow, Page } from '../../../components/Page.tsx'
import { Status } from '../../../components/Status.tsx'
import { text } from '../../../text/index.ts'
import { Act, Refused, useAnswering, type ViewProps, Waiting } from '../act.tsx'
import { nameOf, optionsOf } from '../people.ts'
import css from '../sitting.module.css'

const words = text.sitting.time

/** Two people read UTC from watches of their own; each sees how far this machine is off. */
export function Watches({ question }: ViewProps<'time'>) {
  const { people, read, problem } = question
  const [first] = read
  const rest = people.filter(({ id }) => !read.some(({ by }) => by === id))
  return (
    <Page title={words.title} lead={words.lead} subject="time" ruled>
      <MarginRow margin={words.first}>
        {first ? <Done people={people} {...first} /> : <Watch key="first" people={rest} problem={problem} />}
      </MarginRow>
      <MarginRow margin={words.second}>
        {first ? <Watch key="second" people={rest} problem={problem} another /> : <p>{words.notYet}</p>}
      </MarginRow>
    </Page>
  )
}

const difference = (ahead: number): string => {
  if (ahead === 0) return words.inStep
  return ahead > 0 ? words.ahead(spellDuration(ahead)) : words.behind(spellDuration(-ahead))
}

const Done = ({ people, by, ahead }: { people: readonly Person[]; by: string; ahead: number }) => (
  <Status kind="done">{words.read(nameOf(people, by), difference(ahead))}</Status>
)

type WatchProps = { people: readonly Person[]; problem: string | null; another?: boolean }

function Watch({ people, problem, another }: WatchProps) {
  const { give, pending, failure, fields } = useAnswering()
  const [by, setBy] = useState(people[0]?.id ?? '')
  const [utc, setUtc] = useState('')
  const take = () => {
    give({ give: 'watch', by, utc })
    setUtc('')
  }
  return (
    <div ref={fields} className={css.form}>
      <Choice
        label={words.who}
        options={optionsOf(people)}
        value={by}
        onChange={setBy}
        look="select"
        disabled={pending}
      />
      <TextField
        label={words.field(nameOf(people, by))}
        hint={words.hint}
        value={utc}
        onChange={setUtc}
        maxLength={40}
        mono
        takesFocus={another ?? false}
        onEnter={take}
      />
      <Refused problem={problem} failure={failure} />
      <Waiting when={pending} />
      <Act>
        <Button kind="filled" onPress={take} pending={pending} waitsFor={utc === '' ? words.waits : undefined}>
          {words.take}
        </Button>
      </Act>
    </div>
  )
}
