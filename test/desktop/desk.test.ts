import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { PAGE_POLICY } from '../../electron/app/content-policy.ts'
import { createDesk } from '../../electron/desktop/desk.ts'
import type { FromEngine, ToEngine } from '../../electron/desktop/engine-messages.ts'
import { PRINT_URL } from '../../electron/desktop/lockdown.ts'
import { type Page, type PrintWindow, printPage } from '../../electron/desktop/printing.ts'

/** An engine that answers as told; its process ends when a test says so. */
function room(answers: Record<string, FromEngine['say'] extends string ? object : never> = {}, restart = true) {
  const engines: { says: (message: FromEngine) => void; ends: (status: number) => void; heard: ToEngine[] }[] = []
  const seen = { asked: [] as { message: string; detail: string }[], restarted: 0, quit: 0, printed: [] as Page[] }
  const fork = () => {
    const events = new EventEmitter()
    const heard: ToEngine[] = []
    engines.push({
      says: (message) => events.emit('message', message),
      ends: (status) => events.emit('exit', status),
      heard,
    })
    return {
      on: events.on.bind(events),
      once: events.once.bind(events),
      kill: () => events.emit('exit', 15),
      postMessage: (data: unknown) => {
        const message = data as ToEngine
        heard.push(message)
        if (message.say === 'end') events.emit('exit', 0)
        if (message.say !== 'call') return
        const outcome = answers[message.method] ?? { ok: true, value: {} }
        setImmediate(() => events.emit('message', { say: 'outcome', id: message.id, outcome }))
      },
    }
  }
  const desk = createDesk(
    { fork, channel: () => [null, null] },
    {
      home: '/home/keys',
      practice: false,
      tell: () => {},
      print: async (page) => void seen.printed.push(page),
      askAfterEnd: async (words) => {
        seen.asked.push(words)
        return restart
      },
      restarted: () => seen.restarted++,
      quit: () => seen.quit++,
    },
  )
  desk.start()
  return { desk, engines, seen }
}
const settled = () => new Promise((resolve) => setTimeout(resolve, 20))

describe('when the engine ends unexpectedly', () => {
  it('the window says what is kept and offers to start it again; the screens begin anew', async () => {
    const { desk, engines, seen } = room()
    engines[0]?.ends(9)
    await settled()
    expect(seen.asked).toEqual([
      {
        message: 'The part of Keyrite that holds the vault has ended.',
        detail: expect.stringMatching(/^Every finished step is kept on the disk; .* Start it again/),
      },
    ])
    expect(engines).toHaveLength(2)
    expect(seen).toMatchObject({ restarted: 1, quit: 0 })
    expect(await desk.call('hello', {})).toEqual({ ok: true, value: {} })
    expect(engines[1]?.heard[0]).toEqual({ say: 'start', home: '/home/keys', practice: false })
  })

  it('or the program ends, when people choose that', async () => {
    const { engines, seen } = room({}, false)
    engines[0]?.ends(9)
    await settled()
    expect(seen).toMatchObject({ restarted: 0, quit: 1 })
    expect(engines).toHaveLength(1)
  })

  it('one that could not start says why', async () => {
    const { engines, seen } = room({}, false)
    const error = { code: 'self-test-failed', message: 'ES256 does not work here.', lost: 'Nothing.', hint: 'Stop.' }
    engines[0]?.says({ say: 'failed', error: error as never })
    engines[0]?.ends(1)
    await settled()
    expect(seen.asked).toEqual([{ message: 'ES256 does not work here.', detail: 'Nothing. Stop.' }])
  })

  it('closing the window is not unexpected', async () => {
    const { desk, engines, seen } = room()
    await desk.close()
    await settled()
    expect(engines[0]?.heard.at(-1)).toEqual({ say: 'end' })
    expect(seen).toMatchObject({ asked: [], restarted: 0, quit: 0 })
  })
})

describe('closing the lid', () => {
  it('pauses', () => {
    const { desk, engines } = room()
    desk.pause()
    expect(engines[0]?.heard.at(-1)).toMatchObject({ say: 'call', method: 'pause', input: { why: 'lid' } })
  })
})

