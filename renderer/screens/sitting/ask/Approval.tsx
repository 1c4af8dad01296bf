import { useState } from 'react'
import { Button } from '../../../components/Button.tsx'
import { Choice } from '../../../components/Choice.tsx'
import { classes } from '../../../components/classes.ts'
import { clock } from '../../../components/format.ts'
import { Page, Section } from '../../../components/Page.tsx'
import { SecretField } from '../../../components/SecretField.tsx'
import { ThresholdMeter } from '../../../components/ThresholdMeter.tsx'
import { text } from '../../../text/index.ts'
import { Act, type Of, Refused, useAnswering, Waiting } from '../act.tsx'
import { nameOf, optionsOf } from '../people.ts'
import css from '../sitting.module.css'

const words = text.sitting.approve
type Props = { question: Of<'approve'> }

/** What a quorum approves outside of the script: events that nobody accepted yet, or the closing. */
export function ApprovalPage({ question }: Props) {
  const tail = question.events.length > 0
  return (
    <Page title={question.title} lead={tail ? words.tailLead : undefined} subject={question.title}>
      {tail && (
        <Section title={words.events}>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it */}
          <section className={css.lines} tabIndex={0} aria-label={words.events}>
            {question.events.join('\n')}
          </section>
        </Section>
      )}
      <div className={css.roomy}>
        <Approval question={question} />
      </div>
    </Page>
  )
}

/** M custodians approve, one after another at the one keyboard, each with their own passphrase. */
export function Approval({ question }: Props) {
  const { custodians, needed, approved, refused, problem } = question
  const { give, pending, failure, fields } = useAnswering()
  const left = custodians.filter(({ id }) => !approved.some((one) => one.id === id))
  const willing = left.filter(({ id }) => !refused.includes(id))
  const [chosen, setChosen] = useState<string | null>(null)
  const next = left.find(({ id }) => id === chosen) ?? willing[0] ?? left[0]
  const missing = needed - approved.length
  return (
    <div ref={fields}>
      <ThresholdMeter
        sentence={text.quorum.approvals(approved.length, needed)}
        enough={text.quorum.ofThoseHere(custodians.length, needed)}
        given={approved.map(({ id, at }) => ({ name: nameOf(custodians, id), said: text.quorum.approved(clock(at)) }))}
        need={needed}
        candidates={willing.map(({ name }) => name)}
      />
      {next && (
        <div className={classes(css.form, css.after)}>
          <div className={css.turn}>
            <Choice
              label={words.chooser}
              options={optionsOf(left)}
              value={next.id}
              onChange={setChosen}
              look="select"
              disabled={pending}
            />
            <SecretField
              label={words.passphrase(next.name)}
              action={words.approve}
              error={problem ?? undefined}
              pending={pending}
              onSubmit={(passphrase) => give({ give: 'approval', person: next.id, passphrase })}
            />
          </div>
          <Refused failure={failure} />
          {refused.length > 0 && (
            <p className={css.problem} role="status">
              {words.refused(refused.map((id) => nameOf(custodians, id)))}
            </p>
          )}
          {!refused.includes(next.id) && (
            <div>
              <Button kind="link" onPress={() => give({ give: 'refusal', person: next.id })} disabled={pending}>
                {words.refuse(next.name)}
              </Button>
            </div>
          )}
          <Waiting when={pending}>{words.opening(next.name)}</Waiting>
        </div>
      )}
      <Act>
        <span className={css.safe}>{words.waits(missing)}</span>
      </Act>
    </div>
  )
}
