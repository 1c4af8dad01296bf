import type { ReactNode } from 'react'
import { text } from '../text/index.ts'
import css from './DangerConfirmation.module.css'
import { Fields, TextField } from './Field.tsx'
import { clock } from './format.ts'
import { Status, type StatusKind } from './Status.tsx'

export type Confirmer = {
  id: string
  name: string
  typed: string
  /** When the phrase was complete. */
  at: number | null
  /** Their field can be typed in now. */
  active?: boolean
}

export type DangerConfirmationProps = {
  /** What happens, in one sentence: "Step 12 erases the vault's copy for good." */
  consequence: ReactNode
  /** What everybody types. */
  phrase: string
  people: readonly Confirmer[]
  onType: (id: string, value: string) => void
}

/** No way back: the consequence in serif, and each custodian types the phrase. It cannot be copied, and pasting is refused. */
export function DangerConfirmation({ consequence, phrase, people, onType }: DangerConfirmationProps) {
  return (
    <section className={css.danger} aria-label={text.danger.cannotBeUndone}>
      <p className={css.mark}>
        <Status kind="danger">{text.danger.cannotBeUndone}</Status>
      </p>
      <p className={css.consequence}>{consequence}</p>
      <p className={css.ask}>
        {people.length > 1 ? text.danger.typeExactly : text.danger.oneTypes}{' '}
        <span className={css.phrase} onCopy={refuse} onCut={refuse}>
          {phrase}
        </span>
      </p>
      <Fields>
        {people.map(({ id, name, typed, at, active }) => (
          <TextField
            key={id}
            label={name}
            value={typed}
            onChange={(value) => onType(id, value)}
            state={stateOf(typed, phrase, at)}
            readOnly={at !== null}
            disabled={at === null && active === false}
            maxLength={phrase.length + 8}
            mono
            typedOnly
          />
        ))}
      </Fields>
    </section>
  )
}

const refuse = (event: { preventDefault: () => void }): void => event.preventDefault()

/** How far somebody's typing agrees with the phrase. */
function stateOf(typed: string, phrase: string, at: number | null): { kind: StatusKind; words: string } {
  if (typed === phrase)
    return { kind: 'done', words: at === null ? text.danger.complete : text.danger.typed(clock(at)) }
  const wrong = [...typed].findIndex((letter, index) => letter !== phrase[index])
  if (wrong >= phrase.length) return { kind: 'danger', words: text.danger.tooLong }
  if (wrong >= 0) return { kind: 'danger', words: text.danger.differs(wrong + 1) }
  return { kind: 'waiting', words: text.danger.toGo(phrase.length - typed.length) }
}
