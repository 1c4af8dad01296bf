import type { Choices } from '../../../../shared/contract/plan.ts'
import type { Option } from '../../../components/Choice.tsx'
import { TextField } from '../../../components/Field.tsx'
import { text } from '../../../text/index.ts'
import type { FieldOf } from '../field-types.ts'
import { type ControlProps, useForm, useWrong } from './context.ts'
import {
  backupOptions,
  copyOptions,
  holdOptions,
  keyOptions,
  personOptions,
  runtimeOptions,
  tenantOptions,
} from './options.ts'
import { PickOne } from './Picker.tsx'

type OneField = FieldOf<'tenant' | 'runtime' | 'person' | 'key' | 'hold' | 'copy' | 'backup'>

const OPTIONS: Record<OneField['type'], (choices: Choices) => Option[]> = {
  tenant: tenantOptions,
  runtime: runtimeOptions,
  person: personOptions,
  key: keyOptions,
  hold: holdOptions,
  copy: copyOptions,
  backup: backupOptions,
}

/** One thing of the vault; typed where there is nothing to choose from. */
export function OneControl({ field, value, onChange, at }: ControlProps<OneField>) {
  const { label, hint } = text.plan.form.fields[field.words]
  const options = OPTIONS[field.type](useForm().choices)
  const wrong = useWrong(at)
  const given = value === undefined || value === null ? '' : String(value)
  const unknown = given !== '' && !options.some((option) => option.value === given)
  if (options.length === 0 || unknown)
    return <TextField label={label} hint={hint} value={given} onChange={onChange} error={wrong} mono />
  return <PickOne label={label} hint={hint} options={options} value={given} onChange={onChange} wrong={wrong} />
}
