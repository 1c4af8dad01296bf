import type { Notice, Outcome } from '../../shared/contract/contract.ts'
import { plainFailureOf } from '../app/failure.ts'
import { type Engine, type EngineEnd, type Processes, startEngine } from './engine-host.ts'
import { type Page, printedOutcome } from './printing.ts'

/** What stands between the window and the engine: it starts the engine again, prints, and knows when the camera is on. */

export type Desk = {
  start(): void
  /** Answers one method of the contract. Never throws. */
  call(method: string, input: unknown): Promise<Outcome>
  /** The lid closes or the screen locks: a ceremony under way stops where it stands. */
  pause(): void
  camera(): boolean
  /** The page is gone or begins anew: what it had asked for ends with it. */
  pageGone(): void
  close(): Promise<void>
}

export type DeskOptions = {
  home: string
  practice: boolean
  tell: (notice: Notice) => void
  print: (page: Page) => Promise<void>
  /** Says that the engine has ended; gives whether it is to be started again. */
  askAfterEnd: (words: { message: string; detail: string }) => Promise<boolean>
  /** The engine was started again: the screens begin anew. */
  restarted: () => void
  quit: () => void
  closeWithin?: number
}

export function createDesk<P>(processes: Processes<P>, options: DeskOptions): Desk {
  const { home, practice, tell, closeWithin } = options
  let engine: Engine | undefined
  let cameraOn = false
  let pages = 0
  const pageGone = () => {
    cameraOn = false
    pages++
  }
  const start = () => {
    const started = startEngine(processes, { home, practice, onNotice: tell, ...(closeWithin && { closeWithin }) })
    engine = started
    void started.ended.then(async (end) => {
      pageGone()
      if (end.how === 'closed') return
      if (!(await options.askAfterEnd(wordsFor(end)))) return options.quit()
      start()
      options.restarted()
    })
  }
  const answer = async (method: string, input: unknown): Promise<Outcome> => {
    const page = pages
    const outcome = await (engine as Engine).call(method, input)
    // The contract has accepted the input by now; a page that is gone was not given what it asked for.
    if (method === 'camera' && outcome.ok && page === pages) cameraOn = (input as { on: boolean }).on
    return method === 'openPage' ? printedOutcome(outcome, options.print) : outcome
  }
  return {
    start,
    call: async (method, input) => {
      try {
        return await answer(method, input)
      } catch (thrown) {
        return { ok: false, error: plainFailureOf(thrown) }
      }
    },
    // Without a sitting this is refused, which is just as well.
    pause: () => void engine?.call('pause', { why: 'lid' }),
    camera: () => cameraOn,
    pageGone,
    close: async () => engine?.close(),
  }
}

/** What happened, whether anything is lost, what next. */
const wordsFor = (end: EngineEnd): { message: string; detail: string } =>
  end.how === 'failed'
    ? { message: end.error.message, detail: `${end.error.lost} ${end.error.hint}` }
    : {
        message: 'The part of Keyrite that holds the vault has ended.',
        detail:
          'Every finished step is kept on the disk; of the step under way nothing is kept, and nothing unlocked stays. ' +
          'Start it again, then go on from Home.',
      }
