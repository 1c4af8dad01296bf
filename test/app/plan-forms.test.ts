import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { wrongIn } from '../../renderer/screens/plan/check.ts'
import type { Form, Values } from '../../renderer/screens/plan/field-types.ts'
import { FORMS, GROUPS } from '../../renderer/screens/plan/forms.ts'
import { begun, formOf, planOf, textOf } from '../../renderer/screens/plan/values.ts'
import { plan as words } from '../../renderer/text/en/plan.ts'
import { CEREMONY_KINDS } from '../../shared/domain/events.ts'
import { ED25519_NAMES, STANDBYS, TOKEN_TYPES } from '../../shared/domain/policy.ts'
import { parsePlan } from '../../shared/formats/plan.ts'

/** The plan screen's forms as data: every kind of plan can be built with one, and read back into it. */

const SAMPLES = join(import.meta.dirname, '../../docs/plans')
const sample = (kind: string): string => readFileSync(join(SAMPLES, `${kind}.json`), 'utf8')

it('every kind has a form, a sample, and a place among the groups', () => {
  const grouped = Object.values(GROUPS).flat()
  expect([...grouped].sort()).toEqual([...CEREMONY_KINDS].sort())
  expect(Object.keys(FORMS).sort()).toEqual([...CEREMONY_KINDS].sort())
  expect(readdirSync(SAMPLES).filter((name) => name.endsWith('.json'))).toHaveLength(CEREMONY_KINDS.length)
})

describe('from values to a plan', () => {
  it.each(CEREMONY_KINDS)('%s: the sample is built through the form, and parses as the same plan', (kind) => {
    const form = formOf(sample(kind))
    expect(form?.kind).toBe(kind)
    const values = form?.values ?? {}
    expect(wrongIn(FORMS[kind], values)).toEqual({})
    expect(parsePlan(textOf(planOf(kind, values))).plan).toEqual(parsePlan(sample(kind)).plan)
  })

  it.each(CEREMONY_KINDS)('%s: what is typed into the fields alone makes a plan', (kind) => {
    const values = begun(FORMS[kind], typed(FORMS[kind]))
    expect(wrongIn(FORMS[kind], values)).toEqual({})
    expect(parsePlan(textOf(planOf(kind, values))).plan.kind).toBe(kind)
  })

  it.each(CEREMONY_KINDS.filter((kind) => kind !== 'inventory' && kind !== 'rotate'))(
    '%s: an empty form says what is missing',
    (kind) => {
      expect(Object.keys(wrongIn(FORMS[kind], begun(FORMS[kind])))).not.toEqual([])
    },
  )
})

it('what a policy is chosen from is what a plan takes, the default first', () => {
  expect(Object.keys(words.form.standbys)).toEqual([...STANDBYS])
  expect(Object.keys(words.form.tokenTypes)).toEqual([...TOKEN_TYPES])
  expect(Object.keys(words.form.ed25519Names)).toEqual([...ED25519_NAMES])
})

describe('shapes', () => {
  const KID = 'A'.repeat(43)

  it('only the members of the chosen shape join the plan, whatever was typed into the others', () => {
    const values = { ...begun(FORMS.destroy, { keys: [KID], tenant: 'acme' }), reason: 'End of schedule' }
    expect(planOf('destroy', { ...values, $what: 'keys' })).toEqual({
      kind: 'destroy',
      keys: [KID],
      reason: 'End of schedule',
    })
    expect(planOf('destroy', { ...values, $what: 'everyKey' })).toMatchObject({ tenant: 'acme' })
    expect(planOf('destroy', { ...values, $what: 'retired' })).toEqual({
      kind: 'destroy',
      retired: true,
      reason: 'End of schedule',
    })
  })

  it('what is given chooses the shape: a hold on keys is not a hold on a tenant', () => {
    const given = (change: Values) => begun(FORMS.amend, { changes: [change] })['changes']
    expect(given({ hold: 'case-7', keys: [KID] })).toMatchObject([{ $change: 'holdKeys' }])
    expect(given({ hold: 'case-7', tenant: 'acme' })).toMatchObject([{ $change: 'holdTenant' }])
    expect(given({ tenant: 'acme', name: 'Acme' })).toMatchObject([{ $change: 'amend' }])
  })

  it('relying parties that are not to be replaced are not named; an empty list takes all away', () => {
    const change = (relyingParties: unknown) => ({
      ...begun(FORMS.amend),
      reason: 'Agreed',
      changes: [{ $change: 'amend', tenant: 'acme', name: 'Acme', relyingParties }],
    })
    expect(planOf('amend', change(undefined))['changes']).toEqual([{ tenant: 'acme', name: 'Acme' }])
    expect(planOf('amend', change([]))['changes']).toEqual([{ tenant: 'acme', name: 'Acme', relyingParties: [] }])
  })
})

