import { type ReactNode, useId } from 'react'
import { TextField as AriaTextField, FieldError, Input, Label, Text, TextArea } from 'react-aria-components'
import { text } from '../text/index.ts'
import { classes } from './classes.ts'
import css from './Field.module.css'
import { Status, type StatusKind } from './Status.tsx'

export type FieldProps = {
  label: ReactNode
  /** A line below, always there. */
  hint?: ReactNode
  /** What is wrong and what to do; stands in place of the hint and is read aloud. */
  error?: string | undefined
  /** `look` is the class of Keyrite's inputs. */
  children: (control: { id: string; describedBy: string; invalid: boolean; look: string }) => ReactNode
}

/** Label, hint and error around a control of one's own. */
export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId()
  const describedBy = `${id}-more`
  return (
    <div className={css.field}>
      <label className={css.label} htmlFor={id}>
        {label}
      </label>
      {children({ id, describedBy, invalid: error !== undefined, look: classes(css.input) })}
      <p id={describedBy} className={error ? css.error : css.hint} role={error ? 'alert' : undefined}>
        {error ?? hint}
      </p>
    </div>
  )
}

export type TextFieldProps = {
  label: ReactNode
  value: string
  onChange: (value: string) => void
  hint?: ReactNode
  error?: string | undefined
  /** A word with a shape below the field, for what the value amounts to: "Matches", "4 characters to go". */
  state?: { kind: StatusKind; words: string } | undefined
  mono?: boolean
  lines?: number
  required?: boolean
  disabled?: boolean
  readOnly?: boolean
  maxLength?: number
  inputMode?: 'text' | 'numeric' | 'decimal' | 'url'
  /** Takes focus when it appears; on a page whose title does not. */
  takesFocus?: boolean
  /** Typed from a voice or a paper: what is pasted does not count. */
  typedOnly?: boolean
  onEnter?: () => void
}

/** One line (or several) of text. Nothing is remembered, completed or corrected by the browser. */
export function TextField({ label, value, onChange, hint, error, state, lines, ...rest }: TextFieldProps) {
  const control = controlProps(rest)
  return (
    <AriaTextField
      className={classes(css.field)}
      value={value}
      onChange={onChange}
      isInvalid={error !== undefined}
      isRequired={rest.required ?? false}
      isDisabled={rest.disabled ?? false}
      isReadOnly={rest.readOnly ?? false}
      autoComplete="off"
      spellCheck="false"
      {...(rest.takesFocus ? { autoFocus: true } : {})}
      {...(rest.maxLength ? { maxLength: rest.maxLength } : {})}
      {...(rest.inputMode ? { inputMode: rest.inputMode } : {})}
    >
      <Label className={classes(css.label)}>{label}</Label>
      {lines ? <TextArea {...control} rows={lines} /> : <Input {...control} />}
      {error && <FieldError className={classes(css.error)}>{error}</FieldError>}
      {!error && hint && (
        <Text slot="description" className={classes(css.hint)}>
          {hint}
        </Text>
      )}
      {state && (
        <span className={css.state} role="status">
          <Status kind={state.kind}>{state.words}</Status>
        </span>
      )}
    </AriaTextField>
  )
}

type Control = Pick<TextFieldProps, 'mono' | 'typedOnly' | 'onEnter'>
type Stopped = { preventDefault: () => void }

const refuse = (event: Stopped): void => event.preventDefault()

const controlProps = ({ mono, typedOnly, onEnter }: Control) => ({
  className: classes(css.input, mono && css.mono),
  ...(typedOnly ? { onPaste: refuse, onDrop: refuse } : {}),
  ...(onEnter
    ? {
        onKeyDown: (event: Stopped & { key: string }) => {
          if (event.key === 'Enter') onEnter()
        },
      }
    : {}),
})

/** Fields beside one another, below one another where there is no room. */
export function Fields({ children }: { children: ReactNode }) {
  return <div className={css.fields}>{children}</div>
}

export const optional = (label: string): ReactNode => (
  <>
    {label} <span className={css.optional}>{text.fields.optional}</span>
  </>
)
