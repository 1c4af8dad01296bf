import { useState } from 'react'
import { Choice } from '../../../components/Choice.tsx'
import { TextField } from '../../../components/Field.tsx'
import { text } from '../../../text/index.ts'
import type { FieldOf } from '../field-types.ts'
import css from '../plan.module.css'
import { asTexts } from '../values.ts'
import { type ControlProps, useForm, useWrong } from './context.ts'
import { backupOptions, keyOptions, runtimeOptions, tenantOptions } from './options.ts'
import { PickSome } from './Picker.tsx'

type SeveralField = FieldOf<'keys' | 'runtimes' | 'backups'>

/** Several things of the vault; typed where there is nothing to choose from. */
export function SeveralControl({ field, value, onChange, at }: ControlProps<SeveralField>) {
  const { choices } = useForm()
  const { label, hint } = text.plan.form.fields[field.words]
  const wrong = useWrong(at)
  const options =
    field.type === 'keys'
      ? keyOptions(choices, field.doomed)
      : field.type === 'backups'
        ? backupOptions(choices)
        : runtimeOptions(choices)
  const given = asTexts(value)
  const tell = (chosen: string[]) => onChange(field.type === 'backups' ? chosen.map(Number) : chosen)
  const unknown = given.some((one) => !options.some((option) => option.value === one))
  if (options.length === 0 && field.optional && given.length === 0) return null
  if (options.length === 0 || unknown)
    return <TypedList label={label} hint={hint} value={given} onChange={tell} wrong={wrong} />
  return <PickSome label={label} hint={hint} options={options} value={given} onChange={tell} wrong={wrong} />
}

/** All tenants, or certain ones. */
export function TenantsControl({ field, value, onChange, at }: ControlProps<FieldOf<'tenants'>>) {
  const { choices } = useForm()
  const { fields, all, some } = text.plan.form
  const { label, hint } = fields[field.words]
  const wrong = useWrong(at)
  const options = tenantOptions(choices)
  const given = asTexts(value)
  return (
    <>
      <Choice
        label={label}
        hint={hint}
        look="radio"
        options={[
          { value: 'all', label: all },
          { value: 'some', label: some },
        ]}
        value={value === 'all' ? 'all' : 'some'}
        onChange={(chosen) => onChange(chosen === 'all' ? 'all' : [])}
      />
      {value !== 'all' && (
        <div className={css.inside}>
          {options.length === 0 ? (
            <TypedList label={some} hint={hint} value={given} onChange={onChange} wrong={wrong} />
          ) : (
            <PickSome label={some} hint={hint} options={options} value={given} onChange={onChange} wrong={wrong} />
          )}
        </div>
      )}
    </>
  )
}

type TypedProps = {
  label: string
  hint: string
  value: readonly string[]
  onChange: (value: string[]) => void
  wrong: string | undefined
}

/** Ids with spaces between them; while somebody types, what they typed stays as it is. */
export function TypedList({ label, hint, value, onChange, wrong }: TypedProps) {
  const [typed, setTyped] = useState(value.join(' '))
  return (
    <TextField
      label={label}
      hint={hint || text.plan.form.ids}
      value={typed}
      onChange={(words) => {
        setTyped(words)
        onChange(words.split(/[\s,]+/).filter(Boolean))
      }}
      error={wrong}
      mono
    />
  )
}
