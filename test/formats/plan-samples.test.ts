import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { CEREMONY_KINDS } from '../../shared/domain/events.ts'
import { parsePlan } from '../../shared/formats/plan.ts'

const FOLDER = join(import.meta.dirname, '../../docs/plans')
const samples = readdirSync(FOLDER).filter((name) => name.endsWith('.json'))

it('docs/plans has a plan of every kind, and each is valid', () => {
  const kinds = samples.map((name) => {
    const { plan } = parsePlan(readFileSync(join(FOLDER, name), 'utf8'))
    expect(name).toBe(`${plan.kind}.json`)
    return plan.kind
  })
  expect(kinds.toSorted()).toEqual([...CEREMONY_KINDS].toSorted())
})
