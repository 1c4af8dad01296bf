import { EventEmitter } from 'node:events'
import { Readable, Writable } from 'node:stream'
import { wipe } from '../../shared/formats/bytes.ts'
import type { GeneratorProcess } from '../keys/generator.ts'
import type { FromEngine, ToEngine } from './engine-messages.ts'

/**
 * Generating processes as the engine sees them. The main process starts each one and hands both sides an end of a message
 * port: keys go from the process to the engine, and the main process cannot read them.
 */

/** The part of Electron's message ports that is used. */
export type Port = {
  on(event: 'message', listener: (event: { data: unknown }) => void): unknown
  postMessage(message: unknown): void
  start(): void
  close(): void
}

export type Generators = {
  /** Asks the main process for a new process. */
  start(): GeneratorProcess
  /** What the main process said about one. */
  heard(message: Extract<ToEngine, { say: 'generator' | 'generator-ended' }>, port: Port | undefined): void
}

export function createGenerators(send: (message: FromEngine) => void): Generators {
  const running = new Map<number, Generator>()
  let count = 0
  return {
    start: () => {
      const id = count++
      const generator = new Generator(() => send({ say: 'kill-generator', id }))
      running.set(id, generator)
      send({ say: 'start-generator', id })
      return generator
    },
    heard: (message, port) => {
      const generator = running.get(message.id)
      if (message.say === 'generator') return generator && port ? generator.connect(port) : port?.close()
      running.delete(message.id)
      generator?.ended(message.status)
    },
  }
}

/** Looks like a child process with a pipe each way. It ends only after its answer was taken, so none can be cut short. */
class Generator extends EventEmitter implements GeneratorProcess {
  readonly stdin: Writable
  readonly stdout = new Readable({ read() {} })
  readonly #askToEnd: () => void
  readonly #input: Buffer[] = []
  #inputEnded = false
  #port: Port | undefined

  constructor(askToEnd: () => void) {
    super()
    this.#askToEnd = askToEnd
    this.stdin = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        this.#input.push(chunk)
        done()
      },
      final: (done) => {
        this.#inputEnded = true
        this.#handJob()
        done()
      },
    })
  }

  connect(port: Port): void {
    this.#port = port
    port.on('message', ({ data }) => {
      this.stdout.push(data instanceof Uint8Array ? Buffer.from(data) : Buffer.alloc(0))
      if (data instanceof Uint8Array) wipe(data)
      port.postMessage('taken')
    })
    port.start()
    this.#handJob()
  }

  ended(status: number | null): void {
    this.#port?.close()
    this.stdout.once('close', () => this.emit('close', status))
    this.stdout.push(null)
  }

  kill(): void {
    this.#askToEnd()
  }

  #handJob(): void {
    if (this.#port && this.#inputEnded) this.#port.postMessage(new Uint8Array(Buffer.concat(this.#input)))
  }
}
