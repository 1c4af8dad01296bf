import { hash } from 'node:crypto'
import { Socket } from 'node:net'
import pg from 'pg'
import { type Code, KeyriteError } from '../../../shared/errors.ts'
import { Listening } from './listening.ts'
import { Store, type Value, Writer } from './store.ts'

/**
 * The store that replicas share: PostgreSQL. Every change takes one lock of the runtime first, so that changes are made
 * one after another as in a file; at its commit all replicas are notified (listening.ts).
 */

/** How long an answer to the connection that listens may take, in milliseconds. */
const PATIENCE = 5000
const CONNECTIONS = 8
const TRAFFIC_CONNECTIONS = 2

/** The database must notice by itself that a client is gone: until then its locks hold up every other replica. */
const SESSION = [
  'lock_timeout=10000',
  'statement_timeout=120000',
  'tcp_user_timeout=5000',
  'tcp_keepalives_idle=5',
  'tcp_keepalives_interval=1',
  'tcp_keepalives_count=3',
]
  .map((setting) => `-c ${setting}`)
  .join(' ')
/** How long a change of each part may leave the database without its next statement, in milliseconds. */
const IDLE = { 1: 8000, 2: 2000 } as const

/** 8-byte counts fit a number here: they are counts and seconds. */
const types = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === pg.types.builtins.INT8
      ? Number
      : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser,
}

export type PostgresOptions = {
  /** `postgres://user@host:port/database`, with TLS settings as libpq knows them. */
  url: string
  /** Kept apart from the URL, so that it stands in no file that is looked at. */
  password?: string | undefined
  runtimeId: string
}

/** One database with the tables of one runtime in a schema of their own. */
export class PostgresDatabase {
  readonly pool: pg.Pool
  /** Apart, so that what requests write never waits for what they read. */
  readonly trafficPool: pg.Pool
  readonly schema: string
  /** Names the locks of this runtime among all that use the database. */
  readonly id: number
  readonly #listening: Listening
  /** Open sockets, and since when. */
  readonly #sockets = new Map<Socket, number>()
  #closed = false

  constructor({ url, password, runtimeId }: PostgresOptions) {
    this.schema = schemaOf(runtimeId)
    this.id = hash('sha256', this.schema, 'buffer').readInt32BE(0)
    const config: pg.PoolConfig = {
      connectionString: withPassword(url, password),
      options: `-c search_path=${this.schema} ${SESSION}`,
      connectionTimeoutMillis: 5000,
      keepAlive: true,
      application_name: 'keyrite',
      types,
      stream: () => this.#socket(),
    }
    this.pool = poolOf({ ...config, max: CONNECTIONS })
    this.trafficPool = poolOf({ ...config, max: TRAFFIC_CONNECTIONS })
    const connect = () => new pg.Client({ ...config, query_timeout: PATIENCE })
    this.#listening = new Listening({ connect, channel: this.schema, onSilence: () => this.#hangUp() })
  }

