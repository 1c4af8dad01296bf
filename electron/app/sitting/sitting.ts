import { statSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Notice } from '../../../shared/contract/contract.ts'
import type { Answer, Sitting as Shown } from '../../../shared/contract/sitting.ts'
import { type Ceremony, openCeremony } from '../../../shared/domain/state.ts'
import { isKeyriteError, KeyriteError, must } from '../../../shared/errors.ts'
import { parseRosterText, type Roster } from '../../../shared/formats/roster.ts'
import type { Deviation, VaultPort } from '../../ceremony/ports.ts'
import type { UnlockedPerson } from '../../vault/people.ts'
import type { Quorum } from '../../vault/quorum.ts'
import { recordsOf } from '../context.ts'
import { failureOf } from '../failure.ts'
import { opened, provesItself, TRIES } from '../gathering.ts'
import { CloseWanted, paused } from '../hold.ts'
import type { Room } from '../wiring.ts'
import { ScreenDesk } from './desk.ts'
import { Questions } from './questions.ts'
import { certificatesIn, doomedOf, stepsOf } from './shown.ts'
import { type Ended, shownPlan, type Table } from './table.ts'

/** One sitting: from people coming in to the signed record, a pause, or an error. */

export type SittingOptions = {
  home: string
  medium: string | null
  now: () => number
  elapsed: () => number
  tell: (notice: Notice) => void
  /** Seconds without an answer until everything unlocked is forgotten. */
  idleAfter: number
  /** Names of the network interfaces that are up, and those that were when the machine was checked. */
  networks: () => string[]
  knownNetworks: readonly string[]
  /** What of the machine does not pass, and why people go on: for the record. */
  unready: readonly Deviation[]
  /** The vault is free again: whoever looked at it before looks again, before the screens hear how it ended. */
  released: () => Promise<void>
}

type RosterPerson = Roster['people'][number]

const MOST_SAID = 200
/** A hundredth of a second between two notices is more than a screen can show. */
const PROGRESS_EVERY = 0.1

export class Sitting {
  readonly #table: Table
  readonly #options: SittingOptions
  readonly #questions = new Questions(() => this.#changed())
  readonly #desk: ScreenDesk
  readonly #here = new Map<string, { since: number; unlocked: UnlockedPerson | null }>()
  readonly #tries = new Map<string, number>()
  readonly #said: Shown['said'] = []
  readonly #files: Shown['files'] = []
  #phase: Shown['phase'] = 'gathering'
  #current: string | null = null
  #progress: Shown['progress'] = null
  #lastProgress = 0
  #problem: Shown['problem'] = null
  #result: Shown['result'] = null
  #vault: VaultPort<Quorum> | null = null
  #ceremony: string | null = null
  #idle: NodeJS.Timeout | null = null
  #ended: Promise<void> = Promise.resolve()
  /** One passphrase is looked at after the other, so that tries are counted. */
  #arriving: Promise<unknown> = Promise.resolve()
  #shownPlan: Shown['plan'] = null

