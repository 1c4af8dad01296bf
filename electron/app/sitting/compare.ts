import type { Person } from '../../../shared/contract/common.ts'
import { must } from '../../../shared/errors.ts'
import { hexGroups, words } from '../../../shared/formats/fingerprint.ts'
import { comparedByVoice, noSuchWord, placesToAsk, type Random, sameWord, wordsDiffer } from '../desk-rules.ts'
import { type Questions, unexpected } from './questions.ts'

/** Comparison by voice: the other side reads, one person here follows, and another types three words from hearing. */

type Comparison = { what: string; digest: string; people: readonly Person[]; random: Random }

/** Gives one sentence for the record. Code `comparison-failed`: there is no going on from there. */
export function compareByVoice(questions: Questions, { what, digest, people, random }: Comparison): Promise<string> {
  must(people.length > 1, 'confirmation-missing', 'Two different people compare, and only one is here.')
  const places = placesToAsk(random)
  const shown = words(digest).map((word, place) => (places.includes(place) ? null : word))
  const named = (id: string) => {
    const found = people.find((one) => one.id === id)
    must(found, 'people-invalid', 'Somebody else is asked.')
    return found
  }
  const draft = {
    ask: 'compare',
    what,
    hex: hexGroups(digest),
    words: shown,
    covered: places,
    typed: [],
    people: [...people],
    reader: null,
    typist: null,
    problem: null,
  } as const
  return questions.ask<'compare', string>(
    { ...draft, covered: [...places], typed: [], people: [...people] },
    (answer, { typed, reader, typist }) => {
      if (answer.give === 'readers') {
        if (answer.reader === answer.typist)
          return { again: { problem: 'Two different people: one follows, another types from hearing.' } }
        return { again: { reader: named(answer.reader).id, typist: named(answer.typist).id, problem: null } }
      }
      if (answer.give === 'word') {
        const { place, word } = answer
        must(places.includes(place), 'usage-invalid', 'Another word is asked for.')
        if (!reader || !typist) return { again: { problem: 'Say first who follows and who types.' } }
        const slip = noSuchWord(word)
        if (slip !== undefined) return { again: { problem: slip } }
        if (!sameWord(digest, place, word)) throw wordsDiffer(what)
        return { again: { typed: [...new Set([...typed, place])], problem: null } }
      }
      if (answer.give !== 'rest') return unexpected()
      if (!answer.agrees) throw wordsDiffer(what)
      if (!reader || !typist || typed.length < places.length)
        return { again: { problem: 'The covered words are still missing.' } }
      return { done: comparedByVoice({ digest, places, reader: named(reader), typist: named(typist) }) }
    },
  )
}
