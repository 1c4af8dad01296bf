import { z } from 'zod'
import { utf8 } from './bytes.ts'
import {
  compactSchema,
  digestSchema,
  idSchema,
  instantSchema,
  keySpecSchema,
  lineSchema,
  uuidSchema,
} from './common.ts'
import { canonicalBytes, MB, parseAs, parseJson } from './json.ts'
import { openStatement, type StatementKey, type StatementSigner, signStatement, statementTyp } from './jws.ts'
import { inclusionProofs } from './merkle.ts'
import { participantSchema } from './record.ts'

/** The certificate of deletion or destruction: root-signed, with the participants' signatures beside. */

const text = z.string().min(1).max(1000)
export const copySchema = z.strictObject({
  id: lineSchema,
  what: lineSchema,
  holder: lineSchema,
  status: z.enum(['open', 'verified', 'stated', 'attested']),
  evidence: text,
})

export const certificateSchema = z.strictObject({
  version: z.literal(1),
  certificate: z.string().max(40),
  ceremony: z.string().max(40),
  vaultId: uuidSchema,
  vaultName: lineSchema,
  grade: z.enum(['deletion', 'destruction']),
  issuedAt: instantSchema,
  reason: text,
  method: z.array(text).min(1).max(20),
  keys: z
    .array(
      z.strictObject({
        tenant: idSchema,
        tenantName: lineSchema,
        issuer: z.string().max(256),
        kid: digestSchema,
        label: lineSchema,
        spec: keySpecSchema,
        signFrom: instantSchema,
        signUntil: instantSchema,
        destroyedAt: instantSchema,
        compromised: z.boolean(),
        copies: z.array(copySchema).max(100),
      }),
    )
    .min(1)
    .max(10_000),
  /** Of a batch: the Merkle root (RFC 9162) over the key ids, as it was typed to confirm; each key has its proof under it. */
  merkleRoot: digestSchema.optional(),
  /** Whether this is a cryptographic erase as NIST SP 800-88 Rev. 2 means it, and which of its conditions hold. */
  cryptographicErase: z
    .strictObject({
      holds: z.boolean(),
      alwaysEncrypted: z.boolean(),
      everyCopySanitised: z.boolean(),
      why: z.array(text).max(4),
    })
    .optional(),
  participants: z.array(participantSchema).min(1).max(64),
  verified: z.array(text).max(20),
  stated: z.array(text).max(20),
  notProvable: z.array(text).max(20),
})
export type Certificate = z.infer<typeof certificateSchema>

/** The proofs beside a batch's certificate: each key id under the root that was typed to confirm. Null for a single key. */
export function proofsOf({ keys, merkleRoot }: Certificate): Uint8Array | null {
  if (merkleRoot === undefined) return null
  const proofs = inclusionProofs(keys.map(({ kid }) => utf8(kid)))
  return canonicalBytes({ merkleRoot, proofs: keys.map(({ kid }, index) => ({ kid, ...proofs[index] })) })
}

export const signCertificate = (certificate: Certificate, practice: boolean, root: StatementSigner): Promise<string> =>
  signStatement(statementTyp('certificate', practice), certificate, root)

export const openCertificate = (jws: string, root: StatementKey, practice: boolean): Promise<Certificate> =>
  openStatement(jws, {
    typ: statementTyp('certificate', practice),
    key: root,
    schema: certificateSchema,
    what: 'certificate',
    maxBytes: 8 * MB,
  })

/** The file: the root's statement, everybody's sign-off over its digest, and the roster that names their keys. */
export const certificateFileSchema = z.strictObject({
  certificate: compactSchema,
  roster: compactSchema,
  signatures: z.record(idSchema, compactSchema),
})
export type CertificateFile = z.infer<typeof certificateFileSchema>

export const parseCertificateFile = (bytes: Uint8Array): CertificateFile =>
  parseAs(certificateFileSchema, parseJson(bytes, { maxBytes: 16 * MB, maxDepth: 6 }), 'certificate file')
