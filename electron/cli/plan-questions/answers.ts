import type { VaultState } from '../../../shared/domain/state.ts'
import type { Roster } from '../../../shared/formats/roster.ts'
import { isTenantId } from '../../../shared/formats/tenant-id.ts'
import type { Check, Choice, Prompter } from '../terminal/prompter.ts'

/** The kinds of answers that a plan is built from. A question knows its own words, so that they can be listed unasked. */

export type Asking = { ask: Prompter; vault: { state: VaultState; roster: Roster } | null }

/** One question of a plan; `undefined` leaves the member out. */
export type Answer<T = unknown> = { question: string; get(asking: Asking): Promise<T> }

/** Members of an object in the order of asking; a member named MERGED gives an object whose members join the plan's own. */
export type Questions = readonly (readonly [member: string, answer: Answer])[]
export const MERGED = ''

const answer = <T>(question: string, get: (asking: Asking) => Promise<T>): Answer<T> => ({ question, get })

/** Asks every question and gives the object that they make. */
export async function askAll(questions: Questions, asking: Asking): Promise<Record<string, unknown>> {
  const made: Record<string, unknown> = {}
  for (const [member, { get }] of questions) {
    const value = await get(asking)
    if (member === MERGED) Object.assign(made, value)
    else if (value !== undefined) made[member] = value
  }
  return made
}

const typed = <T>(question: string, check: Check, read: (text: string) => T, initial = '', placeholder = '') =>
  answer(question, async ({ ask }) => read(await ask.line(question, { check, initial, placeholder })))

const same = (text: string): string => text

export const line = (question: string, placeholder = ''): Answer<string> =>
  typed(question, (text) => (text.length >= 1 && text.length <= 200 ? undefined : 'One line.'), same, '', placeholder)

export const reason = (question: string): Answer<string> =>
  typed(
    question,
    (text) => (text.length >= 3 && text.length <= 500 ? undefined : 'Some words, at most 500 characters.'),
    same,
  )

const ID_RULE = 'Lower-case letters, digits and single hyphens, starting with a letter.'
export const id = (question: string): Answer<string> =>
  typed(question, (text) => (isTenantId(text) ? undefined : ID_RULE), same)

const FILE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,120}$/
/** The name of a file on the medium. */
export const file = (question: string): Answer<string> =>
  typed(question, (text) => (FILE.test(text) ? undefined : 'The name of a file on the medium, without a folder.'), same)

export const duration = (question: string, initial: string): Answer<string> =>
  typed(question, (text) => (/^\d{1,5}[smhd]$/.test(text) ? undefined : 'Like 90d, 12h, 30m or 45s.'), same, initial)

export const whole = (question: string, least: number, most: number, initial = least): Answer<number> =>
  typed(
    question,
    (text) =>
      /^\d{1,7}$/.test(text) && Number(text) >= least && Number(text) <= most
        ? undefined
        : `A whole number from ${least} to ${most}.`,
    Number,
    String(initial),
  )

/** Whole numbers, maybe none, with spaces or commas between them. */
export const numbers = (question: string): Answer<number[]> =>
  typed(
    question,
    (text) => (/^[\d\s,]*$/.test(text) ? undefined : 'Numbers, or nothing.'),
    (text) =>
      text
        .split(/[\s,]+/)
        .filter((one) => one !== '')
        .map(Number),
  )

export const issuer = (question: string): Answer<string> =>
  typed(question, (text) => (text.length >= 8 && text.length <= 256 ? undefined : 'A whole URL.'), same, '', 'https://')

const HEX = /^[0-9A-Fa-f]{64}$/
const DIGEST = /^[A-Za-z0-9_-]{43}$/
const isFingerprint = (text: string) => HEX.test(text.replace(/\s/g, '')) || DIGEST.test(text)
export const fingerprint = (question: string): Answer<string> =>
  typed(question, (text) => (isFingerprint(text) ? undefined : 'Sixteen groups of four hex digits, as shown.'), same)

export const yesNo = (question: string): Answer<boolean> => answer(question, ({ ask }) => ask.yes(question))
export const oneOf = <T extends string>(question: string, choices: readonly Choice<T>[]): Answer<T> =>
  answer(question, ({ ask }) => ask.choose(question, choices))

export const someOf = <T extends string>(question: string, choices: readonly Choice<T>[]): Answer<T[]> =>
  answer(question, ({ ask }) => ask.several(question, choices))

/** Always the same, and never asked. */
export const always = <T>(value: T): Answer<T> => answer('', async () => value)

export const optional = <T>(question: string, given: Answer<T>): Answer<T | undefined> =>
  answer(question, async (asking) => ((await asking.ask.yes(question)) ? given.get(asking) : undefined))

export const group = (questions: Questions): Answer<Record<string, unknown>> =>
  answer(spellQuestions(questions).join(' '), (asking) => askAll(questions, asking))

/** At least `least` of the same, then as many more as wanted; none at all where nobody wants one. */
export const listOf = (more: string, questions: Questions, least = 0): Answer<Record<string, unknown>[]> =>
  answer(`${more} ${spellQuestions(questions).join(' ')}`, async (asking) => {
    const all: Record<string, unknown>[] = []
    while (all.length < least || (await asking.ask.yes(more))) all.push(await askAll(questions, asking))
    return all
  })

/** One of several shapes. */
export const either = (
  question: string,
  shapes: Readonly<Record<string, Questions>>,
): Answer<Record<string, unknown>> =>
  answer(question, async (asking) => {
    const chosen = await asking.ask.choose(
      question,
      Object.keys(shapes).map((label) => ({ value: label, label })),
    )
    return askAll(shapes[chosen] ?? [], asking)
  })

/** What would be asked, in order. */
export const spellQuestions = (questions: Questions): string[] =>
  questions.map(([, { question }]) => question).filter((question) => question !== '')

/** Chosen from the vault where there is one with something to choose; typed otherwise. */
export const fromVault = <T>(
  question: string,
  choices: (vault: NonNullable<Asking['vault']>) => Choice[],
  pick: (ask: Prompter, choices: readonly Choice[]) => Promise<T>,
  otherwise: Answer<T>,
): Answer<T> =>
  answer(question, ({ ask, vault }) => {
    const known = vault ? choices(vault) : []
    return known.length > 0 ? pick(ask, known) : otherwise.get({ ask, vault })
  })

/** Ids with spaces or commas between them. */
export const ids = (question: string): Answer<string[]> =>
  typed(question, (text) => (listed(text).length > 0 && listed(text).every(isTenantId) ? undefined : ID_RULE), listed)

export const kids = (question: string): Answer<string[]> =>
  typed(
    question,
    (text) =>
      listed(text).length > 0 && listed(text).every((kid) => DIGEST.test(kid))
        ? undefined
        : 'Whole key ids of 43 characters, as "key list" shows them; or give the vault with --vault and choose.',
    listed,
  )

const listed = (text: string): string[] => text.split(/[\s,]+/).filter((one) => one !== '')
