import { parentPort, workerData } from 'node:worker_threads'
import { argon2id } from 'hash-wasm'
import { wipe } from '../../shared/formats/bytes.ts'

/** One derivation, then the worker ends and its memory goes with it. */
const { password, salt, memory, passes } = workerData as {
  password: Uint8Array
  salt: Uint8Array
  memory: number
  passes: number
}
try {
  const key = await argon2id({
    password,
    salt,
    parallelism: 1,
    iterations: passes,
    memorySize: memory,
    hashLength: 32,
    outputType: 'binary',
  })
  parentPort?.postMessage(key)
  wipe(key)
} finally {
  wipe(password)
}
