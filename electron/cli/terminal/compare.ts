import type { PersonName } from '../../../shared/domain/roster.ts'
import { must } from '../../../shared/errors.ts'
import { listed } from '../../../shared/pages/words.ts'
import { comparedByVoice, noSuchWord, placesToAsk, type Random, sameWord, wordsDiffer } from '../../app/desk-rules.ts'
import { hexRows, named, paragraph, wordRows } from './layout.ts'
import type { Prompter } from './prompter.ts'

/** Comparison by voice: the other side reads, one person here follows, and another types three words from hearing. */

type Comparison = { what: string; digest: string; people: readonly PersonName[]; random: Random }

/**
 * Shows the fingerprint with three words covered, has somebody type those from the voice, and asks whether the rest
 * agrees. Gives one sentence for the record. Code `comparison-failed`: there is no going on from there.
 */
export async function compareByVoice(ask: Prompter, { what, digest, people, random }: Comparison): Promise<string> {
  const places = placesToAsk(random)
  const numbers = listed(places.map((place) => String(place + 1)))
  ask.say(`\nCompare ${what}: SHA-256, in hex\n\n${hexRows(digest)}\n\nand in words\n\n${wordRows(digest, places)}\n`)
  ask.say(
    paragraph(
      `The other side reads its words aloud. Words ${numbers} are covered here: they must come from the voice.`,
    ),
  )
  const reader = await who(ask, 'Who follows what is read aloud, word by word?', people)
  const others = people.filter(({ id }) => id !== reader.id)
  must(others.length > 0, 'confirmation-missing', 'Two different people compare, and only one is here.', {
    hint: 'Go on with "ceremony resume" when somebody else is here too.',
  })
  const typist = await who(ask, 'Who types the covered words? Somebody else', others)
  for (const place of places) await typedWord(ask, { digest, place, what })
  const agrees = await ask.yes('Do all the other words, read aloud, agree with those shown?', {
    yes: 'All agree',
    no: 'One differs',
  })
  if (!agrees) throw wordsDiffer(what)
  return comparedByVoice({ digest, places, reader, typist })
}

async function typedWord(
  ask: Prompter,
  { digest, place, what }: { digest: string; place: number; what: string },
): Promise<void> {
  const typed = await ask.line(`Word ${place + 1}, as it is read aloud`, { check: noSuchWord })
  if (!sameWord(digest, place, typed)) throw wordsDiffer(what)
}

async function who(ask: Prompter, question: string, people: readonly PersonName[]): Promise<PersonName> {
  const id = await ask.choose(
    question,
    people.map((person) => ({ value: person.id, label: named(person) })),
  )
  return people.find((person) => person.id === id) ?? { id, name: id, role: 'custodian' }
}
