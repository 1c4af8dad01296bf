import { useState } from 'react'
import { Choice, type Option } from '../../../components/Choice.tsx'
import { TextField } from '../../../components/Field.tsx'
import { fullDay } from '../../../components/format.ts'
import { text } from '../../../text/index.ts'
import type { FieldOf } from '../field-types.ts'
import css from '../plan.module.css'
import { asTexts } from '../values.ts'
import { type ControlProps, useForm, useWrong } from './context.ts'
import { PickSome } from './Picker.tsx'
import { TypedList } from './Several.tsx'
import { Wrong } from './Simple.tsx'

function useFiles(kinds: readonly string[]): Option[] {
  const { files } = useForm().choices
  return files
    .filter(({ kind }) => kinds.includes(kind))
    .map(({ name, modified }) => ({ value: name, label: name, note: text.plan.choose.changed(fullDay(modified)) }))
}

const TYPED = ' typed'

/** A file on the medium: one that lies there, or any other name. */
export function FileControl({ field, value, onChange, at }: ControlProps<FieldOf<'file'>>) {
  const { fields, typed, noFiles } = text.plan.form
  const { label, hint } = fields[field.words]
  const options = useFiles(field.kinds)
  const wrong = useWrong(at)
  const given = typeof value === 'string' ? value : ''
  const known = options.some((option) => option.value === given)
  const [typing, setTyping] = useState(given !== '' && !known)
  const written = (
    <TextField
      label={label}
      hint={hint || noFiles}
      value={given}
      onChange={onChange}
      error={wrong}
      mono
      maxLength={121}
    />
  )
  if (options.length === 0) return written
  return (
    <div className={css.picker}>
      <Choice
        label={label}
        hint={hint}
        options={[...options, { value: TYPED, label: typed }]}
        value={typing ? TYPED : given || null}
        onChange={(chosen) => {
          setTyping(chosen === TYPED)
          onChange(chosen === TYPED ? '' : chosen)
        }}
      />
      {typing ? written : <Wrong message={wrong} />}
    </div>
  )
}

/** Files on the medium; typed where none of that kind lies there. */
export function FilesControl({ field, value, onChange, at }: ControlProps<FieldOf<'files'>>) {
  const { label, hint } = text.plan.form.fields[field.words]
  const options = useFiles(field.kinds)
  const wrong = useWrong(at)
  const given = asTexts(value)
  const unknown = given.some((one) => !options.some((option) => option.value === one))
  const props = { label, hint, value: given, onChange, wrong }
  return options.length === 0 || unknown ? <TypedList {...props} /> : <PickSome {...props} options={options} />
}
