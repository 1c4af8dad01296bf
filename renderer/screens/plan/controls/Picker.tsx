import { useState } from 'react'
import { Choice, MultiChoice, type Option } from '../../../components/Choice.tsx'
import { TextField } from '../../../components/Field.tsx'
import { text } from '../../../text/index.ts'
import css from '../plan.module.css'
import { Wrong } from './Simple.tsx'

/** Choosing from a list that may be long: what is typed narrows it, what is chosen always stands there. */

const MOST = 12

type ListProps = { label: string; hint: string; options: readonly Option[]; wrong: string | undefined }

type OneProps = ListProps & { value: string; onChange: (value: string) => void }

export function PickOne({ options, value, onChange, wrong, ...words }: OneProps) {
  const { shown, finder } = useFinder(words.label, options, [value])
  return (
    <div className={css.picker}>
      {finder}
      <Choice
        {...words}
        options={shown}
        value={value || null}
        onChange={onChange}
        look={finder ? 'radio' : undefined}
      />
      <Wrong message={wrong} />
    </div>
  )
}

type SomeProps = ListProps & { value: readonly string[]; onChange: (value: string[]) => void }

export function PickSome({ options, value, onChange, wrong, ...words }: SomeProps) {
  const { shown, finder } = useFinder(words.label, options, value)
  return (
    <div className={css.picker}>
      {finder}
      <MultiChoice {...words} options={shown} value={value} onChange={onChange} />
      {finder && <p className={css.quiet}>{text.plan.form.chosen(value.length)}</p>}
      <Wrong message={wrong} />
    </div>
  )
}

function useFinder(label: string, options: readonly Option[], chosen: readonly string[]) {
  const [typed, setTyped] = useState('')
  if (options.length <= MOST) return { shown: options, finder: null }
  const { filter, shown: said } = text.plan.form
  const wanted = typed.trim().toLowerCase()
  const found = options.filter(({ label, note, value }) =>
    `${label} ${note ?? ''} ${value}`.toLowerCase().includes(wanted),
  )
  const kept = options.filter(({ value }) => chosen.includes(value))
  const shown = [...kept.slice(0, MOST), ...found.filter((one) => !kept.includes(one)).slice(0, MOST)]
  return {
    shown,
    finder: (
      <TextField
        label={`${filter}: ${label.toLowerCase()}`}
        hint={said(shown.length, options.length)}
        value={typed}
        onChange={setTyped}
      />
    ),
  }
}
