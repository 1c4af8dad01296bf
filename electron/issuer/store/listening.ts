import type pg from 'pg'

/**
 * One connection that listens for others' changes, and asks once a second all the same. Who was cut off knows of itself
 * that it heard nothing.
 */

const POLL = 1000
/** How long silence is bearable, in milliseconds. */
const SILENCE = 5000

export type ListeningOptions = {
  connect: () => pg.Client
  channel: string
  /** Called when nothing was heard for so long that whoever waits for an answer of the database waits in vain. */
  onSilence: () => void
}

export class Listening {
  readonly #options: ListeningOptions
  #client: pg.Client | null = null
  #hearing: Promise<void> | null = null
  #poll: NodeJS.Timeout | null = null
  #seen = ''
  #revision = 1
  #heardAt = Number.NEGATIVE_INFINITY
  #closed = false

  constructor(options: ListeningOptions) {
    this.#options = options
  }

  /** Hears once and goes on listening. Throws what the database or the way to it says. */
  async open(): Promise<void> {
    await this.#hear()
    this.#poll = setInterval(() => void this.#hear().catch(() => {}), POLL)
    this.#poll.unref()
  }

  revision(): number {
    return this.#revision
  }

  heard(): boolean {
    return performance.now() - this.#heardAt < SILENCE
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#poll) clearInterval(this.#poll)
    const client = this.#client
    this.#client = null
    await client?.end().catch(() => {})
  }

  /** One at a time: a slow database must not be given more and more to do. */
  async #hear(): Promise<void> {
    if (this.#closed) return
    this.#hearing ??= this.#ask().finally(() => {
      this.#hearing = null
    })
    await this.#hearing
  }

  /** Looks whether anything changed; a broken connection is made anew. */
  async #ask(): Promise<void> {
    try {
      this.#client ??= await this.#connect()
      const asked = performance.now()
      const { rows } = await this.#client.query<{ value: string }>("SELECT value FROM meta WHERE name = 'changes'")
      this.#heardAt = asked
      const seen = String(rows[0]?.value ?? '')
      if (seen !== this.#seen) this.#revision += 1
      this.#seen = seen
    } catch (error) {
      if (this.#client) this.#drop(this.#client)
      if (!this.heard()) this.#options.onSilence()
      throw error
    }
  }

  async #connect(): Promise<pg.Client> {
    const client = this.#options.connect()
    client.on('error', () => this.#drop(client))
    client.on('end', () => this.#drop(client))
    client.on('notification', () => {
      this.#revision += 1
    })
    try {
      await client.connect()
      await client.query(`LISTEN "${this.#options.channel}"`)
    } catch (error) {
      this.#drop(client)
      throw error
    }
    return client
  }

  /** The end of one that is gone may be told when its successor listens already. */
  #drop(client: pg.Client): void {
    if (this.#client === client) this.#client = null
    client.end().catch(() => {})
  }
}
