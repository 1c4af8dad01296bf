import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished, vi } from 'vitest'
import { temporaryFolder } from '../issuer/fixtures.ts'
import { ask, askToken } from '../issuer/serving/ask.ts'
import { type Client, serving, today } from '../issuer/serving/process.ts'
import { mutateJson, type Random } from './random.ts'
import { rounds, TIMEOUT } from './rounds.ts'

/** What the processes of a runtime tell each other: words that are none change nothing. */

const WORKER = fileURLToPath(new URL('../../electron/issuer/serving/worker.ts', import.meta.url))
const WORDS: readonly unknown[] = [
  { type: 'listening', url: 'http://127.0.0.1:1' },
  { type: 'failed', code: 'port-in-use', message: 'x' },
  { type: 'stop' },
  { type: 'keyrite:counts', delta: [['tokens', [['acme', 1]]]] },
]

/** A word with a change in it that makes it another one; the words themselves would be obeyed. */
function wrongWord(random: Random): object {
  for (;;) {
    const word = mutateJson(random, random.pick(WORDS))
    const known = ['stop', 'listening', 'failed', 'keyrite:counts']
    const type = typeof word === 'object' && word !== null && 'type' in word ? word.type : null
    if (typeof word === 'object' && word !== null && !known.includes(String(type))) return word
    // A known type with a member too many is none of the words either.
    if (typeof word === 'object' && word !== null) return { ...word, more: 1 }
  }
}

it(
  'a worker does not stop, fail or answer differently for words that are none',
  async () => {
    const { dir, clients } = await today(['acme'])
    const task = JSON.stringify({ dir, listen: { host: '127.0.0.1', port: 0 } })
    const worker = fork(WORKER, [task], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    onTestFinished(() => {
      worker.kill('SIGKILL')
    })
    const [word] = (await once(worker, 'message')) as [{ type: string; url: string }]
    expect(word.type).toBe('listening')
    const [client] = clients as [Client]
    await rounds('words to a worker', async (random, at) => {
      await new Promise((done) => worker.send(wrongWord(random), done))
      if (at % 200 === 0) expect((await askToken(word.url, client)).status).toBe(200)
    })
    expect((await askToken(word.url, client)).status).toBe(200)
    expect(worker.exitCode).toBeNull()
    worker.send({ type: 'stop' })
    expect((await once(worker, 'exit'))[0]).toBe(0)
  },
  TIMEOUT,
)

it.each(['', '{', 'null', '{}', '{"dir":""}', '{"dir":"/nowhere","listen":{"host":"127.0.0.1","port":0}}'])(
  'a worker that is told to do %j says that it failed, and ends',
  async (task) => {
    const worker = fork(WORKER, [task], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    onTestFinished(() => {
      worker.kill('SIGKILL')
    })
    const exit = once(worker, 'exit')
    const [word] = (await once(worker, 'message')) as [{ type: string; code: string }]
    expect([word.type, typeof word.code]).toEqual(['failed', 'string'])
    expect((await exit)[0]).toBe(1)
  },
)

/** A true word, told twice by each of two workers: that it arrives shows that the others do. */
const COUNTED = { type: 'keyrite:counts', delta: [['issued', [['acme\u0000fuzz\u0000ES256', 1]]]] }

/** Loaded before a worker's own code: says to the primary what no worker says. */
const preload = (words: readonly object[]): string => `
import cluster from 'node:cluster'
if (cluster.isWorker) {
  const words = ${JSON.stringify(words)}
  for (const word of words) process.send(word)
  setTimeout(() => { for (const word of words) process.send(word) }, 1500).unref()
}
`

it(
  'the process that started the workers goes on whatever they say, and its counts stay as they are',
  async () => {
    const words: object[] = []
    await rounds('words to the primary', (random) => void words.push(wrongWord(random)), { share: 1 / 5 })
    const { dir, clients } = await today(['acme'])
    const path = join(temporaryFolder(), 'preload.mjs')
    writeFileSync(path, preload([...words, COUNTED]))
    vi.stubEnv('NODE_OPTIONS', `--import ${path}`)
    onTestFinished(() => {
      vi.unstubAllEnvs()
    })
    const { url, opsUrl, child } = await serving(dir, '--workers', '2', '--port', '0')
    const [client] = clients as [Client]
    await new Promise((resolve) => setTimeout(resolve, 2500))
    expect((await askToken(url, client)).status).toBe(200)
    expect(child.exitCode).toBeNull()
    const host = new URL(opsUrl).host
    expect((await ask(opsUrl, { host, path: '/readyz' })).status).toBe(200)
    const { body } = await ask(opsUrl, { host, path: '/metrics' })
    expect(body).toContain('keyrite_tokens_issued_total{tenant="acme",client="fuzz",algorithm="ES256"} 4')
    expect(body).not.toMatch(/__proto__|canary|DROP TABLE/)
  },
  TIMEOUT,
)
