import { type ComponentType, createContext, useContext } from 'react'
import type { Choices } from '../../../../shared/contract/plan.ts'
import type { Wrong } from '../check.ts'
import type { Field, Form, Values } from '../field-types.ts'

/** What every control of a form needs besides its own value. */

/** A form, or the part of one that stands inside a field. */
export type ControlsProps = { fields: Form; values: Values; onChange: (values: Values) => void; at: string }

/** `Controls`: draws the fields that stand inside others, which know it only from here. */
type Shared = { choices: Choices; wrong: Wrong; Controls: ComponentType<ControlsProps> }

export const FormContext = createContext<Shared | null>(null)

export function useForm(): Shared {
  const shared = useContext(FormContext)
  if (!shared) throw new Error('Controls stand inside a form.')
  return shared
}

/** What is wrong at a place, once it is to be said. */
export const useWrong = (at: string): string | undefined => useForm().wrong[at]

/** One field with its value and where it stands in the form. `beside`: the values that stand beside it. */
export type ControlProps<F extends Field = Field> = {
  field: F
  value: unknown
  onChange: (value: unknown) => void
  at: string
  beside: Values
}
