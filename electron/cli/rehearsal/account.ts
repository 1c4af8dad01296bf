import { utcDay } from '../../../shared/domain/utc.ts'
import type { Reporter } from '../../app/reporter.ts'

/** The readable account: chapters on stderr as they happen; every number in it stands in the summary. */
export class Account {
  readonly #reporter: Reporter
  #chapter = 0

  constructor(reporter: Reporter) {
    this.#reporter = reporter
  }

  chapter(title: string, at: number): void {
    this.#chapter++
    const day = utcDay(at)
    this.#reporter.say(`\n${String(this.#chapter).padStart(2)}  ${title.padEnd(62)} ${day}`)
  }

  line(text: string): void {
    this.#reporter.say(`    ${text}`)
  }
}
