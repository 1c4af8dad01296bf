import { createPublicKey, type KeyObject, verify } from 'node:crypto'

/**
 * Signatures by one person; `x` is that person's public key (RFC 8037). `text` holds what was signed and the signature of
 * one event after the other: one text goes to a thread at a tenth of the cost of many.
 */
export type SignatureBatch = { x: string; seqs: number[]; text: string }

/** An Ed25519 signature in base64url. */
const SIGNATURE_LENGTH = 86

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
