import { hash } from 'node:crypto'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { readRows } from '../electron/vault/log.ts'
import { Vault } from '../electron/vault/vault.ts'
import { verifyVault } from '../electron/vault/verify.ts'
import { eventSigningInput } from '../shared/formats/event.ts'
import { SOFTWARE } from '../shared/formats/log.ts'
import { median, type Row, sideBySide } from './measure.ts'
import type { RawSignature } from './raw-verify-worker.ts'
import { type FilledVault, filledVault } from './vault.ts'

/**
 * Opening and verifying a vault of many events. Its rows are real: half tenants and their sealed keys, half notes, a
 * checkpoint after every 2,500, every event signed.
 */
export async function events(count: number): Promise<Row[]> {
  const vault = await filledVault(count, (done) => process.stderr.write(`events: ${done} of ${count} written\n`))
  try {
    return [await opening(vault, count), await verifying(vault, count)]
  } finally {
    vault.remove()
  }
}

/** Opening (without the passphrase's Argon2id) against reading the same rows and hashing the same bytes. */
async function opening(filled: FilledVault, count: number): Promise<Row> {
  const open = () => Vault.openFor(filled.folder, filled.present)
  const times = await sideBySide(3, {
    hash: async () => hashEverything(filled),
    open: async () => (await open()).close(),
  })
  const ratio = median(times.hash.map((raw, at) => raw / (times.open[at] ?? Number.NaN)))
  return {
    measure: `${count} events: open the vault / read the rows and SHA-256 each body, link and sealed row`,
    figure: `${seconds(times.open)} (hashing ${seconds(times.hash)})`,
    ratio,
    target: 0.25,
  }
}

/** The peer: the same SELECTs on the same encrypted file, opened anew, and crypto.hash of what the chain and the digests cover. */
function hashEverything({ database }: FilledVault): void {
  const db = database()
  for (const { seq, at, actor, body, prev } of readRows(db)) {
    hash('sha256', JSON.stringify(['keyrite event 1', seq, at, actor, prev, hash('sha256', body, 'base64url')]))
  }
  const blobs = db.prepare<[], { id: string; blob: Buffer }>('SELECT id, blob FROM sealed').iterate()
  for (const { blob } of blobs) hash('sha256', blob, 'base64url')
  db.close()
}

/** All of `vault verify` against nothing but crypto.verify of the events' signatures, in threads that have all in memory. */
async function verifying(filled: FilledVault, count: number): Promise<Row> {
  const vault = await Vault.openFor(filled.folder, filled.present)
  const threads = await rawThreads(vault)
  const cpu: Record<'raw' | 'verify', number[]> = { raw: [], verify: [] }
  const times = await sideBySide(3, {
    raw: () =>
      counted(cpu.raw, () =>
        Promise.all(
          threads.map((thread) => {
            thread.postMessage('go')
            return once(thread, 'message')
          }),
        ),
      ),
    verify: () => counted(cpu.verify, () => verifyVault(vault)),
  })
  // The first round is the warm-up.
  for (const each of [cpu.raw, cpu.verify]) each.shift()
  vault.close()
  await Promise.all(threads.map((thread) => thread.terminate()))
  const ratioOf = (raw: number[], verify: number[]) => median(raw.map((one, at) => one / (verify[at] ?? Number.NaN)))
  const ratio = ratioOf(times.raw, times.verify)
  const byCpu = ratioOf(cpu.raw, cpu.verify)
  return {
    measure: `${count} events: all of vault verify / raw crypto.verify of the signatures, ${threads.length} cores both`,
    figure: `${seconds(times.verify)} (raw ${seconds(times.raw)}); of all cores' time ${seconds(cpu.verify)} (raw ${seconds(cpu.raw)}), by which the ratio is ${byCpu.toFixed(2)}`,
    ratio,
    target: 0.8,
  }
}

const seconds = (times: readonly number[]): string => `${(median(times) / 1000).toFixed(2)} s`

/** Adds the processor time that some work took, of all threads together, in milliseconds. */
async function counted(times: number[], work: () => Promise<unknown>): Promise<void> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  times.push((user + system) / 1000)
}

async function rawThreads(vault: Vault): Promise<Worker[]> {
  const signers = new Map(vault.roster.people.map(({ id, signing }) => [id, signing.x]))
  const signatures: RawSignature[] = []
  for (const { actor, hash: link, signature } of readRows(vault.database)) {
    if (actor !== SOFTWARE)
      signatures.push({ input: eventSigningInput(link), signature: signature ?? '', x: signers.get(actor) ?? '' })
  }
  const share = Math.ceil(signatures.length / availableParallelism())
  const threads = Array.from({ length: availableParallelism() }, (_, at) => {
    const workerData = signatures.slice(at * share, (at + 1) * share)
    return new Worker(new URL('./raw-verify-worker.ts', import.meta.url), { workerData })
  })
  await Promise.all(threads.map((thread) => once(thread, 'message')))
  return threads
}
