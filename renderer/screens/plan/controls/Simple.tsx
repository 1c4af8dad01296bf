import { useState } from 'react'
import { spellDuration } from '../../../../shared/domain/policy.ts'
import { Choice, MultiChoice } from '../../../components/Choice.tsx'
import { TextField } from '../../../components/Field.tsx'
import { text } from '../../../text/index.ts'
import { DEFAULT_SPEC } from '../defaults.ts'
import { secondsOf, splitDuration } from '../durations.ts'
import type { FieldOf } from '../field-types.ts'
import css from '../plan.module.css'
import { asTexts } from '../values.ts'
import { type ControlProps, useForm, useWrong } from './context.ts'

/** Controls whose value is one thing that is typed or chosen from a fixed list. */

const shown = (value: unknown): string => (value === undefined || value === null ? '' : String(value))

export function TextControl({ field, value, onChange, at }: ControlProps) {
  const { label, hint } = text.plan.form.fields[field.words]
  const exact = field.type === 'fingerprint' || field.type === 'id'
  return (
    <TextField
      label={label}
      hint={hint}
      value={shown(value)}
      onChange={onChange}
      error={useWrong(at)}
      mono={exact}
      {...(field.type === 'reason' ? { lines: 2, maxLength: 500 } : { maxLength: 256 })}
      {...(field.type === 'issuer' ? { inputMode: 'url' as const } : {})}
    />
  )
}

export function NumberControl({ field, value, onChange, at }: ControlProps<FieldOf<'number'>>) {
  const { label, hint } = text.plan.form.fields[field.words]
  const standard = field.standard === undefined ? '' : text.plan.form.byDefault(String(field.standard))
  return (
    <TextField
      label={label}
      hint={hint || standard}
      value={shown(value)}
      onChange={onChange}
      error={useWrong(at)}
      inputMode="numeric"
      maxLength={7}
    />
  )
}

const UNITS = ['d', 'h', 'm', 's'] as const

/** A count and its unit, in words; kept as plan files write it. */
export function DurationControl({ field, value, onChange, at }: ControlProps<FieldOf<'duration'>>) {
  const { fields, units, unit: unitName, byDefault } = text.plan.form
  const { label, hint } = fields[field.words]
  const given = splitDuration(shown(value))
  const [unit, setUnit] = useState(given.unit ?? splitDuration(field.standard ?? field.initial ?? '').unit ?? 'd')
  const tell = (count: string, chosen: string) => onChange(count === '' ? undefined : `${count}${chosen}`)
  const standard = field.standard === undefined ? '' : byDefault(spellDuration(secondsOf(field.standard)))
  return (
    <fieldset className={css.duration} aria-label={label}>
      <TextField
        label={label}
        hint={hint || standard}
        value={given.count}
        onChange={(count) => tell(count, unit)}
        error={useWrong(at)}
        inputMode="numeric"
        maxLength={5}
      />
      <Choice
        label={unitName}
        look="select"
        options={UNITS.map((one) => ({ value: one, label: units[one] }))}
        value={unit}
        onChange={(chosen) => {
          setUnit(chosen)
          tell(given.count, chosen)
        }}
      />
    </fieldset>
  )
}

/** Yes or no; where the plan may leave it out, also as it is by default. */
export function YesNoControl({ field, value, onChange }: ControlProps<FieldOf<'yes-no'>>) {
  const { fields, yes, no, asDefault } = text.plan.form
  const { label, hint } = fields[field.words]
  const three = field.words === 'destroyPrivateAtRetirement'
  const options = [
    ...(three ? [{ value: 'default', label: asDefault }] : []),
    { value: 'yes', label: yes },
    { value: 'no', label: no },
  ]
  const chosen = value === true ? 'yes' : value === false || !three ? 'no' : 'default'
  return (
    <Choice
      label={label}
      hint={hint}
      look="radio"
      options={options}
      value={chosen}
      onChange={(id) => onChange(id === 'default' ? undefined : id === 'yes')}
    />
  )
}

const LISTS: Record<FieldOf<'choice'>['from'], (form: ReturnType<typeof useForm>) => Record<string, string>> = {
  roles: () => text.plan.form.roles,
  sharePlaces: () => text.plan.form.sharePlaces,
  standbys: () => text.plan.form.standbys,
  tokenTypes: () => text.plan.form.tokenTypes,
  ed25519Names: () => text.plan.form.ed25519Names,
  importFormats: () => text.plan.form.importFormats,
  exportFormats: () => text.plan.form.exportFormats,
  specs: ({ choices }) => Object.fromEntries(choices.specs.map((spec) => [spec, spec])),
}

/** One of a fixed list; the first stands for what holds by default where nothing was chosen. */
export function ChoiceControl({ field, value, onChange, at, beside }: ControlProps<FieldOf<'choice'>>) {
  const { label, hint } = text.plan.form.fields[field.words]
  const options = Object.entries(LISTS[field.from](useForm())).map(([id, name]) => ({ value: id, label: name }))
  const wrong = useWrong(at)
  const [first] = options
  const chosen = shown(value) || (field.optional ? (first?.value ?? null) : null)
  // Only custodians hold a share.
  if (field.from === 'sharePlaces' && beside['role'] !== 'custodian') return null
  return (
    <div>
      <Choice
        label={label}
        hint={hint}
        look={field.from === 'standbys' ? 'radio' : 'select'}
        options={options}
        value={chosen}
        onChange={onChange}
      />
      <Wrong message={wrong} />
    </div>
  )
}

/** The algorithm that signs, or those that sign beside it. */
export function SpecsControl({ field, value, onChange }: ControlProps<FieldOf<'specs'>>) {
  const { label, hint } = text.plan.form.fields[field.words]
  const { specs } = useForm().choices
  const [first = DEFAULT_SPEC, ...others] = asTexts(value)
  const options = specs.map((spec) => ({ value: spec, label: spec }))
  const words = { label, hint }
  if (field.part === 'first')
    return (
      <Choice
        {...words}
        look="select"
        options={options}
        value={first}
        onChange={(spec) => onChange([spec, ...others.filter((one) => one !== spec)])}
      />
    )
  return (
    <MultiChoice
      {...words}
      options={options.filter((option) => option.value !== first)}
      value={others}
      onChange={(more) => onChange([first, ...more])}
    />
  )
}

/** What is wrong with a choice; fields that are typed into say it themselves. */
export function Wrong({ message }: { message: string | undefined }) {
  if (message === undefined) return null
  return (
    <p className={css.wrong} role="alert" tabIndex={-1} data-wrong>
      {message}
    </p>
  )
}
