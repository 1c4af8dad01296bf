import { type FormEvent, useEffect, useId, useRef, useState } from 'react'
import { text } from '../text/index.ts'
import { Button } from './Button.tsx'
import css from './Field.module.css'
import secret from './SecretField.module.css'

export type SecretFieldProps = {
  /** Whose: "Custodian 4, your passphrase". */
  label: string
  /** The word on the button. */
  action: string
  /** Takes the value; the field is empty before this is called. */
  onSubmit: (value: string) => void
  /** A second field for a new secret; both must be the same before anything is handed over. */
  repeat?: boolean
  hint?: string
  error?: string | undefined
  /** Under way. */
  pending?: boolean
  disabled?: boolean
  takesFocus?: boolean
}

/**
 * A passphrase. It lives in its input alone, never in the state of a component, and the input is emptied as it is
 * submitted and when it goes; nothing else here keeps it.
 */
export function SecretField({ label, action, onSubmit, repeat, hint, error, ...rest }: SecretFieldProps) {
  const { pending = false, disabled = false, takesFocus = false } = rest
  const id = useId()
  const first = useRef<HTMLInputElement>(null)
  const second = useRef<HTMLInputElement>(null)
  const [problem, setProblem] = useState<string>()
  useEmptied(first, second)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (pending) return
    const given = take(first.current)
    const again = take(second.current)
    const wrong = given === '' ? text.fields.empty : repeat && given !== again ? text.fields.differ : undefined
    setProblem(wrong)
    if (wrong) first.current?.focus()
    else onSubmit(given)
  }
  const said = problem ?? error
  const common = { describedBy: `${id}-more`, invalid: said !== undefined, disabled: disabled || pending }
  return (
    <form className={css.field} onSubmit={submit} autoComplete="off">
      <div className={secret.row}>
        <SecretInput {...common} label={label} id={id} inputRef={first} takesFocus={takesFocus} />
        {repeat && <SecretInput {...common} label={text.fields.repeat} id={`${id}-2`} inputRef={second} />}
        <Button kind="filled" type="submit" pending={pending} disabled={disabled}>
          {action}
        </Button>
      </div>
      <p id={`${id}-more`} className={said ? css.error : css.hint} role={said ? 'alert' : undefined}>
        {said ?? hint ?? text.fields.secretHint}
      </p>
    </form>
  )
}

type Input = React.RefObject<HTMLInputElement | null>

function take(input: HTMLInputElement | null): string {
  const value = input?.value ?? ''
  if (input) input.value = ''
  return value
}

/** Nothing stays in an input that leaves the screen. */
function useEmptied(...inputs: Input[]): void {
  const held = useRef(inputs)
  useEffect(() => {
    const elements = held.current.map((input) => input.current)
    return () => {
      for (const element of elements) take(element)
    }
  }, [])
}

type SecretInputProps = {
  label: string
  id: string
  inputRef: Input
  describedBy: string
  invalid: boolean
  disabled: boolean
  takesFocus?: boolean
}

function SecretInput({ label, id, inputRef, describedBy, invalid, disabled, takesFocus }: SecretInputProps) {
  useEffect(() => {
    if (takesFocus) inputRef.current?.focus()
  }, [takesFocus, inputRef])
  return (
    <div className={secret.part}>
      <label className={css.label} htmlFor={id}>
        {label}
      </label>
      <input
        ref={inputRef}
        id={id}
        className={css.input}
        type="password"
        autoComplete="off"
        autoCapitalize="off"
        autoCorrect="off"
        spellCheck={false}
        maxLength={1024}
        disabled={disabled}
        aria-describedby={describedBy}
        aria-description={text.fields.notSpoken}
        aria-invalid={invalid}
        data-1p-ignore=""
      />
    </div>
  )
}
