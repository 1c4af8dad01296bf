import { useState } from 'react'
import type { CopyRow, Sitting } from '../../../../shared/contract/sitting.ts'
import { Button } from '../../../components/Button.tsx'
import { CopyLedger, type LedgerCopy } from '../../../components/CopyLedger.tsx'
import { DangerConfirmation } from '../../../components/DangerConfirmation.tsx'
import { fullDay } from '../../../components/format.ts'
import { Page } from '../../../components/Page.tsx'
import { text } from '../../../text/index.ts'
import { Act, type Of, Refused, useAnswering, type ViewProps } from '../act.tsx'
import { numberOf } from '../rail.ts'
import css from '../sitting.module.css'

const words = text.sitting.confirm
type Question = Of<'confirm'>

/** The words that nothing undoes: every known copy, the consequence, and one field for each person. */
export function Confirmation({ sitting, question }: ViewProps<'confirm'>) {
  const { keys } = question
  const [only] = keys
  const one = keys.length === 1 && only ? only : null
  return (
    <Page
      title={one ? words.oneKey(one.label) : words.manyKeys(keys.length)}
      lead={one ? words.signed(fullDay(one.signedUntil)) : words.signedMany}
      subject="confirm"
    >
      {keys.map(({ kid, label, tenant, copies }) => (
        <CopyLedger key={kid} copies={copies.map(drawn)} {...(one ? {} : { title: words.keyOf(label, tenant) })} />
      ))}
      <Outcome question={question} />
      <Typing question={question} step={eraseStep(sitting)} />
    </Page>
  )
}

const STATES = { 'ends-now': 'ends', closed: 'closed', 'stays-open': 'open' } as const
const drawn = ({ id, what, holder, evidence, state }: CopyRow): LedgerCopy => ({
  id,
  name: what,
  where: holder,
  evidence,
  state: STATES[state],
})

/** Which certificate follows, and what would make it the stronger one. */
function Outcome({ question: { certificate, keys } }: { question: Question }) {
  if (certificate === null) return null
  const [only] = keys
  const open =
    keys.length === 1 && only
      ? only.copies.flatMap(({ state }, index) => (state === 'stays-open' ? [String(index + 1)] : []))
      : []
  return (
    <p className={css.outcome}>
      <strong>{words[certificate]}</strong>{' '}
      {certificate === 'destruction' ? words.destructionWhy : words.deletionWhy(open)}
    </p>
  )
}

/** The number of the step that erases. */
function eraseStep(sitting: Sitting): number | null {
  const step = sitting.steps.find(({ noWayBack, status }) => noWayBack && status !== 'done')
  return step ? numberOf(sitting, step.id) : null
}

function Typing({ question, step }: { question: Question; step: number | null }) {
  const { words: phrase, people, typed, problem } = question
  const { give, pending, failure, fields } = useAnswering()
  const [now, setNow] = useState<Record<string, string>>({})
  const missing = people.filter(({ id }) => !typed.some((one) => one.id === id))
  const last = missing.length === 1 ? missing[0] : undefined
  const type = (id: string, value: string) => {
    setNow({ ...now, [id]: value })
    // The last of them goes on by the button, so that the step never begins with a keystroke.
    if (value === phrase && id !== last?.id) give({ give: 'words', person: id, words: value })
  }
  const ready = last !== undefined && now[last.id] === phrase
  return (
    <div className={css.bleed} ref={fields}>
      <DangerConfirmation
        consequence={words.consequence(step, question.certificate === 'deletion')}
        phrase={phrase}
        people={people.map(({ id, name }) => {
          const at = typed.find((one) => one.id === id)?.at ?? null
          return { id, name, typed: at === null ? (now[id] ?? '') : phrase, at, active: !pending }
        })}
        onType={type}
      />
      <Refused problem={problem} failure={failure} />
      <Act>
        <Button
          kind="filled"
          onPress={() => last && give({ give: 'words', person: last.id, words: now[last.id] ?? '' })}
          pending={pending}
          waitsFor={ready ? undefined : words.waits(missing.length)}
        >
          {words.continue}
        </Button>
      </Act>
    </div>
  )
}
