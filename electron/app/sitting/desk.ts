import { randomInt } from 'node:crypto'
import type { Person } from '../../../shared/contract/common.ts'
import type { Question } from '../../../shared/contract/sitting.ts'
import type { PersonName } from '../../../shared/domain/roster.ts'
import { isKeyriteError, must } from '../../../shared/errors.ts'
import { hexGroups, words as wordsOf } from '../../../shared/formats/fingerprint.ts'
import { listed } from '../../../shared/pages/words.ts'
import type { ConfirmedTime, DeskPort, Deviation, ShownCard } from '../../ceremony/ports.ts'
import { deviationOfWords, digitsOf, initialsOf, notDice } from '../desk-rules.ts'
import { compareByVoice } from './compare.ts'
import { type Questions, unexpected } from './questions.ts'
import { askSecret } from './secret.ts'
import { askHeadCard, askTime } from './time.ts'

/** The people around this machine, asked on the screen one question at a time. */

export type Table = {
  questions: Questions
  /** Everybody whom the plan or the roster names. */
  people(): readonly PersonName[]
  /** Ids of those whose passphrase is open. */
  present(): readonly string[]
  now(): number
  /** Whether this is that person's passphrase. */
  proves(person: string, passphrase: string): Promise<boolean>
  /** What a destruction is about, for those who confirm it. */
  doomed(): Pick<Extract<Question, { ask: 'confirm' }>, 'keys' | 'certificate'>
  /** A step begins. */
  began(step: string): void
}

export class ScreenDesk implements DeskPort {
  readonly automated = false
  readonly presence: string
  readonly #table: Table
  readonly #noted: Deviation[] = []
  readonly #signed: string[] = []
  #offset = 0
  #digest: string | null = null

  constructor(table: Table, presence: string) {
    this.#table = table
    this.presence = presence
  }

  /** What the watches said of this machine's clock, in seconds. */
  get offset(): number {
    return this.#offset
  }

  note(deviation: Deviation): void {
    must(
      this.#digest === null,
      'ceremony-conflict',
      'The record is being signed as it stands, so nothing can be added to it. Whoever does not agree says why.',
    )
    this.#noted.push(deviation)
  }

  /** What the machine itself noticed: also while people sign; they sign anew then. */
  noteAnyway(deviation: Deviation): void {
    this.#noted.push(deviation)
  }

  takeBack(deviations: readonly Deviation[]): void {
    this.#noted.unshift(...deviations)
  }

  get waitingNotes(): number {
    return this.#noted.length
  }

  noted(): Deviation[] {
    return this.#noted.splice(0)
  }