describe('the camera', () => {
  it('is on while the engine says that it may be, and never after it ended', async () => {
    const { desk, engines } = room()
    expect(desk.camera()).toBe(false)
    await desk.call('camera', { on: true })
    expect(desk.camera()).toBe(true)
    await desk.call('camera', { on: false })
    expect(desk.camera()).toBe(false)
    await desk.call('camera', { on: true })
    engines[0]?.ends(9)
    await settled()
    expect(desk.camera()).toBe(false)
  })

  it('ends with the page that asked for it, also where the answer comes too late', async () => {
    const { desk } = room()
    await desk.call('camera', { on: true })
    desk.pageGone()
    expect(desk.camera()).toBe(false)
    const late = desk.call('camera', { on: true })
    desk.pageGone()
    await late
    expect(desk.camera()).toBe(false)
    await desk.call('camera', { on: true })
    expect(desk.camera()).toBe(true)
  })

  it('stays off when the engine refuses', async () => {
    const error = { code: 'usage-invalid', message: 'no', lost: '', hint: '' }
    const { desk } = room({ camera: { ok: false, error } })
    await desk.call('camera', { on: true })
    expect(desk.camera()).toBe(false)
  })
})

describe('printing', () => {
  const page = { title: 'Record G-2026-001', html: '<!doctype html><p>paper' }

  it('what openPage draws goes to the printer, not to the screens', async () => {
    const { desk, seen } = room({ openPage: { ok: true, value: { ...page, address: null } } })
    expect(await desk.call('openPage', { page: 'evidence' })).toEqual({
      ok: true,
      value: { title: page.title, html: null, address: null },
    })
    expect(seen.printed).toEqual([page])
  })

  it('an answer of another form is refused, and nothing is printed', async () => {
    const { desk, seen } = room({ openPage: { ok: true, value: { title: 7 } } })
    expect(await desk.call('openPage', {})).toMatchObject({ ok: false, error: { code: 'internal' } })
    expect(seen.printed).toEqual([])
  })

  /** Electron's part: a session and a window that remember what was done with them. */
  function printer(print: (done: (success: boolean, reason: string) => void) => void) {
    const seen: { handler?: (request: Request) => Response; destroyed: number; options?: object; url?: string } = {
      destroyed: 0,
    }
    const window: PrintWindow = {
      loadURL: async (url) => void Object.assign(seen, { url }),
      webContents: { print: (_options, done) => print(done) },
      destroy: () => void seen.destroyed++,
    }
    return {
      seen,
      session: (partition: string) => ({
        protocol: {
          handle: (_scheme: string, handler: never) => {
            Object.assign(seen, { handler, partition })
          },
        },
      }),
      window: (options: object) => {
        seen.options = options
        return window
      },
    }
  }

  it('a hidden window in which nothing runs loads this one page, and is gone afterwards', async () => {
    const made = printer((done) => done(true, ''))
    await printPage(made, page)
    expect(made.seen).toMatchObject({ url: PRINT_URL, destroyed: 1 })
    expect(made.seen.options).toMatchObject({ show: false, webPreferences: { javascript: false, sandbox: true } })
    const response = made.seen.handler?.(new Request(PRINT_URL))
    expect(response?.headers.get('content-security-policy')).toBe(PAGE_POLICY)
    expect(await response?.text()).toBe(page.html)
    expect(made.seen.handler?.(new Request('app://print/other.html')).status).toBe(404)
    expect(made.seen.handler?.(new Request(PRINT_URL, { method: 'POST' })).status).toBe(404)
  })

  it('somebody who cancels has not failed; a printer that fails is named, and its window is gone too', async () => {
    await printPage(
      printer((done) => done(false, 'Print job canceled')),
      page,
    )
    const failing = printer((done) => done(false, 'Invalid printer settings'))
    await expect(printPage(failing, page)).rejects.toMatchObject({
      code: 'medium-failed',
      message: /Record G-2026-001/,
    })
    expect(failing.seen.destroyed).toBe(1)
  })
})
