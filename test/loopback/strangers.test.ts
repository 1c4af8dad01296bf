import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ask, buildTestWindow, DOCUMENT, enter, own, startShell, type TestShell } from './world.ts'

/** Another program of this machine opens connections and says nothing, or half a request: the window is not kept out. */

let files: { folder: string; remove: () => void }
let test: TestShell
const idle: Socket[] = []

beforeAll(async () => {
  files = await buildTestWindow()
})
afterAll(() => files.remove())
afterEach(async () => {
  for (const socket of idle.splice(0)) socket.destroy()
  await test.shell.close()
})

/** Opens connections; counts those that the shell has ended. */
async function flood(count: number, says = ''): Promise<() => number> {
  let ended = 0
  const opened = Array.from({ length: count }, async () => {
    const socket = connect(test.port, '127.0.0.1')
    idle.push(socket)
    socket.on('error', () => {})
    socket.on('close', () => ended++)
    socket.resume()
    await once(socket, 'connect')
    if (says) socket.write(says)
  })
  await Promise.all(opened)
  return () => ended
}

const call = ({ cookie, client }: { cookie: string; client: string }) =>
  ask(test.port, {
    method: 'POST',
    path: `/${test.room}/call/hello`,
    headers: { ...own(test.port), cookie, 'keyrite-client': client },
    body: '{}',
  })

describe.each([
  ['nothing', ''],
  ['half a request', 'GET / HTTP/1.1\r\nHost: 127'],
])('two hundred connections that say %s', (_, says) => {
  it('before the window comes: it comes in, hears notices and calls', async () => {
    test = await startShell({ files: files.folder })
    await flood(200, says)
    expect((await ask(test.port, { path: `/${test.room}/`, headers: DOCUMENT })).status).toBe(200)
    const window = await enter(test)
    expect((await call(window)).status).toBe(200)
    test.app.tell({ tell: 'sitting', sitting: null })
    expect(await window.stream.next()).toMatchObject({ event: 'notice' })
    expect(test.shell.refusals()).toMatchObject({ 'too-many': expect.any(Number) })
    expect(test.lines).toContain('Refused: Connections were cut: more were open than one window needs.')
  })

  it('afterwards: its stream stays open and its calls are answered', async () => {
    test = await startShell({ files: files.folder })
    const window = await enter(test)
    let ended = false
    void window.stream.ended.then(() => {
      ended = true
    })
    await flood(200, says)
    expect((await call(window)).status).toBe(200)
    await flood(200, says)
    expect((await call(window)).status).toBe(200)
    expect(ended).toBe(false)
    expect(window.stream.told.map(({ event }) => event)).not.toContain('end')
  })

  it('are all cut within seconds', async () => {
    test = await startShell({ files: files.folder })
    const ended = await flood(200, says)
    await expect.poll(ended, { timeout: 9_000 }).toBe(200)
  }, 15_000)
})

it('a connection whose request is refused is closed with the answer', async () => {
  test = await startShell({ files: files.folder })
  const ended = await flood(3, `GET / HTTP/1.1\r\nHost: 127.0.0.1:${test.port}\r\n\r\n`)
  await expect.poll(ended, { timeout: 2_000 }).toBe(3)
  expect(test.shell.refusals()).toEqual({ address: 3 })
})

it('a few that a browser opened ahead of need are nothing to tell of', async () => {
  test = await startShell({ files: files.folder })
  const ended = await flood(4)
  await expect.poll(ended, { timeout: 9_000 }).toBe(4)
  expect(test.shell.refusals()).toEqual({})
}, 15_000)
