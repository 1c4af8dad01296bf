import { z } from 'zod'
import { digest } from './bytes.ts'
import { digestSchema, environmentSchema, idSchema, instantSchema, uuidSchema } from './common.ts'
import { thumbprint } from './fingerprint.ts'
import { KB } from './json.ts'
import {
  ed25519JwkSchema,
  openStatement,
  p256JwkSchema,
  peekStatement,
  type StatementKey,
  type StatementSigner,
  signStatement,
  statementTyp,
} from './jws.ts'

/** A runtime's request to be known to a vault, self-signed with its receipt key, and the vault's root-signed acceptance. */
export const enrollmentSchema = z.strictObject({
  runtimeId: idSchema,
  environment: environmentSchema,
  practice: z.boolean(),
  vaultId: uuidSchema,
  receiptKey: ed25519JwkSchema,
  transportKey: p256JwkSchema,
  iat: instantSchema,
})
export type Enrollment = z.infer<typeof enrollmentSchema>

export const acceptanceSchema = z.strictObject({
  vaultId: uuidSchema,
  runtimeId: idSchema,
  environment: environmentSchema,
  enrollment: digestSchema,
  receiptKey: ed25519JwkSchema,
  iat: instantSchema,
})
export type Acceptance = z.infer<typeof acceptanceSchema>

export const signEnrollment = (enrollment: Enrollment, receiptSigner: StatementSigner): Promise<string> =>
  signStatement(statementTyp('enrollment', enrollment.practice), enrollment, receiptSigner)

/** Reads an enrollment. It is consistent in itself; who made it is known only after its fingerprint was compared by voice. */
export async function openEnrollment(
  jws: string,
): Promise<Enrollment & { fingerprint: string; receiptSigner: StatementKey }> {
  const claimed = peekStatement(jws, enrollmentSchema, 'enrollment', 8 * KB)
  const receiptSigner = { kid: thumbprint(claimed.receiptKey), jwk: claimed.receiptKey }
  const typ = statementTyp('enrollment', claimed.practice)
  const enrollment = await openStatement(jws, {
    typ,
    key: receiptSigner,
    schema: enrollmentSchema,
    what: 'enrollment',
    maxBytes: 8 * KB,
  })
  return { ...enrollment, fingerprint: digest(jws), receiptSigner }
}

export const signAcceptance = (acceptance: Acceptance, practice: boolean, root: StatementSigner): Promise<string> =>
  signStatement(statementTyp('enrollment-acceptance', practice), acceptance, root)

export const openAcceptance = (jws: string, root: StatementKey, practice: boolean): Promise<Acceptance> =>
  openStatement(jws, {
    typ: statementTyp('enrollment-acceptance', practice),
    key: root,
    schema: acceptanceSchema,
    what: 'acceptance of an enrollment',
    maxBytes: 8 * KB,
  })
