import { ChevronDown } from 'lucide-react'
import type { ReactNode } from 'react'
import {
  Checkbox as AriaCheckbox,
  Button,
  CheckboxGroup,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  Radio,
  RadioGroup,
  Select,
  SelectValue,
  Text,
} from 'react-aria-components'
import { text } from '../text/index.ts'
import css from './Choice.module.css'
import { classes } from './classes.ts'
import field from './Field.module.css'

export type Option = { value: string; label: string; note?: ReactNode; disabled?: boolean }

export type ChoiceProps = {
  label: string
  options: readonly Option[]
  value: string | null
  onChange: (value: string) => void
  hint?: ReactNode
  /** Radios by default up to five options, a list that opens for more. */
  look?: 'radio' | 'select' | undefined
  disabled?: boolean
}

/** One of several. */
export function Choice({ look, ...props }: ChoiceProps) {
  const opens = (look ?? (props.options.length > 5 ? 'select' : 'radio')) === 'select'
  return opens ? <Opening {...props} /> : <Radios {...props} />
}

type Plain = Omit<ChoiceProps, 'look'>

function Radios({ label, options, value, onChange, hint, disabled }: Plain) {
  return (
    <RadioGroup className={classes(field.field)} value={value} onChange={onChange} isDisabled={disabled ?? false}>
      <Label className={classes(field.label)}>{label}</Label>
      <div className={css.options}>
        {options.map((option) => (
          <Radio
            key={option.value}
            value={option.value}
            className={classes(css.option)}
            isDisabled={option.disabled ?? false}
          >
            <svg className={css.mark} width="20" height="20" viewBox="0 0 20 20" aria-hidden="true">
              <circle className={css.box} cx="10" cy="10" r="9" />
              <circle className={css.dot} cx="10" cy="10" r="5" />
            </svg>
            <Words option={option} />
          </Radio>
        ))}
      </div>
      {hint && (
        <Text slot="description" className={classes(field.hint)}>
          {hint}
        </Text>
      )}
    </RadioGroup>
  )
}

function Opening({ label, options, value, onChange, hint, disabled }: Plain) {
  return (
    <Select
      className={classes(field.field)}
      value={value}
      onChange={(key) => {
        if (key !== null) onChange(String(key))
      }}
      isDisabled={disabled ?? false}
      placeholder={text.fields.choose}
    >
      <Label className={classes(field.label)}>{label}</Label>
      <Button className={classes(field.input, css.select)}>
        <SelectValue className={classes(css.selected)} />
        <ChevronDown size={16} aria-hidden="true" />
      </Button>
      {hint && (
        <Text slot="description" className={classes(field.hint)}>
          {hint}
        </Text>
      )}
      <Popover className={classes(css.popover)}>
        <ListBox className={classes(css.list)}>
          {options.map((option) => (
            <ListBoxItem
              key={option.value}
              id={option.value}
              textValue={option.label}
              className={classes(css.item)}
              isDisabled={option.disabled ?? false}
            >
              <Words option={option} />
            </ListBoxItem>
          ))}
        </ListBox>
      </Popover>
    </Select>
  )
}

export type MultiChoiceProps = {
  label: string
  options: readonly Option[]
  value: readonly string[]
  onChange: (value: string[]) => void
  hint?: ReactNode
  disabled?: boolean
}

/** Any of several. */
export function MultiChoice({ label, options, value, onChange, hint, disabled }: MultiChoiceProps) {
  return (
    <CheckboxGroup
      className={classes(field.field)}
      value={[...value]}
      onChange={onChange}
      isDisabled={disabled ?? false}
    >
      <Label className={classes(field.label)}>{label}</Label>
      <div className={css.options}>
        {options.map((option) => (
          <AriaCheckbox
            key={option.value}
            value={option.value}
            className={classes(css.option)}
            isDisabled={option.disabled ?? false}
          >
            <Tick />
            <Words option={option} />
          </AriaCheckbox>
        ))}
      </div>
      {hint && (
        <Text slot="description" className={classes(field.hint)}>
          {hint}
        </Text>
      )}
    </CheckboxGroup>
  )
}

export type CheckboxProps = {
  checked: boolean
  onChange: (checked: boolean) => void
  children: ReactNode
  disabled?: boolean
}

/** One thing that is so or not. */
export function Checkbox({ checked, onChange, children, disabled }: CheckboxProps) {
  return (
    <AriaCheckbox
      className={classes(css.option)}
      isSelected={checked}
      onChange={onChange}
      isDisabled={disabled ?? false}
    >
      <Tick />
      <span>{children}</span>
    </AriaCheckbox>
  )
}

const Tick = () => (
  <svg className={css.mark} width="20" height="20" viewBox="0 0 20 20" aria-hidden="true">
    <rect className={css.box} x="0.5" y="0.5" width="19" height="19" rx="4" />
    <path className={css.tick} d="M5 10.5 8.5 14 15 6.5" />
  </svg>
)

const Words = ({ option }: { option: Option }) => (
  <span className={css.words}>
    <span>{option.label}</span>
    {option.note && <span className={css.note}>{option.note}</span>}
  </span>
)
