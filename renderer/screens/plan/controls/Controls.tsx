import { Button as AriaButton, Disclosure, DisclosurePanel, Heading } from 'react-aria-components'
import { text } from '../../../text/index.ts'
import type { Field, Form, Values } from '../field-types.ts'
import css from '../plan.module.css'
import { asValues } from '../values.ts'
import { type ControlProps, useForm } from './context.ts'
import { EitherControl } from './Either.tsx'
import { FileControl, FilesControl } from './Files.tsx'
import { OneControl } from './One.tsx'
import { PolicyControl } from './Policy.tsx'
import { RowsControl } from './Rows.tsx'
import { SeveralControl, TenantsControl } from './Several.tsx'
import { ChoiceControl, DurationControl, NumberControl, SpecsControl, TextControl, YesNoControl } from './Simple.tsx'

export type ControlsProps = { fields: Form; values: Values; onChange: (values: Values) => void; at: string }

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

type FoldedProps = { title: string; at: readonly string[]; children: React.ReactNode }

/** Opens by itself where something inside is wrong. */
export function Folded({ title, at, children }: FoldedProps) {
  const { wrong } = useForm()
  const open = at.some((place) => Object.keys(wrong).some((path) => path.startsWith(place)))
  return (
    <Disclosure className={css.folded ?? ''} {...(open ? { isExpanded: true } : {})}>
      <Heading level={2} className={css.foldedHead ?? ''}>
        <AriaButton slot="trigger" className={css.unfold ?? ''}>
          <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true" className={css.chevron}>
            <path d="M4 2 8 6 4 10" />
          </svg>
          {title}
        </AriaButton>
      </Heading>
      <DisclosurePanel>
        <div className={css.foldedBody}>{children}</div>
      </DisclosurePanel>
    </Disclosure>
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
