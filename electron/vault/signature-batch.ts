import { createPublicKey, type KeyObject, verify } from 'node:crypto'

/**
 * Signatures by one person; `x` is that person's public key (RFC 8037). `bytes` holds what was signed and the signature
 * of one event after the other: one block is handed to a thread at a tenth of the cost of many.
 */
export type SignatureBatch = { x: string; seqs: number[]; bytes: Uint8Array<ArrayBuffer> }

/** Bytes of an Ed25519 signature. */
export const SIGNATURE_BYTES = 64

const keys = new Map<string, KeyObject>()
function keyOf(x: string): KeyObject {
  const key = keys.get(x) ?? createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  keys.set(x, key)
  return key
}

/** The number of the first event whose signature does not hold; infinite when all do. */
export function firstBroken({ x, seqs, bytes }: SignatureBatch): number {
  const key = keyOf(x)
  const width = bytes.length / seqs.length
  const broken = seqs.find((_, index) => {
    const [start, end] = [index * width, (index + 1) * width]
    const split = end - SIGNATURE_BYTES
    return !verify(null, bytes.subarray(start, split), key, bytes.subarray(split, end))
  })
  return broken ?? Number.POSITIVE_INFINITY
}
