import {
  failed,
  type Handlers,
  METHODS,
  type MethodName,
  type Notice,
  type Outcome,
} from '../../shared/contract/contract.ts'
import { MACHINE_METHODS } from '../../shared/contract/machine.ts'
import { SITTING_METHODS } from '../../shared/contract/sitting.ts'
import { KeyriteError } from '../../shared/errors.ts'
import { type AppContext, type AppOptions, IDLE_AFTER } from './context.ts'
import { failureOf } from './failure.ts'
import { homeHandlers } from './home/handlers.ts'
import { closeView } from './home/open.ts'
import { machineHandlers } from './machine/handlers.ts'
import { networksUp } from './machine/networks.ts'
import { watchMachine } from './machine/watch.ts'
import { planHandlers } from './plan/handlers.ts'
import { readyPractice } from './practice/ready.ts'
import { recordHandlers } from './records/handlers.ts'
import { sittingHandlers } from './sitting/handlers.ts'

/** The app behind both shells: answers every method of the contract, and tells what happens. */

export type { AppOptions } from './context.ts'

export type App = {
  /** Answers one method. Never throws: failures are values. Inputs and results are parsed by the contract. */
  call(method: string, input: unknown): Promise<Outcome>
  /** Hears every notice from now on; gives the way to stop. */
  subscribe(listener: (notice: Notice) => void): () => void
  /** Ends everything: a sitting is paused, vaults are closed, nothing unlocked stays. */
  close(): Promise<void>
}

/** Makes the app. With `practice` a vault is made first, in a temporary home that `close` removes. */
export async function createApp(options: AppOptions): Promise<App> {
  const listeners = new Set<(notice: Notice) => void>()
  const ready = options.practice ? await readyPractice() : null
  const app: AppContext = {
    shell: options.shell,
    home: ready?.home ?? options.home,
    now: options.now ?? (() => Math.floor(Date.now() / 1000)),
    elapsed: options.elapsed ?? (() => Math.floor(performance.now() / 1000)),
    networks: options.networks ?? networksUp,
    tell: (notice) => {
      for (const listener of listeners) listener(notice)
    },
    practice: ready?.practice ?? null,
    view: null,
    medium: ready?.medium ?? null,
    camera: false,
  }
  const sitting = sittingHandlers(app, options)
  const handlers: Handlers = {
    ...homeHandlers(app),
    ...machineHandlers(app),
    ...planHandlers(app),
    ...recordHandlers(app),
    ...sitting.handlers,
  }
  const watch = watchMachine(app, sitting.networkCameUp)
  const looking = closesByItself(app, options.idleAfter ?? IDLE_AFTER)
  return {
    call: async (method, input) => {
      const outcome = sitting.underWay() && !DURING.has(method) ? BUSY : await answer(handlers, method, input)
      looking.seen()
      return outcome
    },
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: async () => {
      watch.stop()
      looking.stop()
      await sitting.close()
      closeView(app)
      ready?.remove()
    },
  }
}

/** What a sitting leaves room for: itself, and the machine around it. */
const DURING: ReadonlySet<string> = new Set(['hello', ...Object.keys(SITTING_METHODS), ...Object.keys(MACHINE_METHODS)])
const BUSY = failed(
  failureOf(
    new KeyriteError('ceremony-open', 'A ceremony is under way in this window; nothing else is done meanwhile.'),
  ),
)

/** A vault that nobody looks at any more is closed, and what was unlocked for looking is forgotten. */
function closesByItself(app: AppContext, after: number): { seen(): void; stop(): void } {
  let timer: NodeJS.Timeout | null = null
  const stop = () => {
    if (timer) clearTimeout(timer)
  }
  const close = () => {
    if (!app.view) return
    closeView(app)
    app.tell({ tell: 'view-closed' })
  }
  const seen = () => {
    stop()
    timer = setTimeout(close, after * 1000)
    timer.unref()
  }
  return { seen, stop }
}

const isMethod = (name: string): name is MethodName => Object.hasOwn(METHODS, name)

async function answer(handlers: Handlers, name: string, input: unknown): Promise<Outcome> {
  try {
    if (!isMethod(name)) throw new KeyriteError('usage-invalid', 'The app has no such method.')
    const { takes, gives } = METHODS[name]
    const parsed = takes.safeParse(input)
    // Without the reasons: they may quote what was typed.
    if (!parsed.success) throw new KeyriteError('usage-invalid', `What was sent to “${name}” does not have its form.`)
    const handler = handlers[name] as (input: unknown) => unknown
    return { ok: true, value: gives.parse(await handler(parsed.data)) }
  } catch (error) {
    return { ok: false, error: failureOf(error) }
  }
}
