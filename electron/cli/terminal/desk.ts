import type { PersonName } from '../../../shared/domain/roster.ts'
import { isKeyriteError, must } from '../../../shared/errors.ts'
import { shortHex } from '../../../shared/formats/fingerprint.ts'
import { capital, listed, numberWord } from '../../../shared/pages/words.ts'
import { deviationOfWords, digitsOf, initialsOf, notDice, type Random } from '../../app/desk-rules.ts'
import { CloseWanted, paused } from '../../app/hold.ts'
import type { ConfirmedTime, DeskPort, Deviation, ShownCard } from '../../ceremony/ports.ts'
import { compareByVoice } from './compare.ts'
import { askHeadCard } from './head-card.ts'
import { hexRows, labelled, meter, named, paragraph, stepCard } from './layout.ts'
import { newPassphrase } from './passphrase.ts'
import { type Prompter, withMenu } from './prompter.ts'
import { askTime } from './time.ts'
import { orStop, WAYS_OUT, type WayOut } from './ways-out.ts'

/** The people at a terminal: they come to the one keyboard one after another, and see one step at a time. */

export type Table = {
  prompter: Prompter
  /** Everybody whom the plan or the roster names. */
  people(): readonly PersonName[]
  /** Ids of those whose passphrase is open. */
  present(): readonly string[]
  /** Seconds since 1970 UTC, by the clock of this machine. */
  now(): number
  random: Random
  /** A head card that was given as a file; nobody is asked for it then. */
  headCard?: ShownCard
}

const TRIES = 3
const TOO_LATE =
  'The record is being signed as it stands, so nothing can be added to it. Whoever does not agree says why; or close the ceremony with the reason.'
const LONGEST = 500

export class TerminalDesk implements DeskPort {
  readonly automated = false
  readonly presence = 'Everybody present typed their own passphrase at this machine, one after another.'
  readonly #table: Table
  readonly #ask: Prompter
  readonly #noted: Deviation[] = []
  #offset = 0
  #shown: string | null = null

  constructor(table: Table) {
    this.#table = table
    this.#ask = withMenu(table.prompter, () => this.#menu(), paused)
  }

