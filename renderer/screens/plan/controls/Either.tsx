import { Choice } from '../../../components/Choice.tsx'
import { text } from '../../../text/index.ts'
import type { FieldOf, Values } from '../field-types.ts'
import { shapeOf } from '../values.ts'
import { useForm } from './context.ts'

type EitherProps = { field: FieldOf<'either'>; values: Values; onChange: (values: Values) => void; at: string }

/** One of several shapes, and the fields of the one chosen. What was typed into the others stays, unused. */
export function EitherControl({ field, values, onChange, at }: EitherProps) {
  const { fields, shapes } = text.plan.form
  const { Controls } = useForm()
  const chosen = shapeOf(field, values)
  return (
    <>
      <Choice
        label={fields[field.words].label}
        hint={fields[field.words].hint}
        options={field.shapes.map(({ id }) => ({ value: id, label: shapes[id] }))}
        value={chosen?.id ?? null}
        onChange={(id) => onChange({ ...values, [field.name]: id })}
        look="radio"
      />
      {chosen && <Controls fields={chosen.fields} values={values} onChange={onChange} at={at} />}
    </>
  )
}
