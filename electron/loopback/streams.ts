import type { FastifyReply } from 'fastify'
import type { Notice } from '../../shared/contract/contract.ts'
import { MB } from '../../shared/formats/json.ts'
import type { App } from '../app/app.ts'
import type { Seat } from './seat.ts'

/** The one stream of notices, as server-sent events (HTML, section 9.2). While it lasts, the window is there. */

const HEARTBEAT = 15_000
/** A window that does not read what it is told is cut off, instead of kept in memory. */
const MOST_UNREAD = 8 * MB

export type Streams = {
  /** Opens the stream of a window that has the cookie, or says in it that another window is there. */
  open(reply: FastifyReply): Promise<'open' | 'refused' | 'gone'>
  tell(notice: Notice): void
  /** Says that everything ended. */
  end(): void
}

export function createStreams(app: App, seat: Seat): Streams {
  let stream: FastifyReply['raw'] | null = null
  const write = (text: string) => {
    if (!stream) return
    stream.write(text)
    if (stream.writableLength > MOST_UNREAD) stream.destroy()
  }
  const tell = (notice: Notice) => write(event('notice', notice))
  app.subscribe(tell)

  return {
    open: async (reply) => {
      const { raw } = reply
      reply.hijack()
      const client = await seat.take(() => raw.destroyed)
      if (raw.destroyed) return 'gone'
      raw.writeHead(200, { 'Content-Type': 'text/event-stream' })
      if (client === null) {
        raw.end(event('refused', {}))
        return 'refused'
      }
      const beat = setInterval(() => write(':\n\n'), HEARTBEAT)
      raw.once('close', () => {
        clearInterval(beat)
        stream = null
        seat.leave(client)
      })
      stream = raw
      write(`retry: 500\n${event('hello', { client })}`)
      return 'open'
    },
    tell,
    end: () => {
      write(event('end', {}))
      stream?.end()
    },
  }
}

const event = (name: string, data: unknown): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
