import { useState } from 'react'
import { Button } from '../../../components/Button.tsx'
import { TextField } from '../../../components/Field.tsx'
import { Page } from '../../../components/Page.tsx'
import { text } from '../../../text/index.ts'
import { Act, Refused, useAnswering, type ViewProps, Waiting } from '../act.tsx'
import css from '../sitting.module.css'

/** The newest head card, typed from paper: the screen does not show what it should say. */
export function HeadCard({ question: { problem } }: ViewProps<'head-card'>) {
  const words = text.sitting.card
  const { give, pending, failure, fields } = useAnswering()
  const [event, setEvent] = useState('')
  const [head, setHead] = useState('')
  const typed = event.trim() !== '' && head.trim() !== ''
  const take = () => typed && give({ give: 'head-card', card: { event, head } })
  return (
    <Page title={words.title} lead={words.lead} subject="head-card">
      <div ref={fields} className={css.form}>
        <TextField
          label={words.event}
          hint={words.eventHint}
          value={event}
          onChange={setEvent}
          maxLength={12}
          inputMode="numeric"
          onEnter={take}
        />
        <TextField
          label={words.head}
          hint={words.headHint}
          value={head}
          onChange={setHead}
          maxLength={100}
          mono
          onEnter={take}
        />
        <Refused problem={problem} failure={failure} />
        <Waiting when={pending} />
        <div>
          <Button onPress={() => give({ give: 'head-card', card: null })} disabled={pending}>
            {words.none}
          </Button>
          <p className={css.small}>{words.noneNote}</p>
        </div>
      </div>
      <Act>
        <Button kind="filled" onPress={take} pending={pending} waitsFor={typed ? undefined : words.waits}>
          {words.take}
        </Button>
      </Act>
    </Page>
  )
}
