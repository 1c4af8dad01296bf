import { parentPort } from 'node:worker_threads'
import { firstBroken, type SignatureBatch } from './signature-batch.ts'

/** Checks batches as they come; told to end, it says which event was the first whose signature does not hold. */
let broken = Number.POSITIVE_INFINITY
parentPort?.on('message', (batch: SignatureBatch | 'end') => {
  if (batch === 'end') parentPort?.postMessage(broken)
  else broken = Math.min(broken, firstBroken(batch))
})
