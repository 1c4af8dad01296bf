import { useState } from 'react'
import { Button, Buttons } from '../../../components/Button.tsx'
import { Choice } from '../../../components/Choice.tsx'
import { Dialog } from '../../../components/Dialog.tsx'
import { TextField } from '../../../components/Field.tsx'
import { Fingerprint } from '../../../components/Fingerprint.tsx'
import { capital } from '../../../components/format.ts'
import { Page } from '../../../components/Page.tsx'
import { text } from '../../../text/index.ts'
import { Act, type Answering, Refused, useAnswering, type ViewProps } from '../act.tsx'
import { digestOf } from '../digest.ts'
import { nameOf, optionsOf } from '../people.ts'
import { stepNow } from '../rail.ts'
import css from '../sitting.module.css'

const words = text.sitting.compare
type Props = { question: ViewProps<'compare'>['question']; answering: Answering }

/** Comparison by voice: the other side reads, one person follows, another types the covered words from hearing. */
export function Comparison({ sitting, question }: ViewProps<'compare'>) {
  const { hex, covered, what, reader } = question
  const answering = useAnswering()
  return (
    <Page title={stepNow(sitting)?.title ?? capital(what)} lead={words.lead} subject={what}>
      <Fingerprint
        digest={digestOf(hex)}
        covers={[{ label: words.of, value: capital(what) }]}
        qr={hex.join(' ')}
        covered={covered.map((place) => place + 1)}
      />
      <div className={css.band} ref={answering.fields}>
        {reader === null ? (
          <Roles question={question} answering={answering} />
        ) : (
          <Heard question={question} answering={answering} />
        )}
      </div>
    </Page>
  )
}

/** Two different people: one follows what is read, the other types. */
function Roles({ question: { people, problem }, answering: { give, pending, failure } }: Props) {
  const [reader, setReader] = useState(people[0]?.id ?? '')
  const [typist, setTypist] = useState(people[1]?.id ?? '')
  const ready = reader !== typist && typist !== ''
  return (
    <>
      <div className={css.grid}>
        <Choice label={words.reader} options={optionsOf(people)} value={reader} onChange={setReader} look="select" />
        <Choice label={words.typist} options={optionsOf(people)} value={typist} onChange={setTypist} look="select" />
      </div>
      <Refused problem={problem} failure={failure} />
      <Act>
        <Button
          kind="filled"
          onPress={() => give({ give: 'readers', reader, typist })}
          pending={pending}
          waitsFor={ready ? undefined : words.readyWaits}
        >
          {words.ready}
        </Button>
      </Act>
    </>
  )
}

function Heard({ question, answering }: Props) {
  const { people, reader, typist, covered, typed } = question
  const { give, pending, failure } = answering
  const missing = covered.length - typed.length
  return (
    <>
      <div className={css.bandHead}>
        <h2>{words.typesWords(nameOf(people, typist ?? ''), covered.length)}</h2>
        <span>{words.coveredNote}</span>
      </div>
      <Words question={question} answering={answering} />
      <p className={css.small}>{words.follows(nameOf(people, reader ?? ''))}</p>
      <Refused failure={failure} />
      <Act>
        <Stop give={give} disabled={pending} />
        <Button
          kind="filled"
          onPress={() => give({ give: 'rest', agrees: true })}
          pending={pending}
          waitsFor={missing > 0 ? words.waits(missing) : undefined}
        >
          {words.agrees}
        </Button>
      </Act>
    </>
  )
}

function Words({ question: { covered, typed, problem }, answering: { give } }: Props) {
  const [heard, setHeard] = useState<Record<number, string>>({})
  const [sent, setSent] = useState<number | null>(null)
  const send = (place: number) => {
    const word = heard[place]?.trim() ?? ''
    if (word === '') return
    setSent(place)
    give({ give: 'word', place, word })
  }
  return (
    <div className={css.grid}>
      {covered.map((place) => {
        const right = typed.includes(place)
        return (
          <TextField
            key={place}
            label={words.word(place + 1)}
            hint={right ? undefined : words.enter}
            value={heard[place] ?? ''}
            onChange={(word) => setHeard({ ...heard, [place]: word })}
            error={!right && sent === place ? (problem ?? undefined) : undefined}
            state={
              right ? { kind: 'done', words: text.compare.matches } : { kind: 'waiting', words: text.status.waiting }
            }
            readOnly={right}
            maxLength={40}
            typedOnly
            onEnter={() => send(place)}
          />
        )
      })}
    </div>
  )
}

/** The words differ: that ends the comparison, so it is asked once more. */
function Stop({ give, disabled }: { give: Answering['give']; disabled: boolean }) {
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button kind="danger" onPress={() => setOpen(true)} disabled={disabled}>
        {words.stop}
      </Button>
      <Dialog title={words.stopTitle} open={open} onClose={() => setOpen(false)} urgent>
        <p>{words.stopText}</p>
        <Buttons>
          <Button kind="danger" onPress={() => give({ give: 'rest', agrees: false })}>
            {words.stopYes}
          </Button>
          <Button onPress={() => setOpen(false)}>{words.stopNo}</Button>
        </Buttons>
      </Dialog>
    </>
  )
}