  /** Makes the schema and its tables. Code `runtime-exists` when there are some. */
  async create(tables: string): Promise<void> {
    await attempt(async () => {
      const there = await this.pool.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [this.schema])
      if (there.rowCount)
        throw new KeyriteError('runtime-exists', `The database holds the store of ${this.schema} already.`)
      await this.pool.query(
        `BEGIN; CREATE SCHEMA "${this.schema}"; SET LOCAL search_path = "${this.schema}"; ${tables} COMMIT`,
      )
    })
  }

  /** Takes the schema away with everything in it. */
  async discard(): Promise<void> {
    await attempt(() => this.pool.query(`DROP SCHEMA IF EXISTS "${this.schema}" CASCADE`))
  }

  /** Begins to listen. Codes `store-missing`, `store-unreachable`. */
  async open(): Promise<void> {
    await attempt(() => this.#listening.open())
  }

  revision(): number {
    return this.#listening.revision()
  }

  heard(): boolean {
    return this.#listening.heard()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#listening.close()
    await Promise.all([this.pool.end(), this.trafficPool.end()])
    // A farewell that nobody takes must not keep the process.
    for (const socket of this.#sockets.keys()) socket.unref()
  }

  #socket(): Socket {
    const socket = new Socket()
    this.#sockets.set(socket, performance.now())
    return socket.once('close', () => this.#sockets.delete(socket))
  }

  /** The network may keep silent about a connection that leads nowhere for a quarter of an hour. */
  #hangUp(): void {
    const now = performance.now()
    for (const [socket, since] of this.#sockets) if (now - since > PATIENCE) socket.destroy()
  }
}

function poolOf(config: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool(config)
  // A connection that breaks is replaced by the next request; the error must not end the process, idle or at work.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

export class PostgresStore extends Store {
  readonly #database: PostgresDatabase
  readonly #pool: pg.Pool
  readonly #part: 1 | 2
  readonly #announces: boolean

  /** `part` tells apart what is changed independently: the runtime itself (1, announced to all), its traffic (2). */
  constructor(database: PostgresDatabase, part: 1 | 2) {
    super()
    this.#database = database
    this.#pool = part === 1 ? database.pool : database.trafficPool
    this.#part = part
    this.#announces = part === 1
  }

  async get<R>(sql: string, ...values: Value[]): Promise<R | undefined> {
    return (await this.all<R>(sql, ...values))[0]
  }

  all<R>(sql: string, ...values: Value[]): Promise<R[]> {
    return attempt(async () => (await this.#pool.query(prepared(sql, values))).rows as R[])
  }

  async change<T>(work: (tx: Writer) => Promise<T>): Promise<T> {
    const client = await attempt(() => this.#pool.connect())
    let broken: Error | undefined
    try {
      await attempt(async () => {
        await client.query(`BEGIN; SET LOCAL idle_in_transaction_session_timeout = ${IDLE[this.#part]}`)
        await client.query('SELECT pg_advisory_xact_lock($1, $2)', [this.#database.id, this.#part])
      })
      const writer = new PostgresWriter(client)
      const result = await work(writer)
      await attempt(async () => {
        if (writer.wrote && this.#announces) await client.query(ANNOUNCE, [this.#database.schema])
        await client.query('COMMIT')
      })
      return result
    } catch (error) {
      await client.query('ROLLBACK').catch((cause: Error) => {
        broken = cause
      })
      throw error
    } finally {
      client.release(broken)
    }
  }

  revision(): number {
    return this.#database.revision()
  }

  heard(): boolean {
    return this.#database.heard()
  }

  /** A lock of the session: it ends with its connection, so that a crash leaves none. */
  async lock(name: string): Promise<() => Promise<void>> {
    const client = await attempt(() => this.#pool.connect())
    const key = [this.#database.id, hash('sha256', name, 'buffer').readInt32BE(0)]
    const taken = await attempt(() => client.query('SELECT pg_try_advisory_lock($1, $2) AS taken', key)).catch(
      (error: unknown) => {
        client.release(true)
        throw error
      },
    )
    if (!taken.rows[0]?.taken) {
      client.release()
      throw new KeyriteError('store-busy', 'Another process of this runtime does the same at this moment.')
    }
    return async () => {
      const gone = await client.query('SELECT pg_advisory_unlock($1, $2)', key).then(
        () => false,
        () => true,
      )
      client.release(gone)
    }
  }

  /** PostgreSQL keeps what was erased in dead rows and its log until it cleans up; only a new storage key makes it unreadable. */
  async clearTraces(): Promise<void> {}

  async close(): Promise<void> {
    if (this.#announces) await this.#database.close()
  }
}

const ANNOUNCE = `
WITH counted AS (
  INSERT INTO meta (name, value) VALUES ('changes', '1')
  ON CONFLICT (name) DO UPDATE SET value = (meta.value::bigint + 1)::text RETURNING value
) SELECT pg_notify($1, value) FROM counted`

/** Values of one statement that PostgreSQL takes: 16 bits count them. */
const MOST_VALUES = 60_000

class PostgresWriter extends Writer {
  wrote = false
  readonly #client: pg.PoolClient

  constructor(client: pg.PoolClient) {
    super()
    this.#client = client
  }

  async get<R>(sql: string, ...values: Value[]): Promise<R | undefined> {
    return (await this.all<R>(sql, ...values))[0]
  }

  all<R>(sql: string, ...values: Value[]): Promise<R[]> {
    return attempt(async () => (await this.#client.query(prepared(sql, values))).rows as R[])
  }

  run(sql: string, ...values: Value[]): Promise<number> {
    this.wrote = true
    return attempt(async () => (await this.#client.query(prepared(sql, values))).rowCount ?? 0)
  }

  async insert(into: string, rows: readonly Value[][], then = ''): Promise<void> {
    this.wrote = true
    const width = rows[0]?.length ?? 1
    const most = Math.floor(MOST_VALUES / width)
    for (let from = 0; from < rows.length; from += most) {
      const some = rows.slice(from, from + most)
      let at = 0
      const places = some.map((row) => `(${row.map(() => `$${++at}`).join(', ')})`)
      const values = some.flat().map(asParameter)
      await attempt(() => this.#client.query({ text: `${into} ${places.join(', ')} ${then}`, values }))
    }
  }
}

const texts = new Map<string, { name: string; text: string }>()

/** Our SQL with `?` as PostgreSQL wants it, prepared once a connection. */
function prepared(sql: string, values: readonly Value[]): pg.QueryConfig {
  let known = texts.get(sql)
  if (!known) {
    let at = 0
    known = { name: hash('sha256', sql, 'base64url'), text: sql.replace(/\?/g, () => `$${++at}`) }
    texts.set(sql, known)
  }
  return { ...known, values: values.map(asParameter) }
}

const asParameter = (value: Value): string | number | Buffer | null =>
  value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value

async function attempt<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw postgresError(error)
  }
}

/** Classes and codes of SQLSTATE, in the runtime's words. */
const STATES: readonly (readonly [RegExp, Code, string])[] = [
  [/^(?:23|40|55P03)/, 'store-busy', 'Another process changed the runtime store at the same time.'],
  [/^(?:42P01|3F000)/, 'store-missing', 'The database has no store of this runtime.'],
  [/^53100/, 'medium-full', 'The database has no space left.'],
  [/^(?:28|3D)/, 'store-unreachable', 'The database refuses this user, password or database name.'],
  [/^(?:08|57P|53300|57014|25P03)/, 'store-unreachable', 'The database does not answer.'],
]

function postgresError(error: unknown): unknown {
  if (error instanceof KeyriteError || !(error instanceof Error)) return error
  const { code } = error as { code?: unknown }
  if (error.constructor !== Error && typeof code !== 'string') return error
  if (typeof code !== 'string' || /^E[A-Z]+$/.test(code))
    return new KeyriteError('store-unreachable', 'The database of the runtime store is not reachable.', {
      cause: error,
    })
  const [, ours, message] = STATES.find(([state]) => state.test(code)) ?? []
  return ours && message ? new KeyriteError(ours, message, { cause: error }) : error
}

/** The library takes a password only from the address that it is given; this one stands nowhere else. */
function withPassword(url: string, password: string | undefined): string {
  if (password === undefined) return url
  const address = new URL(url)
  address.password = encodeURIComponent(password)
  return address.href
}

/** Tables of several runtimes may share a database: each runtime has a schema of its own. */
const schemaOf = (runtimeId: string): string =>
  `keyrite_${runtimeId.length <= 50 ? runtimeId.replaceAll('-', '_') : hash('sha256', runtimeId).slice(0, 40)}`
