import { parentPort, workerData } from 'node:worker_threads'
import { argon2id } from 'hash-wasm'

/** One derivation, then the worker ends and its memory goes with it. */
const { password, salt, memory, passes } = workerData as {
  password: Uint8Array
  salt: Uint8Array
  memory: number
  passes: number
}
const key = await argon2id({
  password,
  salt,
  parallelism: 1,
  iterations: passes,
  memorySize: memory,
  hashLength: 32,
  outputType: 'binary',
})
password.fill(0)
parentPort?.postMessage(key)
