import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { freePort, postgresProgram } from './postgres-program.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where a PostgreSQL for this run listens, or why there is none. */
    postgres: { url: string; password: string } | { why: string }
  }
}

/** One real PostgreSQL for a run, from its npm package, in a temporary folder, on 127.0.0.1; ended with the run. */
export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  // Directly under the temporary folder: as root, PostgreSQL runs as a user that reaches nothing below a private one.
  const folder = join(tmpdir(), `keyrite-postgres-${randomBytes(6).toString('hex')}`)
  const discard: (() => void)[] = [() => rmSync(folder, { recursive: true, force: true })]
  try {
    const program = await postgresProgram()
    discard.push(program.discard)
    const port = await freePort()
    const password = 'only for this run'
    const server = new program.Postgres({
      databaseDir: folder,
      port,
      user: 'keyrite',
      password,
      persistent: false,
      createPostgresUser: true,
      initdbFlags: ['--encoding=UTF8', '--locale=C.UTF-8'],
      postgresFlags: [
        '-c',
        'listen_addresses=127.0.0.1',
        '-c',
        'unix_socket_directories=',
        '-c',
        'max_connections=300',
      ],
      onLog: () => {},
      onError: () => {},
    })
    await server.initialise()
    await server.start()
    project.provide('postgres', { url: `postgres://keyrite@127.0.0.1:${port}`, password })
    return async () => {
      await server.stop()
      for (const one of discard) one()
    }
  } catch (error) {
    for (const one of discard) one()
    project.provide('postgres', { why: `PostgreSQL does not start here: ${String(error).slice(0, 200)}` })
    return undefined
  }
}
