import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runGenesis } from '../../electron/ceremony/runner.ts'
import type { PersonName, Role } from '../../shared/domain/roster.ts'
import { failure, GENESIS, PEOPLE, Room, T0 } from '../ceremony/fixtures.ts'
import { readPlan } from '../ceremony/kinds.ts'

/** Fault 12: one person, two roles [refused]. */

let base: string
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'keyrite-roles-'))
})
afterAll(() => rmSync(base, { recursive: true, force: true }))

const person = (id: string, name: string, role: Role): PersonName => ({ id, name, role })
const CASES: [string, readonly PersonName[]][] = [
  ['the same id twice', [...PEOPLE, person('ada', 'Ada King', 'compliance')]],
  ['a custodian who is compliance officer too', [...PEOPLE, person('ada-two', 'Ada Lovelace', 'compliance')]],
  ['a custodian who is administrator too', [...PEOPLE, person('blaise-two', 'Blaise Pascal', 'administrator')]],
  ['a compliance officer who runs the machine', [...PEOPLE, person('emmy-two', 'Emmy Noether', 'administrator')]],
  ['a custodian with two shares', [...PEOPLE, person('clara-two', 'Clara Immerwahr', 'custodian')]],
  ['the same name in other letters', [...PEOPLE, person('ada-two', 'ADA LOVELACE', 'compliance')]],
  ['the same name in another Unicode form', [...PEOPLE, person('ada-two', 'Ａda Lovelace', 'compliance')]],
]

describe('a genesis in which one person has two roles', () => {
  it.each(CASES)('%s: refused, and nothing is made', async (_what, people) => {
    const room = new Room(join(base, `room-${readdirSync(base).length}`), new Map(), T0)
    const error = await failure(
      (async () => runGenesis(room.ports(), readPlan({ ...GENESIS, people: people.map((one) => ({ ...one })) })))(),
    )
    expect(['people-invalid', 'plan-invalid']).toContain(error.code)
    expect(existsSync(room.base)).toBe(false)
  })
})
