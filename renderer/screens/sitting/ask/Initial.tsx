import { useState } from 'react'
import { Button } from '../../../components/Button.tsx'
import { Initials } from '../../../components/StepCard.tsx'
import { text } from '../../../text/index.ts'
import { Act, type Of, Refused, useAnswering, Waiting } from '../act.tsx'

const words = text.sitting.step

/** Initials of whoever saw it. */
export function Initial({ question: { initials, problem }, step }: { question: Of<'initial'>; step: number }) {
  const { give, pending, failure, fields } = useAnswering()
  const [typed, setTyped] = useState('')
  const finish = () => typed.trim() !== '' && give({ give: 'initials', initials: typed })
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        finish()
      }}
    >
      <div ref={fields}>
        <Initials
          who={words.initialsHint(initials.map((one) => one.initials))}
          value={typed}
          onChange={setTyped}
          disabled={pending}
        />
      </div>
      <Refused problem={problem} failure={failure} />
      <Waiting when={pending} />
      <Act>
        <Button
          kind="filled"
          onPress={finish}
          pending={pending}
          waitsFor={typed.trim() === '' ? words.waitsInitials : undefined}
        >
          {words.finish(step)}
        </Button>
      </Act>
    </form>
  )
}