  /** Whoever is alone changes only their own passphrase; no second watch is there. */
  async confirmTime(_: number, present: readonly string[]): Promise<ConfirmedTime | null> {
    if (present.length < 2) return null
    const confirmed = await askTime(this.#ask, { people: this.#named(present), now: this.#table.now })
    this.#offset = confirmed.offset
    return confirmed
  }

  headCard(kept: ShownCard | null): Promise<ShownCard | null> {
    const { headCard } = this.#table
    return headCard ? Promise.resolve(headCard) : askHeadCard(this.#ask, kept)
  }

  async begin(...[step, place]: Parameters<DeskPort['begin']>): Promise<void> {
    this.#ask.say(stepCard(step, place))
    await this.#goOn('When it has been read aloud', 'Begin this step')
  }

  async observed(
    ...[step, observed]: Parameters<DeskPort['observed']>
  ): Promise<{ initials: string; deviations: Deviation[] }> {
    const rows: [string, string][] = [
      ['To observe', step.observe],
      ['Found', observed],
    ]
    this.#ask.say(`\n${labelled(rows)}\n`)
    await this.#goOn('Is it as it should be?', 'Yes: put initials to it')
    const initials = await this.#initials()
    return { initials, deviations: this.noted() }
  }

  noted(): Deviation[] {
    return this.#noted.splice(0)
  }

  takeBack(deviations: readonly Deviation[]): void {
    this.#noted.unshift(...deviations)
  }

  get offset(): number {
    return this.#offset
  }

  async approve(title: string, custodians: readonly string[], needed: number): Promise<string[]> {
    const approved: string[] = []
    for (;;) {
      for (const person of this.#named(custodians)) {
        if (approved.includes(person.id) || approved.length >= needed) continue
        this.#ask.say(meter(approved.length, needed, 'approvals'))
        const says = { yes: 'I approve', no: 'I do not approve' }
        if (await this.#ask.yes(`${named(person)}: “${title}”?`, says)) approved.push(person.id)
      }
      this.#ask.say(meter(approved.length, needed, 'approvals'))
      if (approved.length >= needed) return approved
      await this.#goOn('Too few approve. Nothing of this step was done.', 'Ask those who did not approve again')
    }
  }

  /** That two sides show different words belongs into the record, whatever becomes of the ceremony. */
  async compare(what: string, digest: string): Promise<string> {
    const { random } = this.#table
    try {
      return await compareByVoice(this.#ask, { what, digest, people: this.#named(this.#table.present()), random })
    } catch (error) {
      if (isKeyriteError(error, 'comparison-failed')) this.#noted.push(deviationOfWords(what))
      throw error
    }
  }

  async confirm(words: string, people: readonly string[]): Promise<string> {
    this.#ask.say(
      `\n${paragraph('The next step cannot be undone. Each custodian types these words, exactly:')}\n\n  ${words}\n`,
    )
    const confirming = this.#named(people)
    for (const person of confirming) await this.#typed(words, person)
    return `by ${listed(confirming.map(({ name }) => name))}, each by themselves`
  }

  async #typed(words: string, person: PersonName): Promise<void> {
    for (let left = TRIES; left > 0; left--) {
      if ((await this.#ask.line(`${named(person)}: type the words`)) === words) return
      this.#ask.say(paragraph(`Those are other words. ${left > 1 ? 'Nothing has changed; type them again.' : ''}`))
    }
    must(false, 'confirmation-missing', `${person.name} did not type the words. Nothing was destroyed.`)
  }

  async dice(rolls: number): Promise<string> {
    let typed = ''
    while (typed.length < rolls) {
      const more = await this.#ask.line(`Rolls of dice, ${typed.length} of ${rolls} so far`, { check: notDice })
      typed += digitsOf(more)
    }
    return typed
  }

  secret(what: string, owner: string, kind: 'new passphrase' | 'password'): Promise<string> {
    const [person] = this.#named([owner])
    const who = person ? named(person) : owner
    if (kind === 'new passphrase')
      return newPassphrase(this.#ask, { what: capital(what), who, id: owner, random: this.#table.random })
    return this.#ask.secret(`${who}: ${what}`, (typed) => (typed === '' ? 'Type it, or press Escape.' : undefined))
  }

  async agrees(person: string, digest: string): Promise<{ agrees: true } | { agrees: false; reason: string }> {
    if (this.#shown !== digest)
      this.#ask.say(`\n${paragraph('What everybody signs now has this digest:')}\n${hexRows(digest)}\n`)
    this.#shown = digest
    const [who = { id: person, name: person, role: 'custodian' as const }] = this.#named([person])
    const says = { yes: 'I agree', no: 'I do not agree, because …', initial: true }
    if (await this.#ask.yes(`${named(who)}: do you agree with ${shortHex(digest)} …?`, says)) return { agrees: true }
    return { agrees: false, reason: await this.#words('Why not?') }
  }

  /** The same people in the order of the list; an id that nobody has yet stands for itself. */
  #named(ids: readonly string[]): PersonName[] {
    const known = this.#table.people()
    return ids.map((id) => known.find((one) => one.id === id) ?? { id, name: id, role: 'custodian' })
  }

  async #initials(): Promise<string> {
    const all = initialsOf(this.#named(this.#table.present()))
    const whose = (typed: string) => [...all].find(([, initials]) => initials === typed.toUpperCase())?.[0]
    const known = [...all.values()].join(', ')
    const check = (typed: string) => (whose(typed) ? undefined : `Initials of somebody present: ${known}.`)
    return whose(await this.#ask.line(`Initials (${known})`, { check })) ?? ''
  }

  /** Everything between two steps: go on, note a deviation first, pause, or close. */
  async #goOn(question: string, forward: string): Promise<void> {
    for (;;) {
      const choice = await this.#ask.choose<'go' | WayOut>(question, [{ value: 'go', label: forward }, ...WAYS_OUT])
      if (choice === 'go') return
      await this.#leave(choice)
    }
  }

  /** Escape, at any question. */
  async #menu(): Promise<void> {
    const { prompter } = this.#table
    const back = { value: 'back', label: 'Back to the question' } as const
    const choice = await orStop(prompter.choose<'back' | WayOut>('What now?', [back, ...WAYS_OUT]))
    if (choice !== 'back') await orStop(this.#leave(choice, prompter))
  }

  async #leave(choice: WayOut, ask = this.#ask): Promise<void> {
    if (choice === 'pause') throw paused('stop')
    if (choice === 'close') throw new CloseWanted(await this.#words('Why is it closed without being finished?', ask))
    if (this.#shown !== null) return ask.say(paragraph(TOO_LATE))
    this.#noted.push({
      expected: await this.#words('What should have happened?', ask),
      happened: await this.#words('What happened?', ask),
      action: await this.#words('What was done about it?', ask),
    })
    const count = this.#noted.length
    ask.say(
      paragraph(
        `Noted: ${numberWord(count)} ${count === 1 ? 'deviation' : 'deviations'} so far, to be recorded with this step.`,
      ),
    )
  }

  #words(question: string, ask = this.#ask): Promise<string> {
    const check = (typed: string) => (typed.length >= 3 && typed.length <= LONGEST ? undefined : 'A few words, please.')
    return ask.line(question, { check })
  }
}
