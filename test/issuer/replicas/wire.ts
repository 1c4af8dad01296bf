import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** What lies between programs in real life: a balancer in front of replicas, and a wire to the database that can fail. */

type Target = { host: string; port: number }
type Pair = { near: Socket; far: Socket }

/** Connections forwarded one by one. */
export class Wire {
  readonly host = '127.0.0.1'
  port = 0
  readonly #pairs = new Set<Pair>()
  #state: 'open' | 'silent' | 'refusing' = 'open'
  #delay = 0

  /** Makes a wire to whatever `targets` gives; a connection that is refused is tried at the next one, for ten seconds. */
  static async to(targets: () => readonly Target[]): Promise<Wire> {
    const wire = new Wire()
    let turn = 0
    const server = createServer({ pauseOnConnect: true }, (near) => {
      near.on('error', () => {})
      if (wire.#state === 'refusing') near.destroy()
      else void wire.#forward(near, () => targets()[turn++ % targets().length])
    })
    server.listen(0, wire.host)
    await once(server, 'listening')
    wire.port = (server.address() as AddressInfo).port
    onTestFinished(() => {
      wire.cut()
      server.close()
    })
    return wire
  }

  get url(): string {
    return `http://${this.host}:${this.port}`
  }

  /** How many connections there are. */
  get open(): number {
    return this.#pairs.size
  }

  /** New connections take so long, in milliseconds. */
  slow(delay: number): void {
    this.#delay = delay
  }

  /** Nothing passes any more and nobody is told, as with a firewall that forgot its connections. */
  silence(): void {
    this.#state = 'silent'
    for (const { near, far } of this.#pairs) for (const end of [near, far]) end.removeAllListeners('data').pause()
  }

  /** Ends every connection. */
  cut(): void {
    for (const { near, far } of this.#pairs) for (const end of [near, far]) end.destroy()
    this.#pairs.clear()
  }

  /** Ends every connection, and takes no new one. */
  refuse(): void {
    this.#state = 'refusing'
    this.cut()
  }

  /** New connections pass; those that fell silent stay so. */
  restore(): void {
    this.#state = 'open'
    this.#delay = 0
  }

  async #forward(near: Socket, next: () => Target | undefined): Promise<void> {
    if (this.#delay > 0) await new Promise((resolve) => setTimeout(resolve, this.#delay))
    const far = await this.#reach(next)
    if (!far || near.destroyed) {
      near.destroy()
      far?.destroy()
      return
    }
    const pair = { near, far }
    this.#pairs.add(pair)
    this.#join(pair, near, far)
    this.#join(pair, far, near)
    if (this.#state === 'open') near.resume()
    else far.pause()
  }

  #join(pair: Pair, from: Socket, to: Socket): void {
    from.on('error', () => {})
    from.on('data', (data) => {
      if (!to.destroyed) to.write(data)
    })
    from.on('close', () => {
      to.destroy()
      this.#pairs.delete(pair)
    })
  }

  async #reach(next: () => Target | undefined): Promise<Socket | null> {
    for (const end = performance.now() + 10_000; performance.now() < end; ) {
      const target = next()
      if (!target) return null
      const socket = connect(target)
      const reached = await once(socket, 'connect').then(
        () => true,
        () => false,
      )
      if (reached) return socket
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    return null
  }
}

export const targetOf = (url: string): Target => {
  const { hostname: host, port } = new URL(url)
  return { host, port: Number(port) }
}
