import { type ChildProcess, fork } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { fileURLToPath } from 'node:url'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { HostedProcess, Processes } from '../../electron/desktop/engine-host.ts'

/** Electron's utility processes and message channels on plain Node: real processes, the same messages. */

const SHIM = fileURLToPath(new URL('./utility-shim.ts', import.meta.url))
const { NODE_COMPILE_CACHE } = process.env
type Packet = { data?: unknown; ports?: number[]; port?: number; close?: true }

export type World = Processes<MessagePort> & {
  readonly children: ChildProcess[]
  /** Everything that the main process was told or told others, as text; what flows through ports is not among it. */
  readonly seen: string[]
}

/** `files` says what runs under each name. */
export function utilityProcesses(files: Record<'engine' | 'generate-child', string>): World {
  const children: ChildProcess[] = []
  const seen: string[] = []
  return {
    children,
    seen,
    fork: (name) => {
      const child = startChild(files[name], {})
      children.push(child)
      return hosted(child, seen)
    },
    channel: () => {
      const { port1, port2 } = new MessageChannel()
      return [port1, port2]
    },
  }
}

export const startChild = (file: string, env: object): ChildProcess =>
  fork(file, [], {
    execArgv: ['--import', SHIM],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...env, ...(NODE_COMPILE_CACHE && { NODE_COMPILE_CACHE }) },
  })

export function hosted(child: ChildProcess, seen: string[]): HostedProcess<MessagePort> {
  const events = new EventEmitter()
  const ports = new Map<number, MessagePort>()
  const send = (packet: Packet) => void (child.connected && child.send(packet, () => {}))
  child.on('message', ({ data, port, close }: Packet) => {
    if (port === undefined) {
      seen.push(JSON.stringify(data))
      events.emit('message', data)
    } else if (close) ports.get(port)?.close()
    else ports.get(port)?.postMessage(data)
  })
  child.once('exit', (status) => {
    for (const port of ports.values()) port.close()
    events.emit('exit', status)
  })
  return {
    on: (name, listener) => events.on(name, listener),
    once: (name, listener) => events.once(name, listener),
    kill: () => child.kill(),
    postMessage: (data, transfer = []) => {
      seen.push(JSON.stringify(data))
      const ids = transfer.map((port) => {
        const id = ports.size
        ports.set(id, port)
        port.on('message', (heard) => send({ port: id, data: heard }))
        port.on('close', () => send({ port: id, close: true }))
        return id
      })
      send({ data, ports: ids })
    },
  }
}
