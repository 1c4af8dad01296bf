import type { Failure, Notice, Outcome } from '../../shared/contract/contract.ts'
import { type FromEngine, fromEngine, type ToEngine } from './engine-messages.ts'
import type { ProcessName } from './lockdown.ts'

/** The main process's side of the talk with the engine: it carries calls and starts processes, and sees no key. */

/** The part of Electron's utility processes that is used. */
export type HostedProcess<P> = {
  on(event: 'message', listener: (message: unknown) => void): unknown
  once(event: 'exit', listener: (status: number) => void): unknown
  postMessage(message: unknown, transfer?: P[]): void
  kill(): boolean
}

/** What Electron brings, as far as it is used; `P` is its message port. */
export type Processes<P> = {
  fork(file: ProcessName): HostedProcess<P>
  /** Two ends of one new message channel. */
  channel(): [P, P]
}

export type EngineEnd =
  /** It was told to end. */
  { how: 'closed' } | { how: 'failed'; error: Failure } | { how: 'died'; status: number }

export type Engine = {
  call(method: string, input: unknown): Promise<Outcome>
  /** Everything is closed and nothing unlocked stays; the process has ended. Ends it by force after `closeWithin`. */
  close(): Promise<void>
  readonly ended: Promise<EngineEnd>
}

export type EngineOptions = {
  home: string
  practice: boolean
  onNotice: (notice: Notice) => void
  /** Milliseconds for closing; ten seconds unless told. */
  closeWithin?: number
}

const GONE: Failure = {
  code: 'interrupted',
  message: 'The part of Keyrite that holds the vault has ended.',
  lost: 'Every finished step is kept on the disk; of the step under way nothing is kept.',
  hint: 'Start it again in the window that says so, then go on from Home.',
}

/** Starts the engine's process. Calls made while it starts wait; calls still open when it ends fail with `interrupted`. */
export function startEngine<P>(processes: Processes<P>, options: EngineOptions): Engine {
  const engine = processes.fork('engine')
  const send = (message: ToEngine, transfer?: P[]) => engine.postMessage(message, transfer)
  const calls = new Map<number, (outcome: Outcome) => void>()
  const generators = new Map<number, HostedProcess<P>>()
  let count = 0
  let over: EngineEnd | undefined
  let closing = false
  let failedWith: Failure | undefined
  const startGenerator = (id: number) => {
    const child = processes.fork('generate-child')
    const [ours, theirs] = processes.channel()
    generators.set(id, child)
    child.once('exit', (status) => {
      generators.delete(id)
      if (!over) send({ say: 'generator-ended', id, status })
    })
    child.postMessage(null, [theirs])
    send({ say: 'generator', id }, [ours])
  }
  const hear = (message: FromEngine): void => {
    switch (message.say) {
      case 'ready':
        return
      case 'failed':
        failedWith = message.error
        return
      case 'notice':
        return options.onNotice(message.notice)
      case 'outcome':
        calls.get(message.id)?.(message.outcome)
        calls.delete(message.id)
        return
      case 'start-generator':
        return startGenerator(message.id)
      case 'kill-generator':
        generators.get(message.id)?.kill()
    }
  }
  engine.on('message', (data) => {
    const message = fromEngine.safeParse(data)
    // An engine that says something else is not ours to go on with.
    if (message.success) hear(message.data)
    else engine.kill()
  })
  const ended = new Promise<EngineEnd>((resolve) => {
    engine.once('exit', (status) => {
      over = closing ? { how: 'closed' } : failedWith ? { how: 'failed', error: failedWith } : { how: 'died', status }
      for (const child of generators.values()) child.kill()
      for (const answer of calls.values()) answer({ ok: false, error: GONE })
      calls.clear()
      resolve(over)
    })
  })
  send({ say: 'start', home: options.home, practice: options.practice })
  return {
    call: (method, input) => {
      if (over) return Promise.resolve({ ok: false, error: GONE })
      const id = count++
      send({ say: 'call', id, method, input })
      return new Promise((resolve) => calls.set(id, resolve))
    },
    close: async () => {
      closing = true
      if (over) return
      send({ say: 'end' })
      const timer = setTimeout(() => engine.kill(), options.closeWithin ?? 10_000)
      await ended
      clearTimeout(timer)
    },
    ended,
  }
}
