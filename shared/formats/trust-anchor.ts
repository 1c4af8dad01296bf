import { z } from 'zod'
import { must } from '../errors.ts'
import { digestSchema, instantSchema, lineSchema, uuidSchema } from './common.ts'
import { thumbprint } from './fingerprint.ts'
import { KB } from './json.ts'
import {
  openStatement,
  p256JwkSchema,
  peekStatement,
  type StatementKey,
  type StatementSigner,
  signStatement,
  statementTyp,
} from './jws.ts'

/** The trust anchor: the root's public half with its self-signed statement, pinned by runtimes and careful relying parties. */
export const trustAnchorSchema = z.strictObject({
  vaultId: uuidSchema,
  name: lineSchema,
  practice: z.boolean(),
  root: p256JwkSchema,
  /** RFC 7638 thumbprint of the sealed key that will take over one day. */
  successor: digestSchema,
  iat: instantSchema,
})
export type TrustAnchor = z.infer<typeof trustAnchorSchema>

/** The anchor as the rest of Keyrite uses it: the statement, its claims and the key that must have signed everything else. */
export type Anchor = TrustAnchor & { key: StatementKey; jws: string }

const CAP = 8 * KB

export const signTrustAnchor = (anchor: TrustAnchor, root: StatementSigner): Promise<string> =>
  signStatement(statementTyp('trust-anchor', anchor.practice), anchor, root)

/**
 * Reads a trust anchor. Its signature shows only that whoever made it holds the key in it: trust comes from comparing
 * the fingerprint with the one read aloud at the ceremony. Throws `jose-refused`, `format-invalid`, `signature-invalid`.
 */
export async function openTrustAnchor(jws: string): Promise<Anchor> {
  const claimed = peekStatement(jws, trustAnchorSchema, 'trust anchor', CAP)
  const key = { kid: thumbprint(claimed.root), jwk: claimed.root }
  const typ = statementTyp('trust-anchor', claimed.practice)
  const anchor = await openStatement(jws, { typ, key, schema: trustAnchorSchema, what: 'trust anchor', maxBytes: CAP })
  must(anchor.successor !== key.kid, 'format-invalid', 'The trust anchor names its own key as successor.')
  return { ...anchor, key, jws }
}
