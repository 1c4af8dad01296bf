import type { CeremonyKind } from '../../state.tsx'
import type { Field, FieldOf, Form, Shape, Values } from './field-types.ts'
import { FORMS } from './forms.ts'

/** From a form's values to a plan, and back. */

/** As many entries of a list as a form is fit for; more are prepared as text. */
const MOST_ROWS = 40

/** The plan that a form's values make. */
export const planOf = (kind: CeremonyKind, values: Values): Values => ({ kind, ...membersOf(FORMS[kind], values) })

/** The text of a plan, as it is shown, saved and digested. */
export const textOf = (plan: Values): string => `${JSON.stringify(plan, null, 2)}\n`

function membersOf(fields: Form, values: Values): Values {
  const members: Values = {}
  for (const field of fields) {
    if (field.type === 'either') Object.assign(members, eitherOf(field, values))
    else {
      const value = memberOf(field, values[field.name])
      if (value !== undefined) members[field.name] = value
    }
  }
  return members
}

function eitherOf(field: FieldOf<'either'>, values: Values): Values {
  const shape = shapeOf(field, values)
  return { ...membersOf(shape?.fields ?? [], values), ...shape?.always }
}

/** The shape that was chosen; the first until somebody chooses. */
export const shapeOf = ({ name, shapes }: FieldOf<'either'>, values: Values): Shape | undefined =>
  shapes.find(({ id }) => id === values[name]) ?? shapes[0]

/** One member of the plan; undefined leaves it out. */
function memberOf(field: Field, given: unknown): unknown {
  switch (field.type) {
    case 'number':
    case 'backup':
      return given === undefined || given === '' ? undefined : Number(given)
    case 'yes-no':
      return field.optional ? given : given === true
    case 'tenants':
      return given === 'all' || isFilled(given) ? given : undefined
    case 'keys':
    case 'runtimes':
    case 'backups':
    case 'files':
    case 'specs':
      return isFilled(given) ? given : undefined
    case 'group':
      return membersOf(field.fields, asValues(given))
    case 'policy': {
      const members = membersOf(field.fields, asValues(given))
      return Object.keys(members).length > 0 ? members : undefined
    }
    case 'rows':
      return rowsOf(field, given)
    default:
      return typeof given === 'string' && given.trim() !== '' ? given.trim() : undefined
  }
}

function rowsOf({ fields, keepEmpty, replaces }: FieldOf<'rows'>, given: unknown): Values[] | undefined {
  if (!Array.isArray(given)) return keepEmpty ? [] : undefined
  const rows = given.map((row) => membersOf(fields, asValues(row)))
  return rows.length > 0 || keepEmpty || replaces ? rows : undefined
}

const isFilled = (given: unknown): boolean => Array.isArray(given) && given.length > 0

export const asValues = (given: unknown): Values =>
  typeof given === 'object' && given !== null && !Array.isArray(given) ? (given as Values) : {}

export const asRows = (given: unknown): Values[] => (Array.isArray(given) ? given.map(asValues) : [])

export const asTexts = (given: unknown): string[] => (Array.isArray(given) ? given.map(String) : [])

/** The values with which a form begins: what is given, and for the rest what is sensible. */
export function begun(fields: Form, given: Values = {}): Values {
  const values: Values = {}
  for (const field of fields) {
    const known = given[field.name]
    if (field.type === 'either') {
      const chosen = recognised(field, given)
      values[field.name] = chosen?.id
      Object.assign(
        values,
        begun(
          field.shapes.flatMap((shape) => shape.fields),
          given,
        ),
      )
    } else if (field.type === 'group' || field.type === 'policy')
      values[field.name] = begun(field.fields, asValues(known))
    else if (field.type === 'rows') values[field.name] = begunRows(field, known)
    else values[field.name] = known ?? field.initial
  }
  return values
}

function begunRows({ fields, least, replaces }: FieldOf<'rows'>, known: unknown): Values[] | undefined {
  if (Array.isArray(known)) return known.map((row) => begunRow(fields, asValues(row)))
  if (replaces) return undefined
  return Array.from({ length: Math.min(least, 1) }, () => begunRow(fields))
}

let rows = 0

/** A row of a list. `$row` tells it from the others while rows come and go; it is no member of the plan. */
export function begunRow(fields: Form, given: Values = {}): Values {
  rows += 1
  return { ...begun(fields, given), $row: rows }
}

/** The shape of a plan: the one most of whose telling members it has. */
function recognised({ name, shapes }: FieldOf<'either'>, given: Values): Shape | undefined {
  const chosen = shapes.find(({ id }) => id === given[name])
  if (chosen) return chosen
  const fitting = shapes.filter(({ tell }) => tell.every((member) => given[member] !== undefined))
  return fitting.toSorted((one, other) => other.tell.length - one.tell.length)[0] ?? shapes[0]
}

/** The kind and the form's values of a plan file; null where the file says what the form cannot. */
export function formOf(text: string): { kind: CeremonyKind; values: Values } | null {
  try {
    const plan = asValues(JSON.parse(text))
    const { kind, ...given } = plan
    if (typeof kind !== 'string' || !Object.hasOwn(FORMS, kind) || isLong(given)) return null
    const known = kind as CeremonyKind
    const values = begun(FORMS[known], given)
    return same(planOf(known, values), plan) ? { kind: known, values } : null
  } catch {
    return null
  }
}

const isLong = (given: Values): boolean =>
  Object.values(given).some((value) => Array.isArray(value) && value.length > MOST_ROWS && value.some(isObject))

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null

/** True where two JSON values say the same, whatever the order of members. An absent list says as much as an empty one. */
function same(one: unknown, other: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((value, index) => same(value, other[index]))
  if (!isObject(one) || !isObject(other)) return one === other
  const [first, second] = [asValues(one), asValues(other)]
  const names = new Set([...Object.keys(first), ...Object.keys(second)])
  return [...names].every((name) => same(first[name], second[name]))
}
