import type { Choice } from '../terminal/prompter.ts'
import { type Answer, type Asking, fromVault, id, ids, kids } from './answers.ts'

/** Answers that are chosen from the vault where one is open: tenants, keys, runtimes, people. */

type Vault = NonNullable<Asking['vault']>

const tenantChoices = ({ state }: Vault): Choice[] =>
  [...state.tenants.values()].map(({ tenant, name }) => ({ value: tenant, label: tenant, hint: name }))

const runtimeChoices = ({ state }: Vault): Choice[] =>
  [...state.runtimes.values()].map(({ runtimeId, environment }) => ({
    value: runtimeId,
    label: runtimeId,
    hint: environment,
  }))

const keyChoices = ({ state }: Vault): Choice[] =>
  [...state.keys.values()]
    .filter((key) => !key.destroyed)
    .map(({ kid, label, spec }) => ({ value: kid, label: `${label}  ${kid.slice(0, 8)}`, hint: spec }))

const personChoices = ({ roster }: Vault): Choice[] =>
  roster.people.map(({ id, name, role }) => ({ value: id, label: name, hint: role }))

const one = (question: string, choices: (vault: Vault) => Choice[], otherwise: Answer<string>): Answer<string> =>
  fromVault(question, choices, (ask, known) => ask.choose(question, known), otherwise)

const several = (
  question: string,
  choices: (vault: Vault) => Choice[],
  otherwise: Answer<string[]>,
): Answer<string[]> => fromVault(question, choices, (ask, known) => ask.several(question, known), otherwise)

export const tenant = (question: string): Answer<string> => one(question, tenantChoices, id(question))
export const runtime = (question: string): Answer<string> => one(question, runtimeChoices, id(question))
export const person = (question: string): Answer<string> => one(question, personChoices, id(question))
export const keys = (question: string): Answer<string[]> => several(question, keyChoices, kids(question))

const first = (all: readonly string[]): string => all[0] ?? ''
export const key = (question: string): Answer<string> => ({
  question,
  get: (asking) =>
    one(question, keyChoices, { question, get: async (asked) => first(await kids(question).get(asked)) }).get(asking),
})

/** "all", or a list. */
export const tenants = (question: string): Answer<'all' | string[]> => ({
  question,
  get: async (asking) => {
    const all = await asking.ask.yes(question, { yes: 'All of them', no: 'Some of them', initial: true })
    return all ? 'all' : several('Which?', tenantChoices, ids('Which? Their ids')).get(asking)
  },
})
