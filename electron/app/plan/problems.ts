import { z } from 'zod'
import { CEREMONY_KINDS } from '../../../shared/domain/events.ts'
import { isKeyriteError } from '../../../shared/errors.ts'
import { parsePlan, planSchema } from '../../../shared/formats/plan.ts'
import { lineOf, type Places, placesOf } from './json-places.ts'

/** What is wrong with a plan file, in plain words and with the line where it stands. */

export type Problem = { line: number | null; message: string }

/** The same with the member that it is about, like `tenants[2].policy`; empty for the whole. */
export type PlacedProblem = Problem & { place: string }

type Issue = z.core.$ZodIssue

/** Every problem of the file's form; an empty list means that it can be read as a plan. */
export const problemsOf = (text: string): Problem[] =>
  placedProblemsOf(text).map(({ line, message }) => ({ line, message }))

/** As `problemsOf`, with the member that each problem is about. */
export function placedProblemsOf(text: string): PlacedProblem[] {
  try {
    parsePlan(text)
    return []
  } catch (error) {
    if (!isKeyriteError(error)) throw error
    return inJson(text) ?? inPlan(text) ?? [{ line: null, place: '', message: error.message }]
  }
}

const NOT_JSON: [RegExp, string][] = [
  [/end of JSON input/, 'The file ends too early: a closing } or ] or " is missing.'],
  [/double-quoted property name/, 'A name in "quotes" belongs here. Often the comma before is one too many.'],
  [/',' or '[}\]]'/, 'A comma or a closing bracket is missing before this place.'],
  [/':' after/, 'A colon is missing between a name and its value.'],
]

function inJson(text: string): PlacedProblem[] | null {
  try {
    JSON.parse(text)
    return null
  } catch (error) {
    const said = error instanceof Error ? error.message : ''
    const at = /line (\d+) column (\d+)/.exec(said)
    const lines = text.trimEnd().split('\n').length
    const known = NOT_JSON.find(([pattern]) => pattern.test(said))?.[1]
    const message = known ?? 'This is not JSON: something that does not belong here.'
    return [{ line: at ? Number(at[1]) : lines, place: '', message: at ? `${message} (column ${at[2]})` : message }]
  }
}

function inPlan(text: string): PlacedProblem[] | null {
  const value: unknown = JSON.parse(text)
  const places = placesOf(text)
  const doubled = places.twice.map(({ path, line }) => ({
    line,
    place: spelledPath(path.split('.')),
    message: `“${path}” stands twice.`,
  }))
  const { error } = planSchema.safeParse(value)
  const problems = [...doubled, ...(error?.issues ?? []).flatMap((issue) => spelled(issue, value, places))]
  return problems.length > 0 ? problems : null
}

/** `tenants[2].policy` */
const spelledPath = (path: readonly PropertyKey[]): string =>
  path
    .map(String)
    .reduce((said, part) => (/^\d+$/.test(part) ? `${said}[${part}]` : said === '' ? part : `${said}.${part}`), '')

function spelled(issue: Issue, plan: unknown, places: Places): PlacedProblem[] {
  const at = (path: readonly PropertyKey[], message: string): PlacedProblem => ({
    line: lineOf(places, path),
    place: spelledPath(path),
    message,
  })
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => {
      const path = [...issue.path, key]
      return at(path, `“${key}” is not known ${whereIs(issue.path)}.${meant(key, namesAt(plan, issue.path))}`)
    })
  const last = issue.path.at(-1)
  const name = last === undefined ? 'The plan' : typeof last === 'number' ? `Number ${last + 1}` : `“${String(last)}”`
  const inside = issue.path.length > 1 ? ` ${whereIs(issue.path.slice(0, -1))}` : ''
  return [at(issue.path, `${name}${inside} ${wrong(issue, valueAt(plan, issue.path))}`)]
}

const EXPECTED: Record<string, string> = {
  string: 'text in quotes',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list in [ ]',
  object: 'an object in { }',
}

/** Patterns of the schemas, as people know them. */
const FORMS: [part: string, words: string][] = [
  ['{42}', 'must be a whole key id or digest: 43 characters, as "key list" shows it.'],
  ['._-]{0,120}', 'must be the name of a file on the medium, without a folder.'],
  ['smhd', 'must be a duration like 90d, 12h, 30m or 45s.'],
]

function wrong(issue: Issue, value: unknown): string {
  if (value === undefined) return 'is missing.'
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${EXPECTED[issue.expected] ?? issue.expected}.`
    case 'invalid_value':
      return `is one of ${issue.values.map(String).join(', ')}.${meant(String(value), issue.values.map(String))}`
    case 'invalid_union':
      return 'discriminator' in issue && issue.discriminator === 'kind'
        ? `is no kind of ceremony. Kinds are ${CEREMONY_KINDS.join(', ')}.${meant(String(value), CEREMONY_KINDS)}`
        : `must be ${issue.message}.`
    case 'invalid_format':
      return (
        FORMS.find(([part]) => 'pattern' in issue && issue.pattern?.includes(part))?.[1] ??
        'is not of the allowed form.'
      )
    case 'too_small':
      return `must ${sized(issue.origin)} ${issue.minimum} or more.`
    case 'too_big':
      return `must ${sized(issue.origin)} ${issue.maximum} at most.`
    default:
      return issue.message === 'not an allowed id'
        ? 'must be 1 to 63 lower-case letters, digits and single hyphens, starting with a letter.'
        : `is not right: ${issue.message}.`
  }
}

const sized = (origin: string): string =>
  ({ string: 'have this many characters:', array: 'have this many entries:' })[origin] ?? 'be'

const whereIs = (path: readonly PropertyKey[]): string =>
  path.length === 0
    ? 'in this kind of plan'
    : `in ${path.map((part) => (typeof part === 'number' ? `number ${part + 1}` : `“${String(part)}”`)).join(', ')}`

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((inner, part) => (inner as Record<PropertyKey, unknown> | undefined)?.[part], value)

type Schema = {
  oneOf?: Schema[]
  anyOf?: Schema[]
  properties?: Record<string, Schema & { const?: unknown }>
  items?: Schema
}

/** The names that the schema knows at a place of this plan. */
function namesAt(plan: unknown, path: readonly PropertyKey[]): string[] {
  const kind = valueAt(plan, ['kind'])
  const whole = z.toJSONSchema(planSchema, { io: 'input', unrepresentable: 'any' }) as Schema
  let here = alternatives(whole).filter((one) => one.properties?.['kind']?.const === kind)
  for (const part of path)
    here = here
      .flatMap((one) => (typeof part === 'number' ? one.items : one.properties?.[String(part)]) ?? [])
      .flatMap(alternatives)
  return here.flatMap((one) => Object.keys(one.properties ?? {}))
}

const alternatives = (schema: Schema): Schema[] => schema.oneOf ?? schema.anyOf ?? [schema]

/** " Did you mean …?" where one of the names is close. */
function meant(typed: string, names: readonly string[]): string {
  const near = names
    .map((name) => ({ name, apart: distance(typed.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, apart }) => apart <= Math.max(2, Math.floor(name.length / 3)))
    .toSorted((one, other) => one.apart - other.apart)[0]
  return near ? ` Did you mean “${near.name}”?` : ''
}

/** How many letters must change (Levenshtein). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (const [index, letter] of [...from].entries()) {
    const next = [index + 1]
    for (const [column, other] of [...to].entries())
      next.push(
        Math.min((row[column] ?? 0) + (letter === other ? 0 : 1), (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1),
      )
    row = next
  }
  return row.at(-1) ?? 0
}
