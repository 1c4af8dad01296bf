import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'

/** The Ed25519 signatures of a long log, checked on all cores: full batches go to threads in turn, a short rest is checked here. */

/**
 * Signatures by one person; `x` is that person's public key (RFC 8037). `text` holds what was signed and the signature of
 * one event after the other: one text goes to a thread at a tenth of the cost of many.
 */
export type SignatureBatch = { x: string; seqs: number[]; text: string }

/** An Ed25519 signature in base64url. */
const SIGNATURE_LENGTH = 86

/** A log that fills no batch starts no thread. */
const BATCH = 500

const keys = new Map<string, KeyObject>()
function keyOf(x: string): KeyObject {
  const key = keys.get(x) ?? createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  keys.set(x, key)
  return key
}

/** The number of the first event whose signature does not hold; infinite when all do. */
export function firstBroken({ x, seqs, text }: SignatureBatch): number {
  const key = keyOf(x)
  const bytes = Buffer.from(text, 'latin1')
  const width = bytes.length / seqs.length
  const broken = seqs.find((_, index) => {
    const [start, end] = [index * width, (index + 1) * width]
    const input = bytes.subarray(start, end - SIGNATURE_LENGTH)
    return !verify(null, input, key, Buffer.from(text.slice(end - SIGNATURE_LENGTH, end), 'base64url'))
  })
  return broken ?? Number.POSITIVE_INFINITY
}

/** Takes signatures one by one and checks them meanwhile; whoever makes it calls `close`. */
export class SignatureChecks {
  count = 0
  readonly #pending = new Map<string, SignatureBatch>()
  readonly #threads: Worker[] = []
  #batches = 0

  /** `input` is what was signed (ASCII, always of one length), `signature` canonical base64url, `x` the public key that must have signed. */
  add(seq: number, input: string, signature: string, x: string): void {
    const batch = this.#pending.get(x) ?? { x, seqs: [], text: '' }
    this.#pending.set(x, batch)
    batch.seqs.push(seq)
    batch.text += input + signature
    this.count += 1
    if (batch.seqs.length < BATCH) return
    this.#pending.delete(x)
    this.#thread().postMessage(batch)
  }

  /** Waits for all of them. Gives the number of the first event whose signature does not hold, infinite when all do. */
  async firstBroken(): Promise<number> {
    const there = this.#threads.map(async (thread) => {
      thread.postMessage('end')
      const [broken] = (await once(thread, 'message')) as [number]
      return broken
    })
    const here = [...this.#pending.values()].map(firstBroken)
    return Math.min(...here, ...(await Promise.all(there)))
  }

  close(): void {
    for (const thread of this.#threads) void thread.terminate()
  }

  #thread(): Worker {
    const at = this.#batches++ % availableParallelism()
    const thread = this.#threads[at] ?? new Worker(new URL('./signature-worker.ts', import.meta.url))
    this.#threads[at] = thread
    return thread
  }
}
