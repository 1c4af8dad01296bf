import { text } from '../../../text/index.ts'
import type { Field, Values } from '../field-types.ts'
import { asValues } from '../values.ts'
import type { ControlProps, ControlsProps } from './context.ts'
import { EitherControl } from './Either.tsx'
import { FileControl, FilesControl } from './Files.tsx'
import { Folded } from './Folded.tsx'
import { OneControl } from './One.tsx'
import { PolicyControl } from './Policy.tsx'
import { RowsControl } from './Rows.tsx'
import { SeveralControl, TenantsControl } from './Several.tsx'
import { ChoiceControl, DurationControl, NumberControl, SpecsControl, TextControl, YesNoControl } from './Simple.tsx'

/** The controls of a form, in the order of its fields; rare ones are folded away. */
export function Controls({ fields, values, onChange, at }: ControlsProps) {
  const draw = (field: Field) => (
    <Control key={`${field.name} ${field.words}`} field={field} values={values} onChange={onChange} at={at} />
  )
  const folded = fields.filter((field) => field.folded)
  return (
    <>
      {fields.filter((field) => !field.folded).map(draw)}
      {folded.length > 0 && (
        <Folded title={text.plan.form.advanced} at={folded.map(({ name }) => `${at}${name}`)}>
          {folded.map(draw)}
        </Folded>
      )}
    </>
  )
}

type PlacedProps = { field: Field; values: Values; onChange: (values: Values) => void; at: string }

function Control({ field, values, onChange, at }: PlacedProps) {
  if (field.type === 'either') return <EitherControl field={field} values={values} onChange={onChange} at={at} />
  const props = {
    value: values[field.name],
    onChange: (value: unknown) => onChange({ ...values, [field.name]: value }),
    at: `${at}${field.name}`,
    beside: values,
  }
  return <Drawn field={field} {...props} />
}

function Drawn({ field, ...props }: ControlProps) {
  switch (field.type) {
    case 'duration':
      return <DurationControl field={field} {...props} />
    case 'number':
      return <NumberControl field={field} {...props} />
    case 'yes-no':
      return <YesNoControl field={field} {...props} />
    case 'choice':
      return <ChoiceControl field={field} {...props} />
    case 'specs':
      return <SpecsControl field={field} {...props} />
    case 'tenant':
    case 'runtime':
    case 'person':
    case 'key':
    case 'hold':
    case 'copy':
    case 'backup':
      return <OneControl field={field} {...props} />
    case 'keys':
    case 'runtimes':
    case 'backups':
      return <SeveralControl field={field} {...props} />
    case 'tenants':
      return <TenantsControl field={field} {...props} />
    case 'file':
      return <FileControl field={field} {...props} />
    case 'files':
      return <FilesControl field={field} {...props} />
    case 'group':
      return (
        <Controls fields={field.fields} values={asValues(props.value)} onChange={props.onChange} at={`${props.at}.`} />
      )
    case 'policy':
      return <PolicyControl field={field} {...props} />
    case 'rows':
      return <RowsControl field={field} {...props} />
    case 'either':
      return null
    default:
      return <TextControl field={field} {...props} />
  }
}