  /** Whoever is alone changes only their own passphrase; no second watch is there. */
  async confirmTime(_: number, present: readonly string[]): Promise<ConfirmedTime | null> {
    if (present.length < 2) return null
    const confirmed = await askTime(this.#table.questions, { people: this.#named(present), now: this.#table.now })
    this.#offset = confirmed.offset
    return confirmed
  }

  headCard(kept: ShownCard | null): Promise<ShownCard | null> {
    return askHeadCard(this.#table.questions, kept)
  }

  async begin(...[step]: Parameters<DeskPort['begin']>): Promise<void> {
    this.#table.began(step.id)
    await this.#table.questions.ask({ ask: 'begin', step: step.id }, ({ give }) =>
      give === 'begin' ? { done: undefined } : unexpected(),
    )
  }

  async observed(
    ...[step, observed]: Parameters<DeskPort['observed']>
  ): Promise<{ initials: string; deviations: Deviation[] }> {
    const all = initialsOf(this.#named(this.#table.present()))
    const known = [...all].map(([id, initials]) => ({ id, initials }))
    const initials = await this.#table.questions.ask(
      { ask: 'initial', step: step.id, observed, initials: known, problem: null },
      (answer) => {
        if (answer.give !== 'initials') return unexpected()
        const typed = answer.initials.trim().toUpperCase()
        const one = known.find((person) => person.initials === typed)
        if (one) return { done: one.id }
        return { again: { problem: `Initials of somebody present: ${known.map((each) => each.initials).join(', ')}.` } }
      },
    )
    return { initials, deviations: this.noted() }
  }

  approve(title: string, custodians: readonly string[], needed: number): Promise<string[]> {
    return this.approveEvents(title, custodians, needed, [])
  }

  /** As `approve`; `events` are what they accept as what happened. */
  approveEvents(
    title: string,
    custodians: readonly string[],
    needed: number,
    events: readonly string[],
  ): Promise<string[]> {
    const people = this.#named(custodians)
    return this.#table.questions.ask(
      {
        ask: 'approve',
        title,
        custodians: people,
        needed,
        approved: [],
        refused: [],
        problem: null,
        events: [...events],
      },
      async (answer, { approved, refused }) => {
        if (answer.give === 'refusal')
          return { again: { ...withdrawn(this.#one(people, answer.person).id, { approved, refused }), problem: null } }
        if (answer.give !== 'approval') return unexpected()
        const { id, name } = this.#one(people, answer.person)
        if (approved.some((one) => one.id === id)) return { again: { problem: `${name} has approved already.` } }
        if (!(await this.#table.proves(id, answer.passphrase)))
          return {
            again: {
              problem: `That passphrase does not open what is sealed for ${name}. Nothing has changed; type it again.`,
            },
          }
        const now = [...approved, { id, at: this.#table.now() }]
        if (now.length >= needed) return { done: now.map((one) => one.id) }
        return { again: { approved: now, refused: refused.filter((one) => one !== id), problem: null } }
      },
    )
  }

  async compare(what: string, digest: string): Promise<string> {
    try {
      return await compareByVoice(this.#table.questions, {
        what,
        digest,
        people: this.#named(this.#table.present()),
        random: (below) => randomInt(below),
      })
    } catch (error) {
      if (isKeyriteError(error, 'comparison-failed')) this.#noted.push(deviationOfWords(what))
      throw error
    }
  }

  async confirm(words: string, people: readonly string[]): Promise<string> {
    const confirming = this.#named(people)
    await this.#table.questions.ask(
      { ask: 'confirm', words, people: confirming, typed: [], problem: null, ...this.#table.doomed() },
      (answer, { typed }) => {
        if (answer.give !== 'words') return unexpected()
        const { id } = this.#one(confirming, answer.person)
        if (answer.words !== words)
          return { again: { problem: 'Those are other words. Nothing has changed; type them again.' } }
        const now = [...typed.filter((one) => one.id !== id), { id, at: this.#table.now() }]
        return now.length === confirming.length ? { done: undefined } : { again: { typed: now, problem: null } }
      },
    )
    return `by ${listed(confirming.map(({ name }) => name))}, each by themselves`
  }

  dice(rolls: number): Promise<string> {
    let all = ''
    return this.#table.questions.ask({ ask: 'dice', rolls, typed: 0, problem: null }, (answer) => {
      if (answer.give !== 'dice') return unexpected()
      const problem = notDice(answer.rolls) ?? null
      if (problem === null) all += digitsOf(answer.rolls)
      return all.length >= rolls ? { done: all } : { again: { typed: all.length, problem } }
    })
  }

  secret(what: string, owner: string, kind: 'new passphrase' | 'password'): Promise<string> {
    const [person = { id: owner, name: owner, role: 'custodian' as const }] = this.#named([owner])
    return askSecret(this.#table.questions, {
      what,
      owner: person,
      fresh: kind === 'new passphrase',
      taken: () => false,
    })
  }

  async agrees(person: string, digest: string): Promise<{ agrees: true } | { agrees: false; reason: string }> {
    if (this.#digest !== digest) this.#signed.splice(0)
    this.#digest = digest
    const [who = { id: person, name: person, role: 'custodian' as const }] = this.#named([person])
    const shown = { hex: hexGroups(digest), words: wordsOf(digest) }
    type Said = Awaited<ReturnType<DeskPort['agrees']>>
    const said = await this.#table.questions.ask<'agree', Said>(
      { ask: 'agree', person: who, digest: shown, signed: [...this.#signed], problem: null },
      (answer) => {
        if (answer.give !== 'agreement') return unexpected()
        if (answer.agrees) return { done: { agrees: true } as const }
        if (answer.reason === null) return { again: { problem: 'Whoever does not agree says why.' } }
        return { done: { agrees: false, reason: answer.reason } as const }
      },
    )
    this.#signed.push(person)
    return said
  }

  /** The same people in the order of the list; an id that nobody has yet stands for itself. */
  #named(ids: readonly string[]): Person[] {
    const known = this.#table.people()
    return ids.map((id) => {
      const found = known.find((one) => one.id === id)
      return { id, name: found?.name ?? id, role: found?.role ?? 'custodian' }
    })
  }

  #one(people: readonly Person[], id: string): Person {
    const found = people.find((one) => one.id === id)
    must(found, 'people-invalid', 'This person is not asked.')
    return found
  }
}

type Said = { approved: { id: string; at: number }[]; refused: string[] }

/** Whoever does not approve, or not any more. */
const withdrawn = (id: string, { approved, refused }: Said): Said => ({
  approved: approved.filter((one) => one.id !== id),
  refused: [...refused.filter((one) => one !== id), id],
})
