import { wordlist } from '@scure/bip39/wordlists/english.js'
import { spellDuration } from '../../shared/domain/policy.ts'
import type { PersonName } from '../../shared/domain/roster.ts'
import { KeyriteError } from '../../shared/errors.ts'
import { hexGroups, words } from '../../shared/formats/fingerprint.ts'
import { listed } from '../../shared/pages/words.ts'
import type { Deviation } from '../ceremony/ports.ts'

/** What the desk decides, apart from asking: which words, which initials, which time. */

/** A whole number from 0 up to `below`. */
export type Random = (below: number) => number

export const ASKED_WORDS = 3

/** Three different places of a fingerprint's 24 words, in order. */
export function placesToAsk(random: Random, of = 24): number[] {
  const rest = Array.from({ length: of }, (_, index) => index)
  const taken = Array.from({ length: ASKED_WORDS }, () => rest.splice(random(rest.length), 1)[0] ?? 0)
  return taken.toSorted((one, other) => one - other)
}

const LIST: ReadonlySet<string> = new Set(wordlist)
export const spoken = (typed: string): string => typed.normalize('NFKC').trim().toLowerCase()

/** A slip of the finger: the word cannot come from any fingerprint, so it is asked for again. */
export const noSuchWord = (typed: string): string | undefined =>
  LIST.has(spoken(typed)) ? undefined : 'No fingerprint has this word. Listen again, and type it again.'

export const sameWord = (digest: string, place: number, typed: string): boolean =>
  words(digest)[place] === spoken(typed)

/** Six words of 2048: 66 bits. */
export const sixWords = (random: Random): string =>
  Array.from({ length: 6 }, () => wordlist[random(wordlist.length)]).join(' ')

/** Everybody's initials, each different: `AL`, and `AL2` where a second person would have the same. */
export function initialsOf(people: readonly PersonName[]): Map<string, string> {
  const taken = new Map<string, number>()
  return new Map(
    people.map(({ id, name }) => {
      const plain = name
        .split(/[\s-]+/)
        .map((part) => [...part][0] ?? '')
        .join('')
        .toUpperCase()
      const count = (taken.get(plain) ?? 0) + 1
      taken.set(plain, count)
      return [id, count === 1 ? plain : `${plain}${count}`]
    }),
  )
}

const UTC = /^(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d)(?::(\d\d))?$/

/** `2026-11-21 12:03:20` or without seconds, as seconds since 1970; null where it is no time. */
export function parseUtc(typed: string): number | null {
  const [, year, month, day, hour, minute, second = '00'] = UTC.exec(typed.trim()) ?? []
  if (year === undefined) return null
  const text = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`
  const at = Date.parse(text)
  return Number.isNaN(at) || new Date(at).toISOString() !== text ? null : at / 1000
}

/** Two watches may differ by this much; more, and one of them is wrong. */
export const WATCHES_APART = 120
/** A difference that a watch without seconds cannot show is none. */
const SAME = 60

/**
 * From how far each watch was ahead of this machine when its time was typed: what the machine's clock lacks, in seconds,
 * 0 where it is right to a minute; null when the watches differ by more than two minutes.
 */
export function offsetOf(first: number, second: number): number | null {
  if (Math.abs(first - second) > WATCHES_APART) return null
  const mean = Math.round((first + second) / 2)
  return Math.abs(mean) <= SAME ? 0 : mean
}

/** "3 minutes ahead of this machine": what follows "is" of a watch. */
export const differenceInWords = (ahead: number): string =>
  ahead === 0
    ? 'in step with this machine'
    : `${spellDuration(Math.abs(ahead))} ${ahead > 0 ? 'ahead of' : 'behind'} this machine`

/** The first four groups of a head as typed from the card, in lower case; null unless they are 16 hex digits. */
export function parseHead(typed: string): string | null {
  const digits = typed.replace(/[\s.:-]/g, '').toLowerCase()
  return /^[0-9a-f]{16}(?:[0-9a-f]{4})*$/.test(digits) && digits.length <= 64 ? digits : null
}

export const digitsOf = (typed: string): string => typed.replace(/[\s,;.-]/g, '')
export const notDice = (typed: string): string | undefined =>
  /^[1-6]+$/.test(digitsOf(typed)) ? undefined : 'Dice show 1 to 6. Type the rolls as digits; spaces do not count.'

/** One sentence for the record of a comparison by voice in which all words agree. */
export function comparedByVoice(of: {
  digest: string
  places: readonly number[]
  reader: PersonName
  typist: PersonName
}): string {
  const numbers = listed(of.places.map((place) => String(place + 1)))
  return `${hexGroups(of.digest).slice(0, 4).join(' ')} …; the words were read aloud and all agree: ${of.reader.name} followed them, and ${of.typist.name} typed words ${numbers} from hearing.`
}

/** That two sides show different words belongs into the record, whatever becomes of the ceremony. */
export const deviationOfWords = (what: string): Deviation => ({
  expected: `The words of ${what}, read aloud, are those shown here.`,
  happened: 'They differ.',
  action: 'Stopped; nothing was accepted.',
})

/** Code `comparison-failed`: there is no going on from there. */
export const wordsDiffer = (what: string): KeyriteError =>
  new KeyriteError('comparison-failed', `The words of ${what} differ. Stop here; nothing was accepted.`, {
    lost: 'The steps before are recorded, and that the words differ; of this step nothing else is kept.',
    hint: 'Find out which side shows something else. Then compare again with "ceremony resume", or close the ceremony with "ceremony abort --reason WHY".',
  })
