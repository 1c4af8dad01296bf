import { asKeyriteError } from '../../../shared/errors.ts'
import { type Random, sixWords } from '../../app/desk-rules.ts'
import { plain } from '../../app/gathering.ts'
import { checkPassphrase } from '../../vault/people.ts'
import { paragraph } from './layout.ts'
import type { Prompter } from './prompter.ts'

/** A new passphrase: six words made here and typed back, or one's own typed twice. Nobody else sees either. */

type Wanted = { what: string; who: string; id: string; random: Random }

/** Gives the passphrase once the person has shown that they have it. */
export async function newPassphrase(ask: Prompter, { what, who, id, random }: Wanted): Promise<string> {
  ask.say(`\n${paragraph(`${who} comes to the keyboard; everybody else looks away.`)}\n`)
  const words = await ask.yes(`${what}: six generated words, or your own?`, {
    yes: 'Six words, made now',
    no: 'My own',
    initial: true,
  })
  return words ? generated(ask, who, random) : own(ask, who, id)
}

async function generated(ask: Prompter, who: string, random: Random): Promise<string> {
  const words = sixWords(random)
  const shown = words.split(' ').map((word, index) => `    ${index + 1}  ${word}`)
  const show = () =>
    ask.reveal(`The passphrase of ${who}. Write it down; nobody can show it later.\n\n${shown.join('\n')}`)
  await show()
  while (plain(await ask.secret('Now type the six words')) !== words)
    if (await ask.yes('Those are not the words.', { yes: 'Show them again', no: 'Type them again' })) await show()
  return words
}

async function own(ask: Prompter, who: string, id: string): Promise<string> {
  const weak = (typed: string) => {
    try {
      checkPassphrase(id, typed)
      return undefined
    } catch (error) {
      return asKeyriteError(error).message
    }
  }
  for (;;) {
    const first = await ask.secret(`${who}: your passphrase`, weak)
    if ((await ask.secret(`${who}: the same once more`)) === first) return first
    ask.say(paragraph('The two differ. Nothing has changed; type both again.'))
  }
}
