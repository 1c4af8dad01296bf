import type { PersonName } from '../../../shared/domain/roster.ts'
import { must } from '../../../shared/errors.ts'
import type { Random } from '../../app/desk-rules.ts'
import { type Gathering, gatheringAt, opened, TRIES, type Unlock } from '../../app/gathering.ts'
import type { UnlockedPerson } from '../../vault/people.ts'
import { Vault } from '../../vault/vault.ts'
import { meter, named, paragraph } from './layout.ts'
import { newPassphrase } from './passphrase.ts'
import { NoAnswer, type Prompter } from './prompter.ts'

/** People come to the keyboard one after another, each with their own passphrase. */

const NOBODY = ''

/**
 * Asks people in until nobody else comes. A passphrase is asked for up to three times, then that person is left out.
 * Code `quorum-missing` when fewer than M custodians came.
 */
export async function gather(ask: Prompter, of: Gathering): Promise<Map<string, UnlockedPerson>> {
  const here = new Map<string, UnlockedPerson>()
  const out = new Set<string>()
  ask.say(
    `\nWho is here?\n\n${paragraph('One after another comes to the keyboard and types their own passphrase; everybody else looks away.')}\n`,
  )
  for (;;) {
    const custodians = of.people.filter(({ id, role }) => role === 'custodian' && here.has(id)).length
    ask.say(meter(Math.min(custodians, of.threshold), of.threshold, 'custodians are here'))
    const coming = of.people.filter(({ id }) => !here.has(id) && !out.has(id))
    const next = coming.length > 0 ? await whoComes(ask, coming, custodians >= of.threshold) : NOBODY
    if (next === NOBODY) return enough(here, of.threshold - custodians)
    const person = await orBack(joins(ask, coming, next, of.unlock))
    if (person === 'back') continue
    if (person) here.set(next, person)
    else out.add(next)
  }
}

/** Escape at the passphrase: somebody else comes first. */
async function orBack<T>(joining: Promise<T>): Promise<T | 'back'> {
  try {
    return await joining
  } catch (error) {
    if (error instanceof NoAnswer && error.why === 'escape') return 'back'
    throw error
  }
}

function enough(here: Map<string, UnlockedPerson>, missing: number): Map<string, UnlockedPerson> {
  const message = missing === 1 ? 'One more custodian needs to be here.' : `${missing} more custodians need to be here.`
  must(missing <= 0, 'quorum-missing', message)
  return here
}

function whoComes(ask: Prompter, coming: readonly PersonName[], enoughCame: boolean): Promise<string> {
  const nobody = { value: NOBODY, label: enoughCame ? 'Nobody else: begin' : 'Nobody else: stop here' }
  return ask.choose('Who comes to the keyboard?', [
    ...coming.map((person) => ({ value: person.id, label: named(person) })),
    nobody,
  ])
}

async function joins(
  ask: Prompter,
  coming: readonly PersonName[],
  id: string,
  unlock: Unlock,
): Promise<UnlockedPerson | null> {
  const name = coming.find((person) => person.id === id)?.name ?? id
  for (let left = TRIES; left > 0; left--) {
    const person = await opened(unlock, id, await ask.secret(`${name}: your passphrase`))
    if (person) return person
    const next = left > 1 ? 'Nothing has changed; type it again.' : `${name} is left out of this ceremony.`
    ask.say(paragraph(`That passphrase does not open what is sealed for ${name}. ${next}`))
  }
  return null
}

/** Opens a vault for a ceremony with those who came. */
export async function openAtTerminal(ask: Prompter, folder: string): Promise<Vault> {
  return Vault.openFor(folder, await gather(ask, await gatheringAt(folder)))
}

/** Opens a vault for one person alone: whoever wants to look at it, or `only` this one. */
export async function lookAtTerminal(ask: Prompter, folder: string, only: string | null = null): Promise<Vault> {
  const { people, unlock } = await gatheringAt(folder)
  const choices = people.map((person) => ({ value: person.id, label: named(person) }))
  const id = only ?? (await ask.choose('Whose passphrase opens the vault?', choices))
  must(
    people.some((person) => person.id === id),
    'people-invalid',
    `Nobody in this vault has the id ${id}.`,
  )
  const person = await joins(ask, people, id, unlock)
  must(person, 'passphrase-wrong', 'Three times a passphrase that does not open it.')
  return Vault.openFor(folder, new Map([[id, person]]))
}

/** A new passphrase for everybody whom a new vault enrolls. */
export async function enrollAtTerminal(
  ask: Prompter,
  people: readonly PersonName[],
  random: Random,
): Promise<Map<string, string>> {
  const chosen = new Map<string, string>()
  for (const person of people) {
    const wanted = { what: `Passphrase of ${person.name}`, who: named(person), id: person.id, random }
    let passphrase = await newPassphrase(ask, wanted)
    while ([...chosen.values()].includes(passphrase)) {
      ask.say(paragraph('Somebody else has chosen the same. Each person needs their own.'))
      passphrase = await newPassphrase(ask, wanted)
    }
    chosen.set(person.id, passphrase)
  }
  return chosen
}
