import { lintKey, modulusOf } from './lint.ts'
import { auditSharedFactors } from './shared-factors.ts'
import type { VaultKey } from './state.ts'

/** What the audit says against one key; empty findings never stand here. */
export type Suspect = { key: VaultKey; findings: string[] }

/**
 * Looks at every key again as if it had just been made: the lint of each public half alone, and all RSA moduli against
 * each other. Takes all keys that a vault ever held, destroyed ones too: a factor shared with one of those opens both.
 */
export function auditKeys(keys: readonly VaultKey[]): Suspect[] {
  const rsa = keys.flatMap((key) => {
    const modulus = modulusOf(key.jwk)
    return modulus ? [{ key, modulus }] : []
  })
  const sharing = new Set(auditSharedFactors(rsa.map((one) => one.modulus)).map((at) => rsa[at]?.key.kid))
  return keys.flatMap((key) => {
    const findings = lintKey(key.spec, key.jwk).map((finding) => finding.message)
    if (sharing.has(key.kid)) findings.push('The modulus shares a prime factor with another key of this vault.')
    return findings.length > 0 ? [{ key, findings }] : []
  })
}
