import { z } from 'zod'
import { cutSlots, type Slot } from '../domain/slots.ts'
import { KeyriteError, must } from '../errors.ts'
import { MAX_TENANTS, openJwkSet, slotSchema, TENANT_LINE_MAX } from './bundle.ts'
import type { TenantEntry } from './bundle-check.ts'
import {
  compactSchema,
  digestSchema,
  environmentSchema,
  idSchema,
  instantSchema,
  lineSchema,
  uuidSchema,
} from './common.ts'
import { openHistoricalSet } from './historical.ts'
import { KB, parseAs, parseJson } from './json.ts'
import { openStatement, type StatementKey, type StatementSigner, signStatement, statementTyp } from './jws.ts'

/**
 * A revocation: the vault's word to one runtime that keys never sign again and are not published any more. Line 1 is the
 * root's statement, then one canonical JSON line per tenant, in order of the tenant id, bound to it by the Merkle root
 * (RFC 9162) of those lines. It stands outside the sequence of bundles, with an id and an order of its own.
 */

export const revocationSchema = z.strictObject({
  vaultId: uuidSchema,
  runtimeId: idSchema,
  environment: environmentSchema,
  id: uuidSchema,
  /** Counts the revocations for this runtime; a number is never used again. */
  order: z.int().min(1),
  reason: lineSchema,
  tenants: z.int().min(1).max(MAX_TENANTS),
  merkleRoot: digestSchema,
  iat: instantSchema,
  exp: instantSchema,
})
export type Revocation = z.infer<typeof revocationSchema>

/** As many as a tenant line of a bundle holds. */
export const MAX_REVOKED = 64
export const MAX_REVOKED_SLOTS = 400

export const revokedLineSchema = z.strictObject({
  tenant: idSchema,
  revoke: z.array(digestSchema).min(1).max(MAX_REVOKED),
  /** The standby key that takes over, where the runtime has it and a revoked key signed until then. */
  standby: digestSchema.nullable(),
  /** The tenant's slots from `iat` on, without the revoked keys: they take the place of those of its bundle. */
  slots: z.array(slotSchema).min(1).max(MAX_REVOKED_SLOTS),
  /** The signed set of past keys that names them revoked; a revocation prepared ahead has none. */
  historical: compactSchema.exactOptional(),
})
export type RevokedLine = z.infer<typeof revokedLineSchema>

export const REVOCATION_STATEMENT_MAX = 16 * KB

export const signRevocation = (said: Revocation, practice: boolean, root: StatementSigner): Promise<string> =>
  signStatement(statementTyp('revocation', practice), said, root)

/** Codes of `openStatement`. */
export const openRevocationStatement = (jws: string, root: StatementKey, practice: boolean): Promise<Revocation> =>
  openStatement(jws, {
    typ: statementTyp('revocation', practice),
    key: root,
    schema: revocationSchema,
    what: 'revocation',
    maxBytes: REVOCATION_STATEMENT_MAX,
  })

/** Parses one tenant's line. Codes `json-invalid`, `format-invalid`, also for a key that stands twice. */
export function parseRevokedLine(bytes: Uint8Array): RevokedLine {
  const parsed = parseJson(bytes, { maxBytes: TENANT_LINE_MAX, maxDepth: 8 })
  const line = parseAs(revokedLineSchema, parsed, 'tenant line of a revocation')
  const { tenant, revoke, standby } = line
  must(new Set(revoke).size === revoke.length, 'format-invalid', `A revoked key of ${tenant} stands twice.`)
  must(standby === null || !revoke.includes(standby), 'format-invalid', `${tenant}: its standby key is revoked itself.`)
  return line
}

/**
 * The slots that a tenant has from `iat` on, once these keys are revoked: what the root signs, and what a runtime must find
 * in the file. `entry` is the tenant as the runtime's own bundle names it. Nobody says here that its schedule is sound:
 * after a compromise there may be nobody who signs.
 */
export function revokedSlots(
  entry: Pick<TenantEntry, 'policy' | 'keys' | 'compromised'>,
  { revoke, standby }: Pick<RevokedLine, 'revoke' | 'standby'>,
  iat: number,
): Slot[] {
  const gone = new Set([...entry.compromised.map(({ kid }) => kid), ...revoke])
  const keys = entry.keys.map((key) => (key.kid === standby ? { ...key, standby: undefined } : key))
  return cutSlots(entry.policy, keys, gone, iat).slice(0, MAX_REVOKED_SLOTS)
}

/**
 * Checks what a line says by itself: every set is signed by the root, of one issuer, for its own slot, and holds no revoked
 * key; the slots follow each other from `iat` on; the past keys are of the same issuer and time. Codes `bundle-refused`, and
 * of `openStatement` for a set.
 */
export async function checkRevokedLine(line: RevokedLine, iat: number, root: StatementKey): Promise<void> {
  const refuse = (what: string) => new KeyriteError('bundle-refused', `Revocation for ${line.tenant}: ${what}.`)
  let [at, issuer] = [iat, '']
  for (const { from, to, set, without } of line.slots) {
    if (from !== at || to <= from) throw refuse('its slots do not follow each other')
    at = to
    for (const [withdrawn, jws] of [[null, set] as const, ...Object.entries(without)]) {
      const said = await openJwkSet(jws, root)
      issuer ||= said.iss
      const fits = said.iss === issuer && said.sub === issuer && said.iat === iat && said.nbf === from
      if (!fits) throw refuse('a signed set is not that of its slot')
      const left = said.keys.some(
        ({ kid }) => kid === undefined || kid === withdrawn || line.revoke.includes(String(kid)),
      )
      if (left) throw refuse('a signed set holds a key that is revoked or withdrawn')
    }
  }
  await checkRevokedPast(line, { issuer, iat }, root)
}

/** Checks that the past keys of a line are of this issuer and time. Codes `bundle-refused`, and of `openHistoricalSet`. */
export async function checkRevokedPast(
  { tenant, historical }: RevokedLine,
  { issuer, iat }: { issuer: string; iat: number },
  root: StatementKey,
): Promise<void> {
  if (historical === undefined) return
  const { iss, iat: at } = await openHistoricalSet(historical, root)
  const fits = iss === issuer && at === iat
  must(fits, 'bundle-refused', `Revocation for ${tenant}: its set of past keys is of something else.`)
}
