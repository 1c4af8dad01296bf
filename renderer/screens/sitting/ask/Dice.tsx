import { useState } from 'react'
import { Button } from '../../../components/Button.tsx'
import { TextField } from '../../../components/Field.tsx'
import { Progress } from '../../../components/Progress.tsx'
import { text } from '../../../text/index.ts'
import { Act, type Of, Refused, useAnswering, Waiting } from '../act.tsx'
import css from '../sitting.module.css'

const words = text.sitting.dice

/** Rolls of real dice, typed in as digits, as many at a time as people like. */
export function Dice({ question: { rolls, typed, problem } }: { question: Of<'dice'> }) {
  const { give, pending, failure, fields } = useAnswering()
  const [more, setMore] = useState('')
  const add = () => {
    if (more.trim() === '') return
    give({ give: 'dice', rolls: more })
    setMore('')
  }
  return (
    <div ref={fields} className={css.form}>
      <Progress label={words.label} done={typed} of={rolls} words={words.soFar(typed, rolls)} />
      <TextField
        label={words.field}
        hint={words.hint}
        value={more}
        onChange={setMore}
        maxLength={4000}
        inputMode="numeric"
        mono
        disabled={pending}
        onEnter={add}
      />
      <Refused problem={problem} failure={failure} />
      <Waiting when={pending} />
      <Act>
        <Button
          kind="filled"
          onPress={add}
          pending={pending}
          waitsFor={more.trim() === '' ? words.waits(rolls - typed) : undefined}
        >
          {words.take}
        </Button>
      </Act>
    </div>
  )
}
