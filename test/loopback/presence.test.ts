import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ask, buildTestWindow, claim, enter, openStream, own, startShell, type TestShell } from './world.ts'

/** The stream of notices is the window's presence: who has it, who may take it over, and what ends when it is gone. */

let files: { folder: string; remove: () => void }
const running: TestShell[] = []
const start = async (options: Partial<Parameters<typeof startShell>[0]> = {}) => {
  const shell = await startShell({ files: files.folder, takeover: 100, ...options })
  running.push(shell)
  return shell
}
beforeAll(async () => {
  files = await buildTestWindow()
})
afterAll(() => files.remove())
afterEach(async () => {
  for (const { shell } of running.splice(0)) await shell.close()
})

describe('the one window', () => {
  it('hears notices, and refusals as they come', async () => {
    const test = await start()
    const { stream } = await enter(test)
    const notice = { tell: 'progress', label: 'Opening', done: 1, of: 2 } as const
    test.app.tell(notice)
    expect(await stream.next()).toEqual({ event: 'notice', data: notice })
    await ask(test.port, { path: '/nowhere' })
    const why = 'A request for an address that does not exist here was refused.'
    expect(await stream.next()).toEqual({ event: 'notice', data: { tell: 'refused-call', why } })
    expect(test.lines).toEqual([`Refused: ${why}`])
  })

  it('loaded again, it takes over as soon as the window before has left; the id before is void', async () => {
    const test = await start({ takeover: 5_000 })
    const first = await enter(test)
    const second = openStream(test, first.cookie)
    first.stream.close()
    const stream = await second
    const { event, data } = await stream.next()
    expect(event).toBe('hello')
    expect((data as { client: string }).client).not.toBe(first.client)
    const headers = { ...own(test.port), cookie: first.cookie, 'keyrite-client': first.client }
    const answer = await ask(test.port, { method: 'POST', path: `/${test.room}/call/hello`, headers, body: '{}' })
    expect(answer.status).toBe(409)
    expect(test.app.calls).toEqual([])
  })

  it('a second one is refused while the first is there, which goes on undisturbed', async () => {
    const test = await start()
    const first = await enter(test)
    const second = await openStream(test, first.cookie)
    expect((await second.next()).event).toBe('refused')
    await second.ended
    test.app.tell({ tell: 'sitting', sitting: null })
    expect((await first.stream.next()).event).toBe('notice')
    expect(test.shell.refusals()).toEqual({ client: 1 })
  })

  it('gone for as long as it may be: the app is closed, and everything ends', async () => {
    const test = await start({ linger: 150 })
    const { stream } = await enter(test)
    stream.close()
    expect(await test.shell.ended).toBe('window-closed')
    expect(test.app.closed()).toBe(true)
    await expect(ask(test.port, { path: '/' })).rejects.toThrow(/ECONNREFUSED/)
  })

  it('back within that time: nothing ends', async () => {
    const test = await start({ linger: 2_000 })
    const { stream, cookie } = await enter(test)
    stream.close()
    await new Promise((resolve) => setTimeout(resolve, 100))
    const back = await openStream(test, cookie)
    expect((await back.next()).event).toBe('hello')
    await new Promise((resolve) => setTimeout(resolve, 2_200))
    expect(test.app.closed()).toBe(false)
  })

  it('that exchanged the token and never connected: everything ends', async () => {
    const test = await start({ linger: 100 })
    await claim(test)
    expect(await test.shell.ended).toBe('window-closed')
  })

  it('that never came: everything ends when the address is no longer valid', async () => {
    const test = await start({ tokenLifetime: 100 })
    expect(await test.shell.ended).toBe('nobody-came')
    expect(test.app.closed()).toBe(true)
  })

  it('is told when everything ends; calls are refused meanwhile', async () => {
    const test = await start()
    const { stream, cookie, client } = await enter(test)
    const closing = Promise.withResolvers<void>()
    test.app.close = () => closing.promise
    const closed = test.shell.close()
    const headers = { ...own(test.port), cookie, 'keyrite-client': client }
    const call = await ask(test.port, { method: 'POST', path: `/${test.room}/call/hello`, headers, body: '{}' })
    expect(call.status).toBe(503)
    // What the app tells while it closes still arrives.
    test.app.tell({ tell: 'sitting', sitting: null })
    closing.resolve()
    await closed
    await stream.ended
    expect(stream.told.map(({ event }) => event)).toEqual(['hello', 'notice', 'notice', 'end'])
    expect(await test.shell.ended).toBe('asked')
  })

  it('an app that cannot be closed: the server ends all the same, and says why', async () => {
    const test = await start()
    running.pop()
    test.app.close = async () => Promise.reject(new Error('no'))
    await expect(test.shell.close()).rejects.toThrow('no')
    await expect(test.shell.ended).rejects.toThrow('no')
    await expect(ask(test.port, { path: '/' })).rejects.toThrow(/ECONNREFUSED/)
  })
})
