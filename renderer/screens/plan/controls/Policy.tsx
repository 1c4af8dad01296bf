import { text } from '../../../text/index.ts'
import type { FieldOf } from '../field-types.ts'
import css from '../plan.module.css'
import { asValues } from '../values.ts'
import { type ControlProps, useForm } from './context.ts'
import { Folded } from './Folded.tsx'

/** How keys rotate: the algorithm and what holds by default in words; everything else is folded away. */
export function PolicyControl({ field, value, onChange, at }: ControlProps<FieldOf<'policy'>>) {
  const { fields, advanced, policyWords, policyKept } = text.plan.form
  const { Controls } = useForm()
  const values = asValues(value)
  const [first, ...options] = field.fields
  const shared = { values, onChange, at: `${at}.` }
  return (
    <fieldset className={css.policy}>
      <legend className={css.legend}>{fields[field.words].label}</legend>
      <p className={css.words}>{field.change ? policyKept : policyWords}</p>
      {first && !field.change && <Controls fields={[first]} {...shared} />}
      <Folded title={advanced} at={[at]}>
        <div className={css.options}>
          <Controls fields={field.change && first ? [first, ...options] : options} {...shared} />
        </div>
      </Folded>
    </fieldset>
  )
}
