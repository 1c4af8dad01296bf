import type { PersonName } from '../../../shared/domain/roster.ts'
import { must } from '../../../shared/errors.ts'
import { differenceInWords, offsetOf, parseUtc } from '../../app/desk-rules.ts'
import type { ConfirmedTime } from '../../ceremony/ports.ts'
import { named, paragraph } from './layout.ts'
import type { Prompter } from './prompter.ts'

const TRIES = 3
const TWO = 'Two people read UTC from watches of their own, not from this machine and not from each other.'

/**
 * Two different people type UTC from their own watches; each sees how far this machine is off. Code `clock-refused`
 * when the two watches differ by more than two minutes three times.
 */
export async function askTime(
  ask: Prompter,
  { people, now }: { people: readonly PersonName[]; now: () => number },
): Promise<ConfirmedTime> {
  ask.say(`\nWhat time is it?\n\n${paragraph(TWO)}\n`)
  for (let left = TRIES; left > 0; left--) {
    const first = await readWatch(ask, people, now)
    const second = await readWatch(
      ask,
      people.filter(({ id }) => id !== first.by.id),
      now,
    )
    const offset = offsetOf(first.ahead, second.ahead)
    if (offset !== null) {
      ask.say(
        paragraph(`Both watches agree. ${offset === 0 ? 'This machine is right to a minute.' : corrected(offset)}`),
      )
      return { offset, by: [first.by.id, second.by.id] }
    }
    ask.say(paragraph('The two watches differ by more than two minutes. Look again, or take another watch.'))
  }
  must(false, 'clock-refused', 'The two watches never agreed to two minutes, so nobody knows what time it is.')
  return { offset: 0, by: [] }
}

const corrected = (offset: number): string =>
  `The watches are ${differenceInWords(offset)}; every time of this ceremony is corrected by that.`

async function readWatch(
  ask: Prompter,
  people: readonly PersonName[],
  now: () => number,
): Promise<{ by: PersonName; ahead: number }> {
  const choices = people.map((person) => ({ value: person.id, label: named(person) }))
  const id = await ask.choose('Who reads a watch?', choices)
  const by = people.find((person) => person.id === id) ?? { id, name: id, role: 'custodian' as const }
  const check = (typed: string) =>
    parseUtc(typed) === null
      ? 'Year, month, day, hour and minute in UTC, like 2026-06-09 14:19 or 2026-06-09 14:19:30.'
      : undefined
  const typed = await ask.line(`${by.name}: date and time in UTC`, { placeholder: '2026-06-09 14:19:30', check })
  const ahead = (parseUtc(typed) ?? 0) - now()
  ask.say(paragraph(`The watch of ${by.name} is ${differenceInWords(ahead)}.`))
  return { by, ahead }
}
