import { z } from 'zod'
import { must } from '../errors.ts'
import { mustBeOfVault, type Pin } from './bundle-file.ts'
import { digest } from './bytes.ts'
import { digestSchema, environmentSchema, idSchema, instantSchema, uuidSchema } from './common.ts'
import { KB } from './json.ts'
import type { Binding } from './jwe.ts'
import { openStatement, type StatementSigner, signStatement, statementTyp } from './jws.ts'

/**
 * A sealed emergency envelope: what a quorum decided beforehand for one tenant of one runtime. Line 1 is the root's
 * statement that a key may be withdrawn and which standby key then signs; line 2 is that key's private half, encrypted
 * to a transport key that the runtime keeps for this envelope alone.
 */
export const envelopeSchema = z.strictObject({
  vaultId: uuidSchema,
  runtimeId: idSchema,
  environment: environmentSchema,
  /** Counts the envelopes for this runtime; it stands outside the sequence of bundles. */
  number: z.int().min(1),
  tenant: idSchema,
  /** The standby key that is called upon. */
  standby: digestSchema,
  /** The keys of its algorithm, one of which whoever opens the envelope withdraws. */
  withdraws: z.array(digestSchema).min(1).max(64),
  /** RFC 7638 thumbprint of the transport key. */
  transportKey: digestSchema,
  /** Digest of line 2. */
  sealed: digestSchema,
  iat: instantSchema,
  exp: instantSchema,
})
export type Envelope = z.infer<typeof envelopeSchema>

const STATEMENT_MAX = 16 * KB
export const ENVELOPE_CAPS = { maxBytes: 64 * KB, maxLine: 32 * KB }

export const signEnvelope = (envelope: Envelope, practice: boolean, root: StatementSigner): Promise<string> =>
  signStatement(statementTyp('envelope', practice), envelope, root)

/** What the private half is bound to in its authenticated header. */
export const envelopeBinding = ({
  tenant,
  standby,
  runtimeId,
  number,
}: Pick<Envelope, 'tenant' | 'standby' | 'runtimeId' | 'number'>): Binding => ({
  tenant,
  key: standby,
  runtime: runtimeId,
  envelope: String(number),
})

/**
 * Checks an envelope from the trust anchor alone; nothing is decrypted. Codes of `openStatement`, `vault-mismatch`,
 * `practice-refused`, `format-invalid` for another private half than the root signed.
 */
export async function openEnvelope(
  [statement = '', sealed = '', ...rest]: readonly string[],
  pin: Pin,
): Promise<{ envelope: Envelope; sealed: string }> {
  mustBeOfVault(statement, pin, 'emergency envelope')
  const envelope = await openStatement(statement, {
    typ: statementTyp('envelope', pin.practice),
    key: pin.key,
    schema: envelopeSchema,
    what: 'emergency envelope',
    maxBytes: STATEMENT_MAX,
  })
  must(envelope.vaultId === pin.vaultId, 'vault-mismatch', 'This envelope names another vault.')
  const whole = rest.length === 0 && digest(sealed) === envelope.sealed
  must(whole, 'format-invalid', 'This envelope does not hold the key that the root sealed in it.')
  return { envelope, sealed }
}
