import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'

/** The peer of `vault verify`: nothing but crypto.verify, with bytes decoded and keys made beforehand. */
export type RawSignature = { input: string; signature: string; x: string }

const keys = new Map<string, KeyObject>()
function keyOf(x: string): KeyObject {
  const key = keys.get(x) ?? createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  keys.set(x, key)
  return key
}

const ready = (workerData as RawSignature[]).map(({ input, signature, x }) => ({
  input: Buffer.from(input),
  signature: Buffer.from(signature, 'base64url'),
  key: keyOf(x),
}))

parentPort?.on('message', () => {
  const sound = ready.every(({ input, signature, key }) => verify(null, input, key, signature))
  if (!sound) throw new Error('a signature does not hold')
  parentPort?.postMessage('done')
})
parentPort?.postMessage('ready')
