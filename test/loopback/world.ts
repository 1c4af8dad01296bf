import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'
import type { App } from '../../electron/app/app.ts'
import { type Shell, type ShellOptions, serveApp } from '../../electron/loopback/server.ts'
import type { Notice, Outcome } from '../../shared/contract/contract.ts'

/** A browser shell on a real socket, a small window for it, and requests that say exactly what a test wants them to say. */

export type TestApp = App & {
  readonly calls: { method: string; input: unknown }[]
  readonly closed: () => boolean
  tell(notice: Notice): void
  /** What the next calls are answered with. */
  answer: (method: string, input: unknown) => Promise<Outcome>
}

/** An app that answers every method with what it was asked. The real one is tested where it lives, and behind `npm start`. */
export function testApp(): TestApp {
  const listeners = new Set<(notice: Notice) => void>()
  const calls: TestApp['calls'] = []
  let closed = false
  const app: TestApp = {
    calls,
    closed: () => closed,
    tell: (notice) => {
      for (const listener of listeners) listener(notice)
    },
    answer: async (method, input) => ({ ok: true, value: { method, input } }),
    call: async (method, input) => {
      calls.push({ method, input })
      return app.answer(method, input)
    },
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: async () => {
      closed = true
    },
  }
  return app
}

const CLIENT = fileURLToPath(new URL('../../renderer/client.ts', import.meta.url))

/** Builds a window that is nothing but the client, at hand as `client` for the tests. Gives its folder. */
export async function buildTestWindow(): Promise<{ folder: string; remove: () => void }> {
  const root = mkdtempSync(join(tmpdir(), 'keyrite-window-'))
  const folder = join(root, 'built')
  writeFileSync(
    join(root, 'index.html'),
    '<!doctype html><html lang="en"><head><title>Test window</title><script type="module" src="./main.ts"></script></head><body><h1>Here</h1></body></html>',
  )
  writeFileSync(
    join(root, 'main.ts'),
    `import * as client from ${JSON.stringify(CLIENT)}
const told = []
client.onNotice((notice) => told.push(notice))
client.onLost(() => { document.title = 'Lost' })
const run = (text) => (0, eval)(text)
const fetchModule = (address) => import(/* @vite-ignore */ address)
Object.assign(window, { client, told, run, fetchModule })`,
  )
  await build({ configFile: false, root, base: './', logLevel: 'error', build: { outDir: folder, target: 'esnext' } })
  return { folder, remove: () => rmSync(root, { recursive: true, force: true }) }
}

export type TestShell = {
  shell: Shell
  app: TestApp
  lines: string[]
  port: number
  room: string
  token: string
}

/** `given`: another app than the one that answers with what it was asked. */
export async function startShell({ app: given, ...options }: ShellOptions & { app?: App }): Promise<TestShell> {
  const app = testApp()
  const lines: string[] = []
  const shell = await serveApp(given ?? app, { say: (line) => lines.push(line), ...options })
  return { shell, app, lines, ...partsOf(shell.address) }
}

export function partsOf(address: string): { port: number; room: string; token: string } {
  const { port, pathname, hash } = new URL(address)
  return { port: Number(port), room: pathname.slice(1, -1), token: hash.slice(1) }
}

export type Asked = {
  method?: string
  path: string
  headers?: OutgoingHttpHeaders
  body?: string | Buffer
}
export type Answered = { status: number; headers: IncomingMessage['headers']; body: string }

/** Sends one request with exactly these headers, and `Host` unless it is given. */
export function ask(port: number, { method = 'GET', path, headers = {}, body }: Asked): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const all = { host: `127.0.0.1:${port}`, ...headers }
    const request = httpRequest({ host: '127.0.0.1', port, method, path, headers: all, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }))
      response.on('error', reject)
    })
    request.on('error', reject)
    request.end(body)
  })
}

/** What a browser says of the window's own requests. */
export const DOCUMENT = { 'sec-fetch-site': 'none', 'sec-fetch-dest': 'document', 'sec-fetch-mode': 'navigate' }
export const OWN = { 'sec-fetch-site': 'same-origin' }
export const own = (port: number): OutgoingHttpHeaders => ({
  ...OWN,
  origin: `http://127.0.0.1:${port}`,
  'content-type': 'application/json',
})

/** Exchanges a token; gives the cookie for the `Cookie` header. */
export async function claim({ port, room, token }: TestShell): Promise<string> {
  const body = JSON.stringify({ token })
  const { headers } = await ask(port, { method: 'POST', path: `/${room}/session`, headers: own(port), body })
  return headers['set-cookie']?.[0]?.split(';')[0] ?? ''
}

export type Told = { event: string; data: unknown }
export type Stream = {
  status: number
  told: Told[]
  /** The next event that was not taken yet. */
  next(): Promise<Told>
  ended: Promise<void>
  close(): void
}

/** Opens a stream of notices, as a window does. */
export function openStream({ port, room }: TestShell, cookie: string): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const headers = { host: `127.0.0.1:${port}`, ...OWN, cookie, accept: 'text/event-stream' }
    const request = httpRequest(
      { host: '127.0.0.1', port, path: `/${room}/notices`, headers, agent: false },
      (response) => {
        const told: Told[] = []
        const waiting: ((one: Told) => void)[] = []
        let rest = ''
        let taken = 0
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          const parts = (rest + chunk).split('\n\n')
          rest = parts.pop() ?? ''
          for (const part of parts) {
            const one = toldIn(part)
            if (!one) continue
            told.push(one)
            if (waiting.length > 0) {
              taken++
              waiting.shift()?.(one)
            }
          }
        })
        resolve({
          status: response.statusCode ?? 0,
          told,
          next: () => {
            const one = told[taken]
            if (!one) return new Promise((give) => waiting.push(give))
            taken++
            return Promise.resolve(one)
          },
          ended: new Promise((end) => response.on('close', () => end())),
          close: () => request.destroy(),
        })
        response.on('error', () => {})
      },
    )
    request.on('error', reject)
    request.end()
  })
}

function toldIn(part: string): Told | null {
  const event = /^event: (.+)$/m.exec(part)?.[1]
  const data = /^data: (.+)$/m.exec(part)?.[1]
  return event === undefined || data === undefined ? null : { event, data: JSON.parse(data) }
}

/** A window that is connected: what it needs for calls. */
export async function enter(shell: TestShell): Promise<{ cookie: string; stream: Stream; client: string }> {
  const cookie = await claim(shell)
  const stream = await openStream(shell, cookie)
  const { client } = (await stream.next()).data as { client: string }
  return { cookie, stream, client }
}
