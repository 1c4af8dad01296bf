import type { Server } from 'node:http'
import type { Socket } from 'node:net'

export type Strangers = {
  /** A request over this connection has shown the cookie of the session: it keeps its place. */
  known(socket: Socket): void
}

/**
 * Every program of this machine may connect, so connections alone must never keep the window out: beyond `most` that have
 * not shown the cookie, the oldest of them is cut, and `onCut` is told.
 */
export function watchStrangers(server: Server, most: number, onCut: () => void): Strangers {
  const strangers = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    strangers.add(socket)
    socket.once('close', () => strangers.delete(socket))
    const [oldest] = strangers
    if (strangers.size <= most || !oldest) return
    strangers.delete(oldest)
    oldest.destroy()
    onCut()
  })
  return { known: (socket) => void strangers.delete(socket) }
}
