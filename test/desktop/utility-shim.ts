/**
 * Loaded before a program that Electron would run as a utility process: gives it `process.parentPort` and message ports
 * over the channel of a forked child. Stands in for Electron's binary alone.
 */
import { EventEmitter } from 'node:events'

type Packet = { data?: unknown; ports?: number[]; port?: number; close?: true }

const tell = (packet: Packet): void => void (process.connected && process.send?.(packet))

/** Delivers only once it was started, and to whoever listens then. */
class Port extends EventEmitter {
  readonly #id: number
  #waiting: unknown[] | null = []

  constructor(id: number) {
    super()
    this.#id = id
  }
  postMessage(data: unknown): void {
    tell({ port: this.#id, data })
  }
  start(): void {
    const waiting = this.#waiting ?? []
    this.#waiting = null
    for (const data of waiting) this.emit('message', { data, ports: [] })
  }
  close(): void {
    tell({ port: this.#id, close: true })
  }
  deliver(data: unknown): void {
    if (this.#waiting) this.#waiting.push(data)
    else this.emit('message', { data, ports: [] })
  }
}

const ports = new Map<number, Port>()
const early: object[] = []
const parentPort = Object.assign(new EventEmitter(), { postMessage: (data: unknown) => tell({ data }) })
parentPort.on('newListener', (name) => {
  if (name === 'message') setImmediate(() => early.splice(0).map((event) => parentPort.emit('message', event)))
})
Object.assign(process, { parentPort })

process.on('message', ({ data, ports: ids = [], port, close }: Packet) => {
  if (port !== undefined) return close ? ports.get(port)?.emit('close') : ports.get(port)?.deliver(data)
  const event = {
    data,
    ports: ids.map((id) => {
      const made = new Port(id)
      ports.set(id, made)
      return made
    }),
  }
  if (parentPort.listenerCount('message') > 0) parentPort.emit('message', event)
  else early.push(event)
})
