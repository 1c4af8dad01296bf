import { text } from '../../text/index.ts'
import type { Field, FieldOf, Form, Values } from './field-types.ts'
import { asRows, asValues, shapeOf } from './values.ts'

/** What a form can say at once of what was typed; whether it fits the vault is for the review. By path: "tenants.0.issuer". */

export type Wrong = Readonly<Record<string, string>>

const ID = /^[a-z](?:[a-z0-9]|-(?=[a-z0-9])){0,62}$/
const DURATION = /^\d{1,5}[smhd]$/
const FILE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,120}$/
const FINGERPRINT = /^(?:[0-9A-Fa-f]{64}|[A-Za-z0-9_-]{43})$/

/** Everything that is missing or cannot be right. */
export function wrongIn(fields: Form, values: Values, path = ''): Wrong {
  return Object.assign({}, ...fields.map((field) => wrongOf(field, values, `${path}${field.name}`, path)))
}

function wrongOf(field: Field, values: Values, at: string, path: string): Wrong {
  const given = values[field.name]
  switch (field.type) {
    case 'either':
      return wrongIn(shapeOf(field, values)?.fields ?? [], values, path)
    case 'group':
    case 'policy':
      return wrongIn(field.fields, asValues(given), `${at}.`)
    case 'rows':
      return wrongRows(field, given, at)
    default: {
      const message = messageOf(field, given)
      return message === null ? {} : { [at]: message }
    }
  }
}

function wrongRows(field: FieldOf<'rows'>, given: unknown, at: string): Wrong {
  const rows = asRows(given)
  const few = rows.length < field.least ? { [at]: text.plan.errors.rows(field.least) } : {}
  return Object.assign(few, ...rows.map((row, index) => wrongIn(field.fields, row, `${at}.${index}.`)))
}

const isEmpty = (given: unknown): boolean =>
  given === undefined ||
  given === null ||
  (typeof given === 'string' && given.trim() === '') ||
  (Array.isArray(given) && given.length === 0)

function messageOf(field: Field, given: unknown): string | null {
  const { errors } = text.plan
  if (isEmpty(given)) return field.optional || field.type === 'yes-no' ? null : emptyOf(field)
  const typed = String(given).trim()
  switch (field.type) {
    case 'line':
    case 'copy':
      return typed.length <= 200 ? null : errors.line
    case 'reason':
      return typed.length >= 3 && typed.length <= 500 ? null : errors.reason
    case 'id':
    case 'tenant':
    case 'runtime':
    case 'person':
    case 'hold':
      return ID.test(typed) ? null : errors.id
    case 'issuer':
      return /^https?:\/\/\S{2,}$/.test(typed) && typed.length <= 256 ? null : errors.issuer
    case 'fingerprint':
      return FINGERPRINT.test(typed.replace(/\s/g, '')) ? null : errors.fingerprint
    case 'duration':
      return DURATION.test(typed) ? null : errors.duration
    case 'number':
      return inRange(typed, field.least, field.most) ? null : errors.number(field.least, field.most)
    case 'backup':
      return inRange(typed, 1, 1_000_000) ? null : errors.number(1, 1_000_000)
    case 'file':
      return FILE.test(typed) ? null : errors.file
    default:
      return null
  }
}

const inRange = (typed: string, least: number, most: number): boolean =>
  /^\d{1,7}$/.test(typed) && Number(typed) >= least && Number(typed) <= most

function emptyOf({ type }: Field): string {
  const { errors } = text.plan
  if (type === 'tenants' || type === 'keys') return errors.chooseSome
  return ['choice', 'tenant', 'runtime', 'person', 'key'].includes(type) ? errors.choose : errors.missing
}
