import { once } from 'node:events'
import { statSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { dbPath, Vault } from '../electron/vault/vault.ts'
import type { Row } from './measure.ts'
import { filledVault } from './vault.ts'

const MB = 1024 * 1024

/** Moving a vault of so many events, with keys of RSA-4096 size, to a new file under a new key: written, read back, compared. */
export async function moving(events: number): Promise<Row[]> {
  const filled = await filledVault(events, (done) => process.stderr.write(`move: ${done} of ${events} written\n`), {
    large: true,
  })
  try {
    const vault = await Vault.openFor(filled.folder, filled.present)
    const size = statSync(dbPath(filled.folder)).size
    globalThis.gc?.()
    const memory = await watchMemory()
    const start = performance.now()
    await vault.moveToNewFile(() => [], vault.state.lastAt, 'grace')
    const time = performance.now() - start
    const grown = await memory.grown()
    vault.close()
    return [
      {
        measure: `moving a vault of ${(size / MB).toFixed(0)} MB to a new file key: copied, compared, renamed`,
        figure: `${(time / 1000).toFixed(1)} s, ${(size / MB / (time / 1000)).toFixed(0)} MB/s; memory grew by ${(grown / MB).toFixed(0)} MB at most`,
        ratio: size / 2 / Math.max(grown, 1),
        target: 1,
      },
    ]
  } finally {
    filled.remove()
  }
}

/** Watches the resident memory of this process from a thread, while the main one is busy. */
async function watchMemory(): Promise<{ grown: () => Promise<number> }> {
  const thread = new Worker(new URL('./memory-worker.ts', import.meta.url))
  await once(thread, 'message')
  return {
    grown: async () => {
      thread.postMessage('end')
      const [grown] = (await once(thread, 'message')) as [number]
      await thread.terminate()
      return grown
    },
  }
}
