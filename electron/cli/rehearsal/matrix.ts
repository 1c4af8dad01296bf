import { createPublicKey, type KeyObject } from 'node:crypto'
import type { JSONWebKeySet } from 'jose'
import type { PublicJwk } from '../../../shared/domain/algorithms.ts'
import { must } from '../../../shared/errors.ts'
import { type RelyingParty, signatureVerifies, verifies } from './relying-party.ts'

export type Matrix = {
  /** When it was run, seconds since 1970 UTC. */
  at: number
  tenants: number
  pairs: number
  rejectedByPolicy: number
  rejectedBySignature: number
  signatureChecks: number
  accepted: number
}

/**
 * The full cross-tenant matrix: every tenant's token at every other tenant's verifier. Each pair is tried by policy
 * (issuer, audience, type, key) and by the raw signature under every key of the other tenant (`keysOf`, those scheduled
 * for later too) with the kid ignored. Each tenant's own verifier and one of its own keys must accept its token,
 * otherwise the matrix would prove nothing. Code `verification-failed`.
 */
export async function crossTenantMatrix(
  parties: readonly RelyingParty[],
  keysOf: (tenant: string) => readonly PublicJwk[],
  now: number,
  onProgress: (done: number, total: number) => void,
): Promise<Matrix> {
  const held: Held[] = []
  for (const party of parties) {
    const keys = keysOf(party.client.tenant).map((jwk) => createPublicKey({ key: { ...jwk }, format: 'jwk' }))
    held.push({ party, token: await party.token(), set: (await party.fetchKeys()).set, keys })
  }
  const matrix: Matrix = {
    at: now,
    tenants: held.length,
    pairs: 0,
    rejectedByPolicy: 0,
    rejectedBySignature: 0,
    signatureChecks: 0,
    accepted: 0,
  }
  for (const [index, own] of held.entries()) {
    const itself = (await accepts(own, own, now)) && own.keys.some((key) => signatureVerifies(own.token, key))
    must(itself, 'verification-failed', `The token of ${own.party.issuer} does not verify at its own tenant.`)
    for (const other of held) if (other !== own) await tryPair(own, other, now, matrix)
    onProgress(index + 1, held.length)
  }
  must(
    matrix.accepted === 0,
    'verification-failed',
    `${matrix.accepted} tokens were accepted by another tenant's verifier.`,
  )
  return matrix
}

type Held = { party: RelyingParty; token: string; set: JSONWebKeySet; keys: KeyObject[] }

const accepts = (own: Held, other: Held, now: number): Promise<boolean> =>
  verifies(own.token, other.set, other.party.issuer, other.party.client.audience, now)

async function tryPair(own: Held, other: Held, now: number, matrix: Matrix): Promise<void> {
  const byPolicy = await accepts(own, other, now)
  const bySignature = other.keys.filter((key) => signatureVerifies(own.token, key)).length > 0
  matrix.pairs++
  matrix.signatureChecks += other.keys.length
  if (!byPolicy) matrix.rejectedByPolicy++
  if (!bySignature) matrix.rejectedBySignature++
  if (byPolicy || bySignature) matrix.accepted++
}
