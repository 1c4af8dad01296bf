import { Agent, request } from 'node:http'
import { AUDIENCE, type Client } from './process.ts'

/** Requests with a Host header of their own, as a proxy in front sends them. */

export type Reply = { status: number; body: string }

const AGENT = new Agent({ keepAlive: true, maxSockets: 64 })

export function ask(url: string, { host, path, form, headers = {}, agent = AGENT }: AskOptions): Promise<Reply> {
  const { hostname, port } = new URL(url)
  const body = form === undefined ? undefined : new URLSearchParams(form).toString()
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        hostname,
        port,
        path,
        agent,
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          host,
          ...(body !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
          ...headers,
        },
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
        )
        response.once('error', reject)
      },
    )
    sent.once('error', reject)
    sent.end(body)
  })
}

export type AskOptions = {
  host: string
  path: string
  form?: Record<string, string>
  headers?: Record<string, string>
  agent?: Agent
}

/** A token request of this client. */
export const askToken = (url: string, { host, clientId, secret }: Client, agent?: Agent): Promise<Reply> =>
  ask(url, {
    host,
    path: '/token',
    form: { grant_type: 'client_credentials', audience: AUDIENCE },
    headers: { authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}` },
    ...(agent && { agent }),
  })
