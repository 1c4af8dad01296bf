import { decideExport } from '../../shared/domain/exported.ts'
import { knownTenant } from '../../shared/domain/known.ts'
import { exportObjects } from '../../shared/domain/objects.ts'
import { count } from '../../shared/domain/plural.ts'
import { algorithmName } from '../../shared/domain/policy.ts'
import type { KeyExport, VaultKey, VaultState } from '../../shared/domain/state.ts'
import { must } from '../../shared/errors.ts'
import { wipe } from '../../shared/formats/bytes.ts'
import { hexGroups } from '../../shared/formats/fingerprint.ts'
import type { P256Jwk } from '../../shared/formats/jws.ts'
import type { PlanOf } from '../../shared/formats/plan.ts'
import { act, type Context, listed, type Outcome } from './context.ts'
import type { ExportKey, QuorumPort } from './ports.ts'

/** A key out for an existing issuer: always encrypted to one recipient, always in the copy ledger. */

type Export = PlanOf<'export-key'>

/** Every decision of the plan, and the recipient's key. Codes of `decideExport`, `readRecipient`, `comparison-failed`. */
function decide(context: Context): { keys: VaultKey[]; recipient: P256Jwk } {
  const plan = context.plan as Export
  const keys = decideExport(context.vault.state, plan.keys, plan.format)
  const { jwk, fingerprint } = context.ports.media.readRecipient(plan.recipient)
  must(
    fingerprint === plan.fingerprint,
    'comparison-failed',
    'The fingerprint in the plan is not the one of this recipient. Nothing was exported.',
  )
  return { keys, recipient: jwk }
}

export async function checkExport(context: Context): Promise<string> {
  const { format, holder } = context.plan as Export
  return `${count(decide(context).keys.length, 'private key')} as ${format} for ${holder}.`
}

export async function compareRecipient(context: Context): Promise<Outcome> {
  const { fingerprint, holder } = context.plan as Export
  decide(context)
  return { observed: `Key of ${holder}: ${await context.ports.desk.compare("The recipient's key", fingerprint)}` }
}

/** The intent is committed first, the verified outcome after; an interrupted try is taken back and made again. */
export async function exportKeys(context: Context): Promise<Outcome> {
  const { ports, vault, actor } = context
  const { format, holder, reason, fingerprint } = context.plan as Export
  const { keys, recipient } = decide(context)
  const { vaultId, practice } = vault.anchor
  const password = format === 'pfx' ? await ports.desk.secret('password of the exported PFX', actor, 'password') : null
  const open = openExport(context)
  const kids = keys.map(({ kid }) => kid)
  const number = open?.number ?? vault.state.exports.length + 1
  const intended = { number, kids, format, recipient: fingerprint, holder, reason }
  const takenBack = open ? ports.media.removeExport({ vaultId, number }) : []
  if (!open) vault.commit([{ type: 'export-intended', ...intended }], ports.now(), actor)
  const { result, approved } = await act(context, exportObjects(intended), async (quorum) => {
    const opened = unsealAll(vault.state, keys, quorum)
    try {
      const name = { vaultId, number, format, practice }
      return await ports.media.writeExport(opened, { recipient, name, password, at: ports.now() })
    } finally {
      wipe(...opened.map(({ pkcs8 }) => pkcs8))
    }
  })
  return {
    observed: `Export ${number} for ${holder}: ${listed(keys)}, as ${format}, in ${result.name}, read back. Digest ${hexGroups(result.digest).slice(0, 4).join(' ')} … It stays an open copy until its end is attested.${leftBehind(open, takenBack)}`,
    events: [approved, { type: 'export-written', number, file: result.name, digest: result.digest }],
  }
}

/** The try of this ceremony that was interrupted before its outcome was recorded. */
const openExport = ({ vault, ceremony }: Context): KeyExport | null =>
  vault.state.exports.find((one) => one.ceremony === ceremony && !one.file) ?? null

function unsealAll(state: VaultState, keys: readonly VaultKey[], quorum: QuorumPort): ExportKey[] {
  const opened: ExportKey[] = []
  try {
    for (const { tenant, kid, spec, jwk } of keys) {
      const alg = algorithmName(spec, knownTenant(state, tenant).policy)
      opened.push({ kid, spec, jwk, alg, pkcs8: quorum.unseal(kid) })
    }
    return opened
  } catch (error) {
    wipe(...opened.map(({ pkcs8 }) => pkcs8))
    throw error
  }
}

function leftBehind(open: KeyExport | null, takenBack: readonly string[]): string {
  if (!open) return ''
  const found = takenBack.length === 0 ? 'none was on this medium' : `taken back: ${takenBack.join(', ')}`
  return ` An earlier try was interrupted (${found}); its file opens for the same recipient only.`
}
