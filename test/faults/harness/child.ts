import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { Worker } from 'node:worker_threads'
import type { Ask } from './children.ts'

/** One ceremony in a process of its own. It kills itself where it is told, or says on one line how it ended. */

const KDF = new URL('./cheap-kdf.ts', import.meta.url).href
registerHooks({
  resolve: (specifier, context, next) => {
    const found = next(specifier, context)
    return found.url.endsWith('/electron/vault/kdf.ts') ? { ...found, url: KDF } : found
  },
})
await import('./cheap.ts')
const { PASSPHRASES, Room } = await import('../../ceremony/fixtures.ts')
const { runReady } = await import('../../ceremony/kinds.ts')
const { unlockPeople } = await import('../../../electron/vault/vault.ts')
const { readPeople } = await import('../../../electron/vault/people-store.ts')
const { isKeyriteError } = await import('../../../shared/errors.ts')
const { quickKeys } = await import('./quick-keys.ts')
const { watching } = await import('./points.ts')

const { plan, confirm, present, secrets, base, at, killBefore, microseconds }: Ask = JSON.parse(
  readFileSync(process.argv[2] ?? '', 'utf8'),
)

/** Another thread kills the process, while this one is inside SQLite. */
const starter = microseconds === undefined ? null : new Int32Array(new SharedArrayBuffer(4))
if (starter) {
  const source = `
    const { workerData } = require('node:worker_threads')
    Atomics.wait(workerData.starter, 0, 0)
    const until = process.hrtime.bigint() + BigInt(workerData.microseconds) * 1000n
    while (process.hrtime.bigint() < until);
    process.kill(process.pid, 'SIGKILL')`
  const worker = new Worker(source, { eval: true, workerData: { starter, microseconds } })
  await new Promise((resolve) => worker.once('online', resolve))
}

function kill(): void {
  if (!starter) process.kill(process.pid, 'SIGKILL')
  else {
    Atomics.store(starter, 0, 1)
    Atomics.notify(starter, 0)
  }
}

let operations = 0
const before = (): void => {
  operations++
  if (operations === killBefore) kill()
}
let room = new Room(base, new Map(), at)
if (plan.kind !== 'genesis') room = new Room(base, await unlockPeople(readPeople(room.vault), PASSPHRASES), at)
try {
  await watching({ before }, () => runReady({ room, plan, confirm, present, secrets }, { ports: quickKeys }))
  console.log('completed')
} catch (error) {
  console.log(isKeyriteError(error) ? error.code : String(error))
}
process.exit(0)
