import { useEffect, useRef, useState } from 'react'
import { Button, Buttons } from '../../../components/Button.tsx'
import { Page } from '../../../components/Page.tsx'
import { SecretField } from '../../../components/SecretField.tsx'
import { text } from '../../../text/index.ts'
import { Act, type Answering, Refused, useAnswering, type ViewProps, Waiting } from '../act.tsx'
import css from '../sitting.module.css'

const words = text.sitting.secret
type Chosen = 'generated' | 'own'
type Props = {
  question: ViewProps<'secret'>['question']
  answering: Answering
  chosen: Chosen
  choose: (chosen: Chosen) => void
}

/** A secret of one person, made or typed here while everybody else looks away. */
export function Secret({ question }: ViewProps<'secret'>) {
  const { owner, what, stage } = question
  const answering = useAnswering()
  const [chosen, setChosen] = useState<Chosen>('own')
  const choose = (next: Chosen) => {
    setChosen(next)
    answering.give({ give: 'secret-choice', choose: next })
  }
  const Stage = { choose: Choose, show: Show, type: Type, again: Type }[stage]
  return (
    <Page title={words.title(owner.name, what)} lead={words.comes(owner.name)} subject={`${owner.id} ${what}`}>
      <div ref={answering.fields}>
        <Stage key={stage} question={question} answering={answering} chosen={chosen} choose={choose} />
      </div>
      <Waiting when={answering.pending} />
    </Page>
  )
}

function Choose({ answering: { pending, failure }, choose }: Props) {
  return (
    <div className={css.form}>
      <p>{words.chooseHint}</p>
      <Refused failure={failure} />
      <Act>
        <Button onPress={() => choose('own')} disabled={pending}>
          {words.own}
        </Button>
        <Button kind="filled" onPress={() => choose('generated')} pending={pending}>
          {words.generated}
        </Button>
      </Act>
    </div>
  )
}

function Show({ question: { generated }, answering: { give, pending, failure } }: Props) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus(), [])
  return (
    <div className={css.form}>
      <h2 ref={heading} tabIndex={-1}>
        {words.show}
      </h2>
      <ol className={css.words}>
        {generated.map((word, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the same word may stand twice, and the list never changes
          <li key={place}>{word}</li>
        ))}
      </ol>
      <p>{words.showNote}</p>
      <Refused failure={failure} />
      <Act>
        <Button kind="filled" onPress={() => give({ give: 'secret-shown' })} pending={pending}>
          {words.shown}
        </Button>
      </Act>
    </div>
  )
}

/** The generated words typed back, one's own typed twice, or a password typed once. */
function Type({ question, answering: { give, pending, failure }, chosen, choose }: Props) {
  const { owner, what, fresh, stage } = question
  const label = fieldLabel({
    owner: owner.name,
    what,
    fresh,
    again: stage === 'again',
    generated: chosen === 'generated',
  })
  return (
    <div className={css.form}>
      <SecretField
        label={label}
        action={words.take}
        hint={fresh ? words.freshHint : words.fileHint}
        error={question.problem ?? undefined}
        onSubmit={(secret) => give({ give: 'secret', secret })}
        pending={pending}
        takesFocus={fresh}
      />
      <Refused failure={failure} />
      {fresh && (
        <Buttons>
          {chosen === 'generated' && (
            <Button onPress={() => give({ give: 'secret-choice', choose: 'show-again' })} disabled={pending}>
              {words.showAgain}
            </Button>
          )}
          <Button onPress={() => choose(chosen === 'generated' ? 'own' : 'generated')} disabled={pending}>
            {chosen === 'generated' ? words.ownInstead : words.generatedInstead}
          </Button>
        </Buttons>
      )}
    </div>
  )
}

type Labelled = { owner: string; what: string; fresh: boolean; again: boolean; generated: boolean }

function fieldLabel({ owner, what, fresh, again, generated }: Labelled): string {
  if (!fresh) return words.password(owner, what)
  if (again) return words.again(owner)
  return generated ? words.type(owner) : words.field(owner)
}
