import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { firstBroken, SIGNATURE_BYTES, type SignatureBatch } from './signature-batch.ts'

/** The Ed25519 signatures of a long log, checked on all cores: full batches go to threads in turn, a short rest is checked here. */

/** A log that fills no batch starts no thread. */
const BATCH = 500

/** A batch being filled: the bytes are made for a full one. */
type Filling = { x: string; seqs: number[]; bytes: Buffer<ArrayBuffer>; width: number }

type Thread = { worker: Worker; answer: Promise<number> }

/** Takes signatures one by one and checks them meanwhile; whoever makes it calls `close`. */
export class SignatureChecks {
  count = 0
  readonly #pending = new Map<string, Filling>()
  readonly #threads: Thread[] = []
  #batches = 0

  /** `input` is what was signed (ASCII, always of one length), `signature` canonical base64url, `x` the public key that must have signed. */
  add(seq: number, input: string, signature: string, x: string): void {
    const batch = this.#pending.get(x) ?? this.#begin(x, input.length + SIGNATURE_BYTES)
    const { seqs, bytes, width } = batch
    const start = seqs.length * width
    bytes.write(input, start, 'latin1')
    bytes.write(signature, start + width - SIGNATURE_BYTES, 'base64url')
    seqs.push(seq)
    this.count += 1
    if (seqs.length < BATCH) return
    this.#pending.delete(x)
    this.#next().worker.postMessage({ x, seqs, bytes } satisfies SignatureBatch, [bytes.buffer])
  }

  /** Waits for all of them. Gives the number of the first event whose signature does not hold, infinite when all do. */
  async firstBroken(): Promise<number> {
    const there = this.#threads.map(({ worker, answer }) => {
      worker.postMessage('end')
      return answer
    })
    const here = [...this.#pending.values()].map(({ x, seqs, bytes, width }) =>
      firstBroken({ x, seqs, bytes: bytes.subarray(0, seqs.length * width) }),
    )
    return Math.min(...here, ...(await Promise.all(there)))
  }

  close(): void {
    for (const { worker } of this.#threads) void worker.terminate()
  }

  #begin(x: string, width: number): Filling {
    const batch = { x, seqs: [], bytes: Buffer.from(new ArrayBuffer(BATCH * width)), width }
    this.#pending.set(x, batch)
    return batch
  }

  #next(): Thread {
    const at = this.#batches++ % availableParallelism()
    const thread = this.#threads[at] ?? startThread()
    this.#threads[at] = thread
    return thread
  }
}

/** A thread that ends without an answer, for whatever reason, must never pass for one that found nothing. */
function startThread(): Thread {
  const worker = new Worker(new URL('./signature-worker.ts', import.meta.url))
  const answer = new Promise<number>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', () => reject(new Error('A thread that checks signatures ended early.')))
  })
  // It may fail before anybody waits for it.
  answer.catch(() => undefined)
  return { worker, answer }
}
