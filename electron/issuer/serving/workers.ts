import cluster, { type Worker } from 'node:cluster'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { CODES, type Code, KeyriteError } from '../../../shared/errors.ts'
import type { Address } from '../http/listener.ts'
import type { Log } from '../watch/log.ts'
import type { Front } from './front.ts'

/**
 * One process per core behind one port (node:cluster). A worker that dies is replaced at once; one that dies again and
 * again is replaced more and more slowly, and the others go on.
 */

/** What a worker is told at its start, and what it tells. */
export type WorkerTask = { dir: string; listen: Address }
export type WorkerWord = { type: 'listening'; url: string } | { type: 'failed'; code: Code; message: string }

const wordSchema: z.ZodType<WorkerWord> = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('listening'), url: z.string().max(300) }),
  z.strictObject({
    type: z.literal('failed'),
    code: z.enum(Object.keys(CODES) as [Code, ...Code[]]),
    message: z.string().max(2000),
  }),
])

/** A worker that lived for so long gets a fresh start, in milliseconds. */
const SETTLED = 10_000
const LONGEST_WAIT = 5000
/** How long workers may take to finish what they have begun. */
const FAREWELL = 10_000

/** Starts `count` workers; listens once all of them do. Throws what the first of them could not. */
export async function openWorkers(task: WorkerTask, count: number, log: Log): Promise<Front> {
  const exec = fileURLToPath(new URL('./worker.ts', import.meta.url))
  cluster.setupPrimary({ exec, args: [JSON.stringify(task)] })
  const front = new Workers(count, log)
  try {
    await front.begin()
    return front
  } catch (error) {
    await front.close()
    throw error
  }
}

class Workers implements Front {
  url = ''
  readonly #count: number
  readonly #log: Log
  readonly #listening = new Set<Worker>()
  readonly #living = new Set<Worker>()
  readonly #waits = new Set<NodeJS.Timeout>()
  #closing = false
  #losses = 0

  constructor(count: number, log: Log) {
    this.#count = count
    this.#log = log
  }

  async begin(): Promise<void> {
    await Promise.all(Array.from({ length: this.#count }, () => this.#start()))
  }

  reasons(): string[] {
    return this.#listening.size === 0 ? ['no process answers'] : []
  }

  async close(): Promise<void> {
    this.#closing = true
    for (const wait of this.#waits) clearTimeout(wait)
    const living = [...this.#living]
    const gone = living.map((worker) => new Promise((resolve) => worker.once('exit', resolve)))
    for (const worker of living) if (worker.isConnected()) worker.send({ type: 'stop' })
    const late = setTimeout(() => {
      for (const worker of this.#living) worker.process.kill('SIGKILL')
    }, FAREWELL)
    await Promise.all(gone)
    clearTimeout(late)
  }

  /** Forks one worker; resolves once it listens, rejects when it says why it cannot or ends before. */
  #start(): Promise<void> {
    const worker = cluster.fork()
    const born = performance.now()
    this.#living.add(worker)
    // A word that cannot be told any more: its end follows.
    worker.on('error', () => {})
    return new Promise((resolve, reject) => {
      worker.on('message', (message: unknown) => {
        const word = wordSchema.safeParse(message)
        if (!word.success) return
        if (word.data.type === 'failed') return reject(new KeyriteError(word.data.code, word.data.message))
        this.url = word.data.url
        this.#listening.add(worker)
        resolve()
      })
      worker.once('exit', (code, signal) => {
        const served = this.#listening.delete(worker)
        this.#living.delete(worker)
        if (!this.#closing && (served || this.url !== '')) this.#replace(worker, signal ?? `exit ${code}`, born)
        reject(new KeyriteError('internal', 'A process that was to answer requests ended while it started.'))
      })
    })
  }

  #replace(worker: Worker, why: string, born: number): void {
    this.#log.workerLost({ pid: worker.process.pid ?? 0, why })
    this.#losses = performance.now() - born > SETTLED ? 0 : this.#losses + 1
    const wait = this.#losses === 0 ? 0 : Math.min(LONGEST_WAIT, 50 * 2 ** (this.#losses - 1))
    const timer = setTimeout(() => {
      this.#waits.delete(timer)
      // That it failed is told when it ends, and then it is tried again.
      if (!this.#closing) this.#start().catch(() => {})
    }, wait)
    this.#waits.add(timer)
  }
}
