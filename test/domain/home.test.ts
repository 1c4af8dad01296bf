import { expect, it } from 'vitest'
import { PROVE_EVERY, peopleStatus } from '../../shared/domain/home.ts'
import type { Ceremony } from '../../shared/domain/state.ts'

/** vault.md: "Home shows for each person when they last proved their passphrase; due every six months." */

const PEOPLE = [
  { id: 'ada', name: 'Ada', role: 'custodian' },
  { id: 'emmy', name: 'Emmy', role: 'compliance' },
] as const
const attended = (...attendance: Ceremony['attendance']) => ({ attendance }) as Ceremony
const state = (ceremonies: Ceremony[], proved: [number, [string, number][]][] = []) => ({
  ceremonies: new Map(ceremonies.map((one, index) => [String(index), one])),
  proved: new Map(proved.map(([epoch, people]) => [epoch, new Map(people)])),
  holders: { ada: 'medium' } as const,
  createdAt: 1000,
})

it.each([
  ['never since the vault was made', state([]), [null, null]],
  ['by opening the vault for a ceremony', state([attended({ at: 2000, present: ['emmy'] })]), [null, 2000]],
  [
    'by the newest of several',
    state([attended({ at: 2000, present: ['ada'] }, { at: 3000, present: ['ada', 'emmy'] })]),
    [3000, 3000],
  ],
  [
    'by proving a share later than that',
    state([attended({ at: 2000, present: ['ada'] })], [[1, [['ada', 2500]]]]),
    [2500, null],
  ],
])('%s', (_what, given, expected) => {
  expect(peopleStatus(given, PEOPLE, 4000).map((one) => one.lastProved)).toEqual(expected)
})

it('is due six months after it was proved, and overdue from that second on', () => {
  const given = state([attended({ at: 2000, present: ['ada'] })])
  const due = 2000 + PROVE_EVERY
  expect(peopleStatus(given, PEOPLE, due - 1)[0]).toMatchObject({ due, overdue: false, share: 'medium' })
  expect(peopleStatus(given, PEOPLE, due)[0]).toMatchObject({ due, overdue: true })
  expect(peopleStatus(given, PEOPLE, due)[1]).toMatchObject({ due: 1000 + PROVE_EVERY, overdue: true, share: null })
})
