import type { Failure, MethodName, Notice, Outcome } from '../shared/contract/contract.ts'
import type { Bridge } from './client.ts'
import { guardWindow } from './guard.ts'
import { text } from './text/index.ts'

/**
 * The browser shell's bridge: calls by POST, notices by one stream of server-sent events. All addresses are relative to
 * the page's own, which no other server of this machine is told.
 */

/** How long the stream may be broken before it counts as lost, in milliseconds. */
const PATIENCE = 4_000

/** How long the stream gets to notice what a call has noticed, in milliseconds. */
const NOTICING = 500

const interrupted = (title: string, lost: string, hint: string): Outcome => {
  const error: Failure = { code: 'interrupted', message: `${title}.`, lost, hint }
  return { ok: false, error }
}
const { lost: gone, unanswered: silent } = text.app
const lost = interrupted(gone.title, gone.browser, gone.next)
const unanswered = interrupted(silent.title, silent.lost, silent.next)

export function loopback(view: Window & typeof globalThis): Bridge {
  guardWindow(view)
  const notices = createListeners<Notice>()
  const losses = createListeners<void>()
  const wire = createWire()
  const send = (method: MethodName, input: unknown) => sendOver(wire, method, input)
  const lose = () => {
    wire.close()
    losses.tell()
  }
  enter(view).then(() => listen(view, { wire, lose, notices, again: () => catchUp(send, notices.tell) }), lose)
  return { send, onNotice: notices.add, onLost: losses.add }
}

type Listeners<T> = { add(listener: (told: T) => void): () => void; tell(told: T): void }

function createListeners<T>(): Listeners<T> {
  const listeners = new Set<(told: T) => void>()
  return {
    add: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    tell: (told) => {
      for (const listener of listeners) listener(told)
    },
  }
}

/** The id that the shell knows this window by. Calls wait for it while the stream is being opened. */
type Wire = { client(): Promise<string | null>; open(client: string): void; broken(): void; close(): void }

function createWire(): Wire {
  let client = Promise.withResolvers<string | null>()
  return {
    client: () => client.promise,
    open: (id) => client.resolve(id),
    broken: () => {
      client = Promise.withResolvers()
    },
    close: () => {
      client.resolve(null)
      client = Promise.withResolvers()
      client.resolve(null)
    },
  }
}

/** Exchanges the token of the address for the cookie, and takes it out of the address and the history. */
async function enter({ location, history }: Window): Promise<void> {
  const token = location.hash.slice(1)
  if (token === '') return
  history.replaceState(null, '', location.pathname)
  // A token that was used before does no harm: this window may have the cookie already.
  await post('session', { token })
}

type Heard = { wire: Wire; lose: () => void; notices: Listeners<Notice>; again: () => void }

function listen(view: Window & typeof globalThis, { wire, lose, notices, again }: Heard): void {
  const source = new view.EventSource('notices')
  let opened = false
  let patience: ReturnType<typeof setTimeout> | undefined
  const leave = (then: () => void) => {
    clearTimeout(patience)
    source.close()
    then()
  }
  source.addEventListener('hello', ({ data }) => {
    clearTimeout(patience)
    patience = undefined
    wire.open(JSON.parse(data).client)
    if (opened) again()
    opened = true
  })
  source.addEventListener('notice', ({ data }) => notices.tell(JSON.parse(data)))
  source.addEventListener('end', () => leave(lose))
  source.addEventListener('refused', () => leave(() => view.location.replace('elsewhere')))
  source.addEventListener('error', () => {
    if (source.readyState === source.CLOSED) return leave(opened ? lose : () => view.location.replace('stale'))
    if (patience === undefined) wire.broken()
    patience ??= setTimeout(() => leave(lose), PATIENCE)
  })
}

/** What may have been told while the stream was broken is asked for, and heard as if it had been told now. */
async function catchUp(send: Bridge['send'], tell: (notice: Notice) => void): Promise<void> {
  const [machine, sitting] = await Promise.all([send('machine', {}), send('sitting', {})])
  if (machine.ok) tell({ tell: 'machine', machine: machine.value } as Notice)
  if (sitting.ok) tell({ tell: 'sitting', sitting: sitting.value } as Notice)
}

async function sendOver(wire: Wire, method: MethodName, input: unknown): Promise<Outcome> {
  const client = await wire.client()
  if (client === null) return lost
  try {
    const response = await post(`call/${method}`, input, { 'Keyrite-Client': client })
    return (await response.json()) as Outcome
  } catch {
    // One call that fails says little, and sent again it could be done twice: whether Keyrite is there, the stream knows.
    await new Promise((resolve) => setTimeout(resolve, NOTICING))
    return (await wire.client()) === null ? lost : unanswered
  }
}

const post = (address: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(address, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
    credentials: 'same-origin',
    redirect: 'error',
  })
