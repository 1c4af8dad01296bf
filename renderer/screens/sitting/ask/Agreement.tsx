import { useState } from 'react'
import { Button, Buttons } from '../../../components/Button.tsx'
import { TextField } from '../../../components/Field.tsx'
import { Fingerprint } from '../../../components/Fingerprint.tsx'
import { Page } from '../../../components/Page.tsx'
import { text } from '../../../text/index.ts'
import { Act, type Of, Refused, useAnswering, type ViewProps, Waiting } from '../act.tsx'
import { digestOf } from '../digest.ts'
import { nameOf } from '../people.ts'
import css from '../sitting.module.css'
import { reasonProblem } from '../ways/reason.ts'

const words = text.sitting.agree

/** Each person in turn says whether they agree with the record before they sign it. */
export function Agreement({ sitting, question }: ViewProps<'agree'>) {
  const { person, digest, signed } = question
  const names = signed.map((id) => nameOf(sitting.people, id))
  return (
    <Page title={words.title(person.name)} lead={words.lead} subject={person.id}>
      <Fingerprint
        digest={digestOf(digest.hex)}
        title={words.digest}
        covers={[
          { label: words.ceremony, value: sitting.ceremony ?? '', mono: true },
          { label: words.holds, value: words.everything },
        ]}
      />
      <p className={css.signed}>{names.length > 0 ? words.signed(names) : words.nobody}</p>
      <Answer question={question} />
    </Page>
  )
}

function Answer({ question: { person, problem } }: { question: Of<'agree'> }) {
  const { give, pending, failure } = useAnswering()
  const [against, setAgainst] = useState(false)
  return (
    <div className={css.roomy}>
      {against && <Against name={person.name} onBack={() => setAgainst(false)} />}
      <Refused problem={problem} failure={failure} />
      <Waiting when={pending} />
      {!against && (
        <Act>
          <Button onPress={() => setAgainst(true)} disabled={pending}>
            {words.not}
          </Button>
          <Button
            kind="filled"
            onPress={() => give({ give: 'agreement', agrees: true, reason: null })}
            pending={pending}
          >
            {words.agrees(person.name)}
          </Button>
        </Act>
      )}
    </div>
  )
}

function Against({ name, onBack }: { name: string; onBack: () => void }) {
  const { give, pending } = useAnswering()
  const [reason, setReason] = useState('')
  const [tried, setTried] = useState(false)
  const sign = () => {
    setTried(true)
    if (!reasonProblem(reason)) give({ give: 'agreement', agrees: false, reason: reason.trim() })
  }
  return (
    <div className={css.form}>
      <h2>{words.reasonTitle(name)}</h2>
      <TextField
        label={words.reason}
        value={reason}
        onChange={setReason}
        error={tried ? reasonProblem(reason) : undefined}
        maxLength={500}
        takesFocus
        onEnter={sign}
      />
      <Buttons>
        <Button kind="filled" onPress={sign} pending={pending}>
          {words.sign}
        </Button>
        <Button onPress={onBack} disabled={pending}>
          {words.back}
        </Button>
      </Buttons>
    </div>
  )
}
