import { type ReactNode, useId } from 'react'
import { Button as AriaButton } from 'react-aria-components'
import css from './Button.module.css'
import { classes } from './classes.ts'

export type ButtonKind = 'filled' | 'plain' | 'danger' | 'quiet' | 'link'

export type ButtonProps = {
  children: ReactNode
  onPress?: () => void
  /** `filled` is the act due now: one on a screen. `danger` has no way back. `quiet` has no edge, `link` reads as text. */
  kind?: ButtonKind
  type?: 'button' | 'submit'
  disabled?: boolean
  /** What the button waits for ("Waits for 1 approval."): disables it and stands beside it. */
  waitsFor?: string | undefined
  waitsPlace?: 'before' | 'below'
  /** Under way: stays focused, does not act again. */
  pending?: boolean
  /** Fills its column. */
  wide?: boolean
  label?: string
}

/** A disabled button says what it waits for; one without such a reason is better left out. */
export function Button({ waitsFor, waitsPlace = 'before', ...props }: ButtonProps) {
  const reason = useId()
  if (!waitsFor) return <Bare {...props} />
  return (
    <span className={classes(css.waiting, waitsPlace === 'below' && css.below, props.wide && css.wide)}>
      <span id={reason} className={css.reason}>
        {waitsFor}
      </span>
      <Bare {...props} disabled describedBy={reason} />
    </span>
  )
}

type BareProps = Omit<ButtonProps, 'waitsFor' | 'waitsPlace'> & { describedBy?: string }

function Bare({ children, onPress, kind = 'plain', type = 'button', disabled, pending, wide, ...rest }: BareProps) {
  return (
    <AriaButton
      className={classes(css.button, css[kind], wide && css.wide)}
      type={type}
      isDisabled={disabled ?? false}
      isPending={pending ?? false}
      {...(onPress ? { onPress } : {})}
      {...(rest.label ? { 'aria-label': rest.label } : {})}
      {...(rest.describedBy ? { 'aria-describedby': rest.describedBy } : {})}
    >
      {children}
    </AriaButton>
  )
}

/** Buttons side by side, the act due now first; they wrap where there is no room. */
export function Buttons({ children }: { children: ReactNode }) {
  return <div className={css.row}>{children}</div>
}
