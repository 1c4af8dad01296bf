import { must } from '../errors.ts'
import { mustNotAwait } from './copies.ts'
import type { ExportFormat } from './events.ts'
import { knownKey, livingTenant } from './known.ts'
import type { VaultKey, VaultState } from './state.ts'

/** Keys that leave for an issuer that is no runtime of this vault. */

/**
 * The keys of an export. Codes `plan-invalid` for a key named twice or a format that holds one key only, `key-unknown`,
 * `ceremony-conflict` for a key that is destroyed, compromised, or of a tenant that was offboarded, and while a restored
 * vault awaits receipts.
 */
export function decideExport(state: VaultState, kids: readonly string[], format: ExportFormat): VaultKey[] {
  mustNotAwait(state)
  must(new Set(kids).size === kids.length, 'plan-invalid', 'A key stands twice in the plan.')
  must(
    format === 'jwks' || kids.length === 1,
    'plan-invalid',
    `A file of the format ${format} holds one key: make an export for each, or take the format jwks.`,
  )
  return kids.map((kid) => {
    const key = knownKey(state, kid)
    must(!key.destroyed, 'ceremony-conflict', `${key.label} is destroyed: there is nothing to export.`)
    must(!state.elsewhere.has(kid), 'ceremony-conflict', `${key.label} was destroyed; it came back with a backup.`)
    must(!key.compromised, 'ceremony-conflict', `${key.label} is compromised: it never signs again, anywhere.`)
    livingTenant(state, key.tenant)
    return key
  })
}