describe('what the form does not know stays text', () => {
  it.each([
    ['no JSON', '{"kind":'],
    ['no plan', '[]'],
    ['an unknown kind', '{"kind":"party"}'],
    ['the name of a built-in member', '{"kind":"constructor"}'],
    ['an unknown member', '{"kind":"inventory","force":true}'],
    ['a wrong type', '{"kind":"rotate","tenants":7}'],
    [
      'more tenants than a form is fit for',
      textOf({
        kind: 'onboard',
        tenants: Array.from({ length: 41 }, (_, n) => ({
          tenant: `t-${n}`,
          name: 'T',
          issuer: `https://t${n}.example`,
        })),
      }),
    ],
  ])('%s', (_, text) => {
    expect(formOf(text)).toBeNull()
  })
})

describe('what can be said at once', () => {
  const wrong = (kind: keyof typeof FORMS, given: Values) => wrongIn(FORMS[kind], begun(FORMS[kind], given))
  it.each([
    [
      'a capital in an id',
      'onboard',
      { tenants: [{ tenant: 'Acme', name: 'Acme', issuer: 'https://acme.example' }] },
      'tenants.0.tenant',
    ],
    [
      'no scheme',
      'onboard',
      { tenants: [{ tenant: 'acme', name: 'Acme', issuer: 'acme.example' }] },
      'tenants.0.issuer',
    ],
    [
      'a cache without a unit',
      'onboard',
      {
        tenants: [
          { tenant: 'acme', name: 'A', issuer: 'https://a.example', relyingParties: [{ name: 'G', cache: '12' }] },
        ],
      },
      'tenants.0.relyingParties.0.cache',
    ],
    ['too few dice', 'rotate', { dice: 12 }, 'dice'],
    ['half a fingerprint', 'enroll-runtime', { enrollment: 'e.keyrite', fingerprint: '0000 0000' }, 'fingerprint'],
    ['a path', 'intake', { runtime: 'r', receipts: '../receipts' }, 'receipts'],
    ['no key', 'destroy', { reason: 'End of schedule', keys: [] }, 'keys'],
    ['a threshold of one', 'custody', { reason: 'Agreed', threshold: 1 }, 'threshold'],
  ] as const)('%s', (_, kind, given, place) => {
    expect(Object.keys(wrong(kind, given))).toContain(place)
  })
})

/** Something that every field takes, as a person would type it. */
function typed(fields: Form): Values {
  const values: Values = {}
  for (const field of fields) {
    if (field.type === 'either')
      Object.assign(values, { [field.name]: field.shapes[0]?.id }, typed(field.shapes[0]?.fields ?? []))
    else if (field.type === 'group' || field.type === 'policy') values[field.name] = typed(field.fields)
    else if (field.type === 'rows')
      values[field.name] = Array.from({ length: Math.max(1, field.least) }, (_, number) =>
        numbered(typed(field.fields), number),
      )
    else if (field.type === 'number') values[field.name] = Math.max(field.least, 2)
    else values[field.name] = EXAMPLES[field.type]
  }
  return values
}

const numbered = (row: Values, number: number): Values => ({
  ...row,
  ...('id' in row ? { id: `person-${number}`, name: `Person ${number}`, role: 'custodian' } : {}),
  ...('format' in row ? { format: 'pem', spec: 'RS256' } : {}),
})

const KID = 'A'.repeat(43)
const EXAMPLES: Record<string, unknown> = {
  line: 'A few words',
  reason: 'A few words',
  id: 'acme',
  issuer: 'https://acme.example',
  fingerprint: '0000 '.repeat(16).trim(),
  duration: '90d',
  'yes-no': true,
  tenant: 'acme',
  runtime: 'runtime-1',
  person: 'ada',
  key: KID,
  hold: 'case-7',
  copy: 'runtime:runtime-1',
  backup: 1,
  keys: [KID],
  runtimes: ['runtime-1'],
  backups: [1],
  tenants: 'all',
  file: 'file.keyrite',
  files: ['file.keyrite'],
  specs: ['ES256'],
}
