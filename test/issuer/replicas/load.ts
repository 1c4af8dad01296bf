import { Agent } from 'node:http'
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import { ask, askToken } from '../serving/ask.ts'
import type { Client } from '../serving/process.ts'

/** Clients that ask again and again, for tokens and key sets, over connections that they keep. */

const JWKS = '/.well-known/jwks.json'

export type Counts = {
  tokens: number
  keySets: number
  /** Answers that were none of these, by endpoint and status. */
  failed: Record<string, number>
  /** Requests whose connection ended before the answer. */
  cut: number
  /** The longest that a request took, in milliseconds. */
  slowest: number
}

export class Load {
  readonly counts: Counts = { tokens: 0, keySets: 0, failed: {}, cut: 0, slowest: 0 }
  readonly #url: string
  readonly #agent = new Agent({ keepAlive: true })
  readonly #lanes: Promise<void>[]
  readonly #clients: Client[]
  readonly #tokens: { client: Client; token: string }[] = []
  #stopped = false

  /** So many lanes, each asking for the next thing as soon as it has the one before. */
  constructor(url: string, clients: readonly Client[], lanes: number) {
    this.#url = url
    this.#clients = [...clients]
    this.#lanes = Array.from({ length: lanes }, (_, at) => this.#lane(at))
  }

  /** One more client from here on. */
  join(client: Client): void {
    this.#clients.push(client)
  }

  async stop(): Promise<Counts> {
    this.#stopped = true
    await Promise.all(this.#lanes)
    this.#agent.destroy()
    return this.counts
  }

  /** The kids that signed, and how often for whom. Throws for a token that its own tenant's key set does not verify. */
  async verified(): Promise<{ kids: Set<string>; tenants: Set<string> }> {
    const sets = new Map<string, ReturnType<typeof createLocalJWKSet>>()
    const kids = new Set<string>()
    const tenants = new Set<string>()
    for (const { client, token } of this.#tokens) {
      const { kid = '' } = decodeProtectedHeader(token)
      tenants.add(client.tenant)
      // One of each key and tenant by its signature, the others by what they say.
      if (kids.has(kid)) {
        if (decodeJwt(token).iss !== `https://${client.host}`) throw new Error(`a token of ${client.host} for another`)
        continue
      }
      const { body } = await ask(this.#url, { host: client.host, path: JWKS })
      const keys = sets.get(client.host) ?? createLocalJWKSet(JSON.parse(body) as JSONWebKeySet)
      sets.set(client.host, keys)
      await jwtVerify(token, keys, { issuer: `https://${client.host}` })
      kids.add(kid)
    }
    return { kids, tenants }
  }

  async #lane(lane: number): Promise<void> {
    for (let at = lane; !this.#stopped; at++) {
      const client = this.#clients[at % this.#clients.length]
      if (!client) return
      const began = performance.now()
      try {
        await (at % 4 === 3 ? this.#keySet(client) : this.#token(client))
        this.counts.slowest = Math.max(this.counts.slowest, performance.now() - began)
      } catch {
        this.counts.cut += 1
      }
      // The machine is others' too.
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }

  async #token(client: Client): Promise<void> {
    const { status, body } = await askToken(this.#url, client, this.#agent)
    if (status !== 200) return this.#fail('token', status)
    this.counts.tokens += 1
    this.#tokens.push({ client, token: (JSON.parse(body) as { access_token: string }).access_token })
  }

  async #keySet(client: Client): Promise<void> {
    const { status } = await ask(this.#url, { host: client.host, path: JWKS, agent: this.#agent })
    if (status !== 200) return this.#fail('jwks', status)
    this.counts.keySets += 1
  }

  #fail(endpoint: string, status: number): void {
    const name = `${endpoint} ${status}`
    this.counts.failed[name] = (this.counts.failed[name] ?? 0) + 1
  }
}

export const askKeySet = (url: string, { host }: Pick<Client, 'host'>) => ask(url, { host, path: JWKS })

/** The kid of a token that is asked for now, or the status of the refusal. */
export async function signerNow(url: string, client: Client): Promise<string | number> {
  const { status, body } = await askToken(url, client)
  if (status !== 200) return status
  return decodeProtectedHeader((JSON.parse(body) as { access_token: string }).access_token).kid ?? ''
}
