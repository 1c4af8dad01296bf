import type { Person } from '../../../shared/contract/common.ts'
import { must } from '../../../shared/errors.ts'
import type { ConfirmedTime, ShownCard } from '../../ceremony/ports.ts'
import { differenceInWords, offsetOf, parseHead, parseUtc } from '../desk-rules.ts'
import { type Questions, unexpected } from './questions.ts'

/** What a machine without a network cannot know by itself: the time, and whether this is the newest copy of the vault. */

const TRIES = 3

/**
 * Two different people type UTC from their own watches. Code `clock-refused` when the two differ by more than two minutes
 * three times.
 */
export function askTime(
  questions: Questions,
  { people, now }: { people: readonly Person[]; now: () => number },
): Promise<ConfirmedTime> {
  let tries = TRIES
  return questions.ask({ ask: 'time', people: [...people], read: [], problem: null }, (answer, { read }) => {
    if (answer.give !== 'watch') return unexpected()
    const { by } = answer
    must(
      people.some(({ id }) => id === by),
      'people-invalid',
      'Somebody else is asked.',
    )
    if (read.some((one) => one.by === by))
      return { again: { problem: 'Two different people read a watch of their own.' } }
    const typed = parseUtc(answer.utc)
    if (typed === null)
      return {
        again: { problem: 'Year, month, day, hour and minute in UTC, like 2026-06-09 14:19 or 2026-06-09 14:19:30.' },
      }
    const [first, second] = [...read, { by, ahead: typed - now() }]
    if (!first || !second) return { again: { read: first ? [first] : [], problem: null } }
    const offset = offsetOf(first.ahead, second.ahead)
    if (offset !== null) return { done: { offset, by: [first.by, second.by] } }
    tries -= 1
    must(tries > 0, 'clock-refused', 'The two watches never agreed to two minutes, so nobody knows what time it is.')
    return {
      again: {
        read: [],
        problem: `One watch is ${differenceInWords(first.ahead)}, the other ${differenceInWords(second.ahead)}: they differ by more than two minutes. Look again, or take another watch.`,
      },
    }
  })
}

/**
 * The number of the newest head card's event and at least the first four groups of its head. What differs from this vault
 * may be a slip, so it is asked for once more; what it means is for the engine to say. Null where nobody has one.
 */
export function askHeadCard(questions: Questions, kept: ShownCard | null): Promise<ShownCard | null> {
  let asked = false
  return questions.ask({ ask: 'head-card', problem: null }, (answer) => {
    if (answer.give !== 'head-card') return unexpected()
    if (answer.card === null) return { done: null }
    const { event } = answer.card
    const head = parseHead(answer.card.head)
    if (!/^\d{1,12}$/.test(event.trim())) return { again: { problem: 'The event is a whole number, as on the card.' } }
    if (head === null)
      return { again: { problem: 'At least the first four groups of the head, like 0A1B 2C3D 4E5F 6071.' } }
    const card = { seq: Number(event), head }
    const same = !kept || (card.seq === kept.seq && kept.head.startsWith(card.head))
    if (same || asked) return { done: card }
    asked = true
    return {
      again: {
        problem:
          'That is not what this vault ends with. If it was a slip of the finger, type it again as it stands on the card.',
      },
    }
  })
}