  constructor(table: Table, options: SittingOptions) {
    this.#table = table
    this.#options = options
    for (const id of table.here) this.#here.set(id, { since: options.now(), unlocked: null })
    const rehearsal = table.doing === 'rehearse'
    this.#desk = new ScreenDesk(
      {
        questions: this.#questions,
        people: () => this.#vault?.roster.people ?? table.people,
        present: () => (this.#vault ? [...this.#vault.present.keys()] : [...this.#here.keys()]),
        now: options.now,
        proves: (person, passphrase) =>
          rehearsal
            ? Promise.resolve(true)
            : provesItself(table.vault.folder, person, passphrase, this.#keysOf(person)),
        doomed: () => (this.#vault ? doomedOf(this.#vault.state, this.#id()) : { keys: [], certificate: null }),
        began: (step) => {
          this.#current = step
        },
      },
      rehearsal
        ? 'This is a rehearsal: nobody proved who they are.'
        : 'Everybody present typed their own passphrase at this machine, and custodians typed it again for each approval.',
    )
    for (const deviation of options.unready) this.#desk.note(deviation)
    this.#watchIdle()
  }

  get over(): boolean {
    return !['gathering', 'running'].includes(this.#phase)
  }

  get folder(): string {
    return this.#table.vault.folder
  }

  shown(): Shown {
    const table = this.#table
    const ceremony = this.#held()
    const plan = table.plan ?? (ceremony && { text: ceremony.plan, digest: ceremony.planDigest })
    this.#shownPlan ??= plan && shownPlan(plan)
    return {
      phase: this.#phase,
      doing: table.doing,
      kind: table.kind,
      practice: table.practice,
      vault: table.vault,
      ceremony: this.#id(),
      plan: this.#shownPlan,
      people: table.people.map(({ id, name, role }) => ({
        ...{ id, name, role, hereSince: this.#here.get(id)?.since ?? null },
        leftOut: (this.#tries.get(id) ?? 0) >= TRIES,
      })),
      threshold: table.threshold,
      alone: table.alone,
      canBegin: this.#phase === 'gathering' && this.#missing() <= 0,
      steps: stepsOf(table.kind, { phase: this.#phase, current: this.#current, ceremony }),
      question: this.#phase === 'running' ? this.#questions.question : null,
      progress: this.#progress,
      said: this.#said,
      noted: this.#desk.waitingNotes,
      files: this.#files,
      problem: this.#problem,
      result: this.#result,
    }
  }

  /** Codes `people-invalid`, `passphrase-wrong`; the third wrong one leaves that person out. */
  arrive(person: string, passphrase: string): Promise<void> {
    const arrived = this.#arriving.then(() => this.#arrive(person, passphrase))
    this.#arriving = arrived.catch(() => undefined)
    return arrived
  }

  async #arrive(person: string, passphrase: string): Promise<void> {
    const { people, unlock, alone } = this.#table
    must(this.#phase === 'gathering' && unlock, 'usage-invalid', 'Nobody comes in any more.')
    const name = people.find(({ id }) => id === person)?.name
    must(name && (alone === null || alone === person), 'people-invalid', 'This person is not waited for.')
    const tries = this.#tries.get(person) ?? 0
    must(tries < TRIES, 'people-invalid', `${name} is left out of this ceremony.`)
    this.#answered()
    const unlocked = await opened(unlock, person, passphrase)
    must(this.#phase === 'gathering', 'usage-invalid', 'Nobody comes in any more.')
    if (!unlocked) {
      this.#tries.set(person, tries + 1)
      this.#changed()
      const left = tries + 1 < TRIES
      throw new KeyriteError('passphrase-wrong', `That passphrase does not open what is sealed for ${name}.`, {
        hint: left ? 'Nothing has changed; type it again.' : `${name} is left out of this ceremony.`,
      })
    }
    this.#tries.delete(person)
    this.#here.set(person, { since: this.#options.now(), unlocked })
    this.#changed()
  }

  /** Code `quorum-missing`. What follows comes as questions. */
  begin(): void {
    must(this.#phase === 'gathering', 'usage-invalid', 'It has begun already.')
    const missing = this.#missing()
    must(
      missing <= 0,
      'quorum-missing',
      missing === 1 ? 'One more custodian needs to be here.' : `${missing} more custodians need to be here.`,
    )
    const came = this.#newNetworks()
    if (came.length > 0) return this.networkCameUp(came)
    this.#phase = 'running'
    this.#ended = this.#run()
    this.#changed()
  }

  async answer(question: number, answer: Answer): Promise<void> {
    await this.#questions.answer(question, answer)
    this.#answered()
  }

  note(deviation: Deviation): void {
    must(!this.over, 'ceremony-conflict', 'This sitting is over.')
    this.#desk.note(deviation)
    this.#answered()
    this.#changed()
  }

  /** Stops at the question in force, or at the next one. */
  stop(error: KeyriteError): void {
    if (this.over) return
    if (this.#phase === 'running') return this.#questions.interrupt(error)
    this.#end('paused', error)
  }

  pause(why: 'asked' | 'lid' | 'network' | 'idle'): void {
    this.stop(why === 'network' ? networkPaused(this.#id() !== null) : paused(why === 'idle' ? 'idle' : 'stop'))
  }

  /** A cable or a radio: recorded, and the ceremony pauses. */
  networkCameUp(names: readonly string[]): void {
    if (this.over) return
    this.#desk.noteAnyway({
      expected: 'No network comes up while the ceremony is held.',
      happened: `A network interface came up: ${names.join(', ')}.`,
      action: 'The ceremony was paused.',
    })
    this.pause('network')
  }

  /** Code `ceremony-conflict` where nothing has begun. */
  close(reason: string): void {
    must(this.#phase === 'running', 'ceremony-conflict', 'No ceremony is under way in this sitting.')
    this.#questions.interrupt(new CloseWanted(reason))
  }

  /** Pauses, waits until the engine has let go, and forgets everything. */
  async leave(): Promise<void> {
    this.pause('asked')
    await this.#ended
    if (this.#idle) clearTimeout(this.#idle)
    this.#here.clear()
    this.#table.leave?.()
  }

  async #run(): Promise<void> {
    const unlocked = new Map(
      [...this.#here].flatMap(([id, one]) => (one.unlocked ? [[id, one.unlocked] as const] : [])),
    )
    try {
      const ended = await this.#table.run(unlocked, {
        room: this.#room(),
        shares: this.#options.medium === null ? [] : [this.#options.medium],
        desk: this.#desk,
        questions: this.#questions,
        seen: (vault) => {
          this.#vault = vault
        },
      })
      await this.#options.released()
      this.#came(ended)
    } catch (error) {
      await this.#options.released()
      this.#brokeOff(error)
    }
  }

  #came(ended: Ended): void {
    if ('done' in ended) return this.#complete(ended.done.ceremony, ended.done.recordFolder)
    this.#forget()
    this.#phase = 'closed'
    this.#result = { ...ended.closed, record: null, certificates: [] }
    this.#changed()
  }

  #complete(ceremony: string, record: string | null): void {
    this.#forget()
    this.#phase = 'finished'
    const certificates = this.#vault ? certificatesIn(this.#vault.state, ceremony) : []
    this.#result = { ceremony, record, certificates, erased: 0 }
    this.#changed()
  }

  /** Where the record is signed, the ceremony is complete, whatever became of its folder. */
  #brokeOff(error: unknown): void {
    const ended = this.#held()?.ended
    if (ended?.how !== 'completed' || this.#table.doing === 'close')
      return this.#end(isKeyriteError(error, 'ceremony-paused') ? 'paused' : 'failed', error)
    const { code, message } = failureOf(error)
    this.#problem = {
      code,
      message: `The ceremony is complete and signed, but its record folder was not written. ${message}`,
      lost: 'Nothing is lost: the vault holds everything that the record follows from.',
      hint: 'Open the vault and have the record written again from Records.',
    }
    this.#complete(this.#id() ?? '', null)
  }

  #end(phase: 'paused' | 'failed', error: unknown): void {
    this.#forget()
    this.#phase = phase
    this.#problem = failureOf(error)
    this.#changed()
  }

  /** What was unlocked does not outlive the ceremony. */
  #forget(): void {
    this.#progress = null
    if (this.#idle) clearTimeout(this.#idle)
    this.#idle = null
    for (const one of this.#here.values()) one.unlocked = null
  }

  #room(): Room {
    const { home, medium, now, elapsed } = this.#options
    return {
      media: medium ?? join(home, 'handoff'),
      records: recordsOf(this.#table.vault.folder),
      now,
      elapsed,
      reporter: {
        say: (text) => {
          this.#said.push({ at: now(), text: text.trim() })
          if (this.#said.length > MOST_SAID) this.#said.shift()
          this.#progress = null
          this.#changed()
        },
        progress: (label, done, of) => this.#progressed(label, done, of),
      },
      onFile: (path) => {
        const name = basename(path)
        this.#files.push({ name, size: statSync(path).size })
      },
    }
  }

  #progressed(label: string, done: number, of: number): void {
    this.#progress = done >= of ? null : { label, done, of }
    const at = performance.now() / 1000
    if (done < of && at - this.#lastProgress < PROGRESS_EVERY) return
    this.#lastProgress = at
    this.#changed()
  }

  #missing(): number {
    const { people, threshold, alone } = this.#table
    if (alone !== null) return this.#here.has(alone) ? 0 : 1
    return threshold - people.filter(({ id, role }) => role === 'custodian' && this.#here.has(id)).length
  }

  #held(): Ceremony | null {
    const id = this.#id()
    return (id !== null && this.#vault?.state.ceremonies.get(id)) || null
  }

  #id(): string | null {
    this.#ceremony ??= (this.#vault && openCeremony(this.#vault.state)?.id) ?? null
    return this.#ceremony
  }

  /** People did something: the time to wait for them begins anew. */
  #answered(): void {
    if (this.#idle) clearTimeout(this.#idle)
    this.#idle = null
    this.#watchIdle()
  }

  /** Only people are waited for; what the engine does may take as long as it takes. */
  #watchIdle(): void {
    const waits = this.#phase === 'gathering' || (this.#phase === 'running' && this.#questions.question !== null)
    if (waits === (this.#idle !== null)) return
    if (this.#idle) clearTimeout(this.#idle)
    this.#idle = waits ? setTimeout(() => this.pause('idle'), this.#options.idleAfter * 1000) : null
    this.#idle?.unref()
  }

  #newNetworks(): string[] {
    const { networks, knownNetworks } = this.#options
    return networks().filter((name) => !knownNetworks.includes(name))
  }

  /** The public keys that count as a person's, by the rosters of the open vault: whatever else lies beside it does not. */
  #keysOf(person: string): RosterPerson[] {
    const vault = this.#vault
    if (!vault) return []
    const { pending } = vault.state
    const rosters = [vault.roster, ...(pending ? [parseRosterText(pending.roster)] : [])]
    return rosters.flatMap(({ people }) => people.filter(({ id }) => id === person))
  }

  #changed(): void {
    this.#watchIdle()
    this.#options.tell({ tell: 'sitting', sitting: this.shown() })
  }
}

const networkPaused = (begun: boolean): KeyriteError =>
  new KeyriteError(
    'ceremony-paused',
    begun ? 'A network came up. The ceremony is paused and recorded.' : 'A network came up.',
    {
      lost: begun
        ? 'The steps that were finished are recorded, and that the network came up; of the step under way nothing else is kept.'
        : 'Nothing was changed.',
      hint: 'Take the network down, then go on from Home.',
    },
  )
