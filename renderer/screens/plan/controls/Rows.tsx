import { useRef } from 'react'
import { Button } from '../../../components/Button.tsx'
import { Checkbox } from '../../../components/Choice.tsx'
import { classes } from '../../../components/classes.ts'
import { text } from '../../../text/index.ts'
import type { FieldOf, Values } from '../field-types.ts'
import css from '../plan.module.css'
import { asRows, begunRow } from '../values.ts'
import { type ControlProps, useForm, useWrong } from './context.ts'
import { Wrong } from './Simple.tsx'

/** Several of the same, one below the other. */
export function RowsControl({ field, value, onChange, at }: ControlProps<FieldOf<'rows'>>) {
  const { fields, add } = text.plan.form
  const { label, hint } = fields[field.words]
  const wrong = useWrong(at)
  const list = useRef<HTMLOListElement>(null)
  const rows = asRows(value)
  const named = !field.replaces || Array.isArray(value)
  const more = () => {
    onChange([...rows, begunRow(field.fields)])
    // Whoever adds one wants to fill it in.
    requestAnimationFrame(() => list.current?.querySelector<HTMLElement>(':scope > li:last-of-type input')?.focus())
  }
  return (
    <fieldset className={css.rows}>
      <legend className={css.legend}>{label}</legend>
      {hint && <p className={css.words}>{hint}</p>}
      {field.replaces && (
        <Checkbox checked={named} onChange={(is) => onChange(is ? rows : undefined)}>
          {label}
        </Checkbox>
      )}
      {named && (
        <>
          <ol ref={list} className={css.list}>
            {rows.map((row, index) => (
              <Row
                key={String(row['$row'])}
                field={field}
                rows={rows}
                row={row}
                index={index}
                onChange={onChange}
                at={at}
              />
            ))}
          </ol>
          <Wrong message={wrong} />
          <div>
            <Button onPress={more}>{add[field.words]}</Button>
          </div>
        </>
      )}
    </fieldset>
  )
}

type RowProps = Pick<ControlProps<FieldOf<'rows'>>, 'field' | 'onChange' | 'at'> & {
  rows: readonly Values[]
  row: Values
  index: number
}

function Row({ field, rows, row, index, onChange, at }: RowProps) {
  const { one, remove } = text.plan.form
  const { Controls } = useForm()
  const name = one[field.words] ?? ''
  const many = rows.length > field.least
  return (
    <li className={css.row} aria-label={`${name} ${index + 1}`}>
      <div className={css.rowHead}>
        <span>
          {name} {index + 1}
        </span>
        {many && (
          <Button
            kind="quiet"
            label={remove(name.toLowerCase(), index + 1)}
            onPress={() => onChange(rows.toSpliced(index, 1))}
          >
            ×
          </Button>
        )}
      </div>
      <div className={classes(isShort(field) ? css.beside : css.below)}>
        <Controls
          fields={field.fields}
          values={row}
          onChange={(changed) => onChange(rows.with(index, changed))}
          at={`${at}.${index}.`}
        />
      </div>
    </li>
  )
}

/** A few plain fields stand beside one another. */
const isShort = ({ fields }: FieldOf<'rows'>): boolean =>
  fields.length <= 4 && fields.every(({ type }) => !['either', 'policy', 'rows', 'group', 'reason'].includes(type))
