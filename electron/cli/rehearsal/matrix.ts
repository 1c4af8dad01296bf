import type { JSONWebKeySet } from 'jose'
import { must } from '../../../shared/errors.ts'
import { type RelyingParty, signatureVerifies, verifies } from './relying-party.ts'

export type Matrix = {
  tenants: number
  pairs: number
  rejectedByPolicy: number
  rejectedBySignature: number
  signatureChecks: number
  accepted: number
}

/**
 * The full cross-tenant matrix: every tenant's token at every other tenant's verifier. Each pair is tried by policy
 * (issuer, audience, type, key) and by the raw signature under every key of the other tenant with the kid ignored. Each
 * tenant's own verifier must accept its token, otherwise the matrix would prove nothing. Code `verification-failed`.
 */
export async function crossTenantMatrix(
  parties: readonly RelyingParty[],
  now: number,
  onProgress: (done: number, total: number) => void,
): Promise<Matrix> {
  const held: { party: RelyingParty; token: string; keys: JSONWebKeySet }[] = []
  for (const party of parties) held.push({ party, token: await party.token(), keys: (await party.fetchKeys()).set })
  const matrix = {
    tenants: held.length,
    pairs: 0,
    rejectedByPolicy: 0,
    rejectedBySignature: 0,
    signatureChecks: 0,
    accepted: 0,
  }
  for (const [index, own] of held.entries()) {
    const { issuer, client } = own.party
    const itself = await verifies(own.token, own.keys, issuer, client.audience, now)
    must(
      itself && own.keys.keys.some((key) => signatureVerifies(own.token, key)),
      'verification-failed',
      `The token of ${issuer} does not verify at its own tenant.`,
    )
    for (const other of held) {
      if (other === own) continue
      matrix.pairs++
      const byPolicy = await verifies(own.token, other.keys, other.party.issuer, other.party.client.audience, now)
      const bySignature = other.keys.keys.some((key) => {
        matrix.signatureChecks++
        return signatureVerifies(own.token, key)
      })
      if (!byPolicy) matrix.rejectedByPolicy++
      if (!bySignature) matrix.rejectedBySignature++
      if (byPolicy || bySignature) matrix.accepted++
    }
    onProgress(index + 1, held.length)
  }
  must(
    matrix.accepted === 0,
    'verification-failed',
    `${matrix.accepted} tokens were accepted by another tenant's verifier.`,
  )
  return matrix
}
