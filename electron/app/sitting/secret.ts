import { randomInt } from 'node:crypto'
import type { Person } from '../../../shared/contract/common.ts'
import { asKeyriteError } from '../../../shared/errors.ts'
import { checkPassphrase } from '../../vault/people.ts'
import { sixWords } from '../desk-rules.ts'
import { plain } from '../gathering.ts'
import { type Questions, unexpected } from './questions.ts'

/** A secret that one person types while everybody else looks away. */

type Wanted = {
  what: string
  owner: Person
  /** A new passphrase: six words made here and typed back, or one's own typed twice. */
  fresh: boolean
  /** Somebody else has chosen the same. */
  taken: (passphrase: string) => boolean
}

const SAME_AS_ANOTHER = 'Somebody else has chosen the same. Each person needs their own.'

/** Gives the secret once the person has shown that they have it. What was typed first is kept only until it is typed again. */
export function askSecret(questions: Questions, { what, owner, fresh, taken }: Wanted): Promise<string> {
  let made = ''
  let first = ''
  const start = { stage: fresh ? 'choose' : 'type', generated: [] as string[], problem: null } as const
  return questions.ask<'secret', string>(
    { ask: 'secret', what, owner, fresh, ...start, generated: [] },
    (answer, { stage }) => {
      if (answer.give === 'secret-choice' && fresh) {
        first = ''
        if (answer.choose === 'own') {
          made = ''
          return { again: { stage: 'type', generated: [], problem: null } }
        }
        if (answer.choose === 'generated' || made === '') made = sixWords((below) => randomInt(below))
        return { again: { stage: 'show', generated: made.split(' '), problem: null } }
      }
      if (answer.give === 'secret-shown' && stage === 'show')
        return { again: { stage: 'type', generated: [], problem: null } }
      if (answer.give !== 'secret' || (stage !== 'type' && stage !== 'again')) return unexpected()
      const { secret } = answer
      if (!fresh) return { done: secret }
      if (made !== '') {
        if (plain(secret) !== made)
          return {
            again: {
              problem: 'Those are not the words. Nothing has changed; type them again, or have them shown again.',
            },
          }
        return { done: made }
      }
      if (stage === 'type') {
        const weak = weakness(owner.id, secret) ?? (taken(secret) ? SAME_AS_ANOTHER : null)
        if (weak !== null) return { again: { problem: weak } }
        first = secret
        return { again: { stage: 'again', problem: null } }
      }
      if (secret === first) return { done: secret }
      first = ''
      return { again: { stage: 'type', problem: 'The two differ. Nothing has changed; type both again.' } }
    },
  )
}

function weakness(id: string, typed: string): string | null {
  try {
    checkPassphrase(id, typed)
    return null
  } catch (error) {
    return asKeyriteError(error).message
  }
}
