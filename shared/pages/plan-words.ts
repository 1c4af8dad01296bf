import { spellDuration } from '../domain/policy.ts'
import { MB, parseJson } from '../formats/json.ts'
import { type Html, html, type Part, said } from './page.ts'

/** A plan file in words: the same members in the same order, names spelled out and durations told in days and hours. */

const DURATION = /^(\d{1,5})([smhd])$/
const UNITS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 }
const DURATIONS = new Set([
  'rotationInterval',
  'propagationTime',
  'retentionDuration',
  'extension',
  'accessTokenLifetime',
  'destructionCoolingOff',
  'slotLength',
  'signFor',
  'cache',
  'validFor',
  'endingWithin',
  'signFor',
])

/** Draws a plan. A plan that is no JSON object is shown as it is. */
export function planInWords(plan: string): Html {
  const value = planObject(plan)
  return value ? table(value) : html`<p class="mono">${plan}</p>`
}

/** The same in plain lines, two blanks deeper for what belongs to the line above. */
export function planInLines(plan: string): string[] {
  const value = planObject(plan)
  return value ? linesOf(value, '') : plan.split('\n')
}

/** The record holds the plan as it was read: null for one that no longer parses. */
function planObject(plan: string): Record<string, unknown> | null {
  try {
    const value = parseJson(plan, { maxBytes: 4 * MB })
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

function linesOf(members: Record<string, unknown>, indent: string): string[] {
  return Object.entries(members).flatMap(([name, value]) => {
    const title = `${indent}${spoken(name)}:`
    if (isObject(value)) return [title, ...linesOf(value, `${indent}  `)]
    if (!Array.isArray(value) || value.every(isPlain)) return [`${title} ${plainText(name, value)}`]
    return [title, ...value.flatMap((one, index) => itemOf(one, index, `${indent}  `))]
  })
}

function itemOf(value: unknown, index: number, indent: string): string[] {
  const [first = '', ...rest] = isObject(value) ? linesOf(value, `${indent}   `) : [plainText('', value)]
  return [`${indent}${`${index + 1}.`.padEnd(3)}${first.trimStart()}`, ...rest]
}

function plainText(name: string, value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (Array.isArray(value)) return value.map((one) => plainText(name, one)).join(', ') || 'none'
  if (typeof value !== 'string') return value === null ? 'none' : String(value)
  return spelled(name, value) ?? value
}

/** A duration such as 90d in days and hours; null for anything else. */
function spelled(name: string, value: string): string | null {
  const [, count, unit] = (DURATIONS.has(name) && DURATION.exec(value)) || []
  return count && unit ? spellDuration(Number(count) * (UNITS[unit] ?? 1)) : null
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isPlain = (value: unknown): boolean => value === null || typeof value !== 'object'

const isLine = (value: unknown): boolean => (Array.isArray(value) ? value.every(isPlain) : isPlain(value))

/** "relyingParties" becomes "Relying parties". */
const spoken = (name: string): string => {
  const spaced = name
    .replace(/[-_]/g, ' ')
    .replace(/([a-z0-9])([A-Z])/g, (_, end: string, next: string) => `${end} ${next.toLowerCase()}`)
  return spaced.charAt(0).toUpperCase() + spaced.slice(1)
}

const table = (members: Record<string, unknown>): Html => html`<table class="facts"><tbody>
${Object.entries(members).map(([name, value]) => html`<tr><th scope="row">${spoken(name)}</th><td>${rowsOf(value) ?? say(name, value)}</td></tr>\n`)}</tbody></table>
`

function say(name: string, value: unknown): Part {
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (value === null) return 'none'
  if (typeof value === 'string' || typeof value === 'number') return scalar(name, value)
  if (Array.isArray(value)) return list(name, value)
  return isObject(value) ? members(value) : null
}

function scalar(name: string, value: string | number): Part {
  if (typeof value !== 'string') return value
  const duration = spelled(name, value)
  if (duration !== null) return duration
  // Long unbroken strings are compared, not read: they stand in mono.
  return /^\S{40,}$/.test(value) ? html`<span class="mono">${value}</span>` : said(value)
}

/** Plain members stand in one line, others in a list of their own. */
function members(value: Record<string, unknown>): Part {
  const told = Object.entries(value).map(([name, one]) => html`${spoken(name)}: ${say(name, one)}`)
  if (Object.values(value).every(isLine)) return told.map((one, index) => html`${index > 0 ? '; ' : null}${one}`)
  return html`<ul class="nested">${told.map((one) => html`<li>${one}</li>`)}</ul>`
}

function list(name: string, values: readonly unknown[]): Part {
  if (values.length === 0) return 'none'
  if (values.every(isPlain)) return values.map((value, index) => html`${index > 0 ? ', ' : null}${say(name, value)}`)
  const items = values.map((value) => say(name, value))
  return items.length === 1 ? items : html`<ol class="nested">${items.map((item) => html`<li>${item}</li>`)}</ol>`
}

/** A list of objects with the same few plain members, such as the people of a vault. */
function rowsOf(value: unknown): Html | null {
  if (!Array.isArray(value) || value.length === 0 || !value.every(isObject)) return null
  const columns = [...new Set(value.flatMap((row) => Object.keys(row)))]
  if (columns.length > 4 || !value.every((row) => Object.values(row).every(isPlain))) return null
  return html`<table><thead><tr>${columns.map((column) => html`<th scope="col">${spoken(column)}</th>`)}</tr></thead><tbody>
${value.map((row) => html`<tr>${columns.map((column) => html`<td>${column in row ? say(column, row[column]) : null}</td>`)}</tr>\n`)}</tbody></table>`
}
