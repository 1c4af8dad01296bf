import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { TOKEN_ALGORITHMS, trustPolicySchema } from '../../shared/formats/trust-policy.ts'
import { REASONS } from '../../shared/trust/reasons.ts'

/** docs/guides/trust.md says what the code does. */

const DOCS = join(import.meta.dirname, '../../docs')
const guide = readFileSync(join(DOCS, 'guides/trust.md'), 'utf8')

/** The rows of the table below a heading of its own columns. */
const rowsOf = (section: string) =>
  [...section.matchAll(/^\| `([^`]+)` \| (.+) \|$/gm)].map(([, name = '', words = '']) => [name, words])
const between = (start: string, end: string) => guide.slice(guide.indexOf(start), guide.indexOf(end))

it('every reason stands there, in the order of the checks, in the same words', () => {
  expect(rowsOf(between('## Reasons', '## Trying it'))).toEqual(Object.entries(REASONS))
})

it('every member of the file stands there, and no other', () => {
  const { issuers, ...top } = trustPolicySchema.shape
  const sources = issuers.element.shape.keys.options
  const members = [
    ...Object.keys(top),
    'issuers',
    ...Object.keys(issuers.element.shape),
    ...sources.flatMap((one) => Object.keys(one.shape).filter((name) => name !== 'source')),
  ]
  const named = rowsOf(between('## The file', '## In a program')).flatMap(([name = '']) =>
    /^\w+$/.test(name) ? [name] : [],
  )
  expect(named.toSorted()).toEqual([...new Set(members)].toSorted())
  for (const name of TOKEN_ALGORITHMS) expect(guide).toContain(name)
})

it('every claim rule stands there', () => {
  const rules = rowsOf(between('A rule names', '`keys` with')).map(([name = '']) => /^"(\w+)"/.exec(name)?.[1])
  const { claim: _, ...tests } = trustPolicySchema.shape.issuers.element.shape.claims.unwrap().element.shape
  expect(rules).toEqual(Object.keys(tests))
})

it('the table of examples names every one', () => {
  const readme = readFileSync(join(DOCS, 'policies/README.md'), 'utf8')
  const files = readdirSync(join(DOCS, 'policies')).filter((name) => name.endsWith('.json'))
  const named = [...readme.matchAll(/^\| \[(\w+)\]\((\w+\.json)\)/gm)].map(([, , file]) => file)
  expect(named.toSorted()).toEqual(files.toSorted())
})
