import { Framed } from '../../app/Framed.tsx'
import { Button } from '../../components/Button.tsx'
import { TextField } from '../../components/Field.tsx'
import { FooterBar } from '../../components/Frame.tsx'
import { Page } from '../../components/Page.tsx'
import { text } from '../../text/index.ts'
import css from './plan.module.css'
import type { PlanState } from './use-plan.ts'

/** The plan as text: the last resort, for what no form knows. */
export function PlanText({ state }: { state: PlanState }) {
  const words = text.plan.text
  return (
    <Framed
      title={text.plan.name}
      note={text.plan.notStarted}
      footer={
        <FooterBar
          act={
            <Button
              kind="filled"
              onPress={state.review}
              waitsFor={state.text.trim() === '' ? text.plan.errors.missing : undefined}
            >
              {words.review}
            </Button>
          }
        >
          <Button kind="quiet" onPress={state.choose}>
            {words.other}
          </Button>
          {state.editing && (
            <Button kind="quiet" onPress={state.asForm}>
              {words.form}
            </Button>
          )}
        </FooterBar>
      }
    >
      <Page title={words.title} lead={words.lead} subject="text">
        <div className={css.form}>
          <TextField
            label={words.label}
            value={state.text}
            onChange={state.setText}
            hint={state.editing || state.text.trim() === '' ? undefined : words.noForm}
            lines={20}
            mono
          />
        </div>
      </Page>
    </Framed>
  )
}
