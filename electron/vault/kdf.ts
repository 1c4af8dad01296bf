import { Worker } from 'node:worker_threads'
import { KeyriteError } from '../../shared/errors.ts'
import { type Bytes, fromBase64url, utf8 } from '../../shared/formats/bytes.ts'
import type { Kdf } from '../../shared/formats/roster.ts'

/**
 * Argon2id (RFC 9106) in a worker, so that the main thread stays free. Memory is bounded: one derivation at a time at what
 * a production vault costs, a few at what a practice vault costs.
 * The cost comes already checked (formats/roster.ts, `kdfSchema`), so no file can ask for less or for a bomb.
 */

const MIB = 1024
/** Production: about 1 to 2 seconds on an ordinary machine. */
export const PRODUCTION_COST = { memoryKiB: 256 * MIB, passes: 3 }
/** Practice vaults, and the least that any vault may use. */
export const PRACTICE_COST = { memoryKiB: 64 * MIB, passes: 3 }

/** What is left of the memory that derivations share, and who waits for some of it, in order. */
let free = PRODUCTION_COST.memoryKiB
const waiting: { need: number; go: () => void }[] = []

/** Derives 32 bytes from a passphrase (normalised to NFKC, so that another Unicode form opens too). */
export async function deriveKey(passphrase: string, kdf: Kdf): Promise<Bytes> {
  const need = Math.min(kdf.memoryKiB, PRODUCTION_COST.memoryKiB)
  await new Promise<void>((go) => {
    waiting.push({ need, go })
    admit()
  })
  try {
    return await inWorker(passphrase.normalize('NFKC'), kdf)
  } finally {
    free += need
    admit()
  }
}

function admit(): void {
  for (let [next] = waiting; next && next.need <= free; [next] = waiting) {
    waiting.shift()
    free -= next.need
    next.go()
  }
}

function inWorker(passphrase: string, kdf: Kdf): Promise<Bytes> {
  return new Promise((resolve, reject) => {
    const password = utf8(passphrase)
    const workerData = {
      password,
      salt: fromBase64url(kdf.salt),
      memory: kdf.memoryKiB,
      passes: kdf.passes,
    }
    // Handed over, not copied: the worker wipes the only bytes there are.
    const transferList = [password.buffer]
    const worker = new Worker(new URL('./kdf-worker.ts', import.meta.url), { workerData, transferList })
    const failed = (cause?: unknown) =>
      reject(new KeyriteError('internal', 'Deriving a key from a passphrase failed.', { cause }))
    worker.once('message', (key: Bytes) => resolve(key))
    worker.once('error', failed)
    worker.once('exit', () => failed())
  })
}
