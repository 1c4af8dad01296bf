import { auditKeys } from '../../shared/domain/key-audit.ts'
import { count } from '../../shared/domain/plural.ts'
import type { Vault } from '../vault/vault.ts'
import type { Answer } from './output.ts'

/** Exit status of a verification that found something. */
const FOUND = 3

/** `key audit`: every public key of the vault once more, each alone and all RSA keys against each other. */
export function audit(vault: Vault): Answer {
  const keys = [...vault.state.keys.values()]
  const findings = auditKeys(keys).map(({ key, findings }) => ({
    tenant: key.tenant,
    kid: key.kid,
    label: key.label,
    destroyed: key.destroyed !== null,
    findings,
  }))
  const rsa = keys.filter((key) => key.jwk.kty === 'RSA').length
  const checked = `${count(keys.length, 'key')} checked, ${rsa} of them RSA, compared with each other.`
  const lines = findings.map(({ label, kid, findings }) => `${label}  ${kid}  ${findings.join(' ')}`)
  const verdict =
    findings.length === 0
      ? 'No key is weak, and no two share a prime factor.'
      : `${count(findings.length, 'key')} must not be used any longer. Keep this report and plan an emergency ceremony.`
  return {
    data: { keys: keys.length, rsa, findings },
    text: [checked, ...lines, verdict].join('\n'),
    exit: findings.length === 0 ? 0 : FOUND,
  }
}
