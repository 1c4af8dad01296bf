import { useRef, useState } from 'react'
import type { Choices } from '../../../shared/contract/plan.ts'
import { Framed } from '../../app/Framed.tsx'
import { Button } from '../../components/Button.tsx'
import { FooterBar } from '../../components/Frame.tsx'
import { Notice } from '../../components/Notice.tsx'
import { Page } from '../../components/Page.tsx'
import { text } from '../../text/index.ts'
import { wrongIn } from './check.ts'
import { Controls } from './controls/Controls.tsx'
import { FormContext } from './controls/context.ts'
import { FORMS } from './forms.ts'
import css from './plan.module.css'
import { type Editing, type PlanState, textFor } from './use-plan.ts'

type FormProps = { state: PlanState; editing: Editing; choices: Choices }

/** The form of one kind. What is wrong is said once somebody wants the review, and from then on while they type. */
export function PlanForm({ state, editing, choices }: FormProps) {
  const { form, kinds } = text.plan
  const { kind, values } = editing
  const [tries, setTries] = useState(0)
  const body = useRef<HTMLFormElement>(null)
  const wrong = wrongIn(FORMS[kind], values)
  const count = Object.keys(wrong).length
  const review = () => {
    if (count === 0) return state.review()
    setTries(tries + 1)
    // After what is wrong is drawn.
    requestAnimationFrame(() =>
      body.current?.querySelector<HTMLElement>('[aria-invalid="true"], [data-wrong]')?.focus(),
    )
  }
  return (
    <Framed
      title={kinds[kind].title}
      note={text.plan.notStarted}
      footer={<FormFooter state={state} onText={() => state.write(textFor(editing))} onReview={review} />}
    >
      <Page title={kinds[kind].title} lead={kinds[kind].does} subject={kind}>
        <form
          ref={body}
          className={css.form}
          noValidate
          onSubmit={(event) => {
            event.preventDefault()
            review()
          }}
        >
          {tries > 0 && count > 0 && (
            <Notice key={tries} tone="danger" title={form.wrong(count)}>
              {form.wrongHint}
            </Notice>
          )}
          {FORMS[kind].length === 0 && <p>{form.nothing}</p>}
          <FormContext value={{ choices, wrong: tries > 0 ? wrong : {}, Controls }}>
            <Controls fields={FORMS[kind]} values={values} onChange={state.setValues} at="" />
          </FormContext>
        </form>
      </Page>
    </Framed>
  )
}

type FooterProps = { state: PlanState; onText: () => void; onReview: () => void }

function FormFooter({ state, onText, onReview }: FooterProps) {
  const { form } = text.plan
  return (
    <FooterBar
      act={
        <Button kind="filled" onPress={onReview}>
          {form.review}
        </Button>
      }
    >
      <Button kind="quiet" onPress={state.choose}>
        {form.other}
      </Button>
      <Button kind="quiet" onPress={onText}>
        {form.asText}
      </Button>
    </FooterBar>
  )
}
