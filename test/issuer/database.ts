import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { inject, onTestFinished } from 'vitest'
import type { InitOptions } from '../../electron/issuer/init.ts'

/** Where runtimes of a run keep their state: the embedded file, or, in the run for it, PostgreSQL. */
export const onPostgres = (): boolean => inject('postgres') !== undefined

/** What `initRuntime` takes for a store of its own: nothing for a file; for PostgreSQL a fresh database. */
export async function freshStore(folder: string): Promise<Pick<InitOptions, 'store' | 'storePasswordFile'>> {
  const server = inject('postgres')
  if (server === undefined) return {}
  if ('why' in server) return {}
  const name = `t_${randomBytes(8).toString('hex')}`
  await admin(server, `CREATE DATABASE ${name}`)
  onTestFinished(() => admin(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))
  const storePasswordFile = join(folder, 'store.password')
  writeFileSync(storePasswordFile, `${server.password}\n`, { mode: 0o600 })
  return { store: `${server.url}/${name}`, storePasswordFile }
}

async function admin({ url, password }: { url: string; password: string }, sql: string): Promise<void> {
  const { hostname: host, port, username: user } = new URL(url)
  const client = new pg.Client({ host, port: Number(port), user, database: 'postgres', password })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
