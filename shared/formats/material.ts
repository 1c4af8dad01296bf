import { z } from 'zod'
import { digestSchema, environmentSchema, idSchema, instantSchema, uuidSchema } from './common.ts'
import { KB } from './json.ts'
import type { Binding } from './jwe.ts'
import { openStatement, type StatementKey, type StatementSigner, signStatement, statementTyp } from './jws.ts'

/**
 * Key material: secret, for one runtime. Line 1 is the root-signed manifest, then one JWE per private key (PKCS#8),
 * encrypted to the runtime's one-time transport key. The manifest's Merkle root covers every JWE line.
 */
export const MAX_MATERIAL_KEYS = 100_000

export const materialManifestSchema = z.strictObject({
  vaultId: uuidSchema,
  runtimeId: idSchema,
  environment: environmentSchema,
  number: z.int().min(1),
  /** Digest of the manifest line of the bundle that this material belongs to. */
  bundle: digestSchema,
  /** RFC 7638 thumbprint of the one-time transport key. */
  transportKey: digestSchema,
  keys: z.int().min(0).max(MAX_MATERIAL_KEYS),
  merkleRoot: digestSchema,
  iat: instantSchema,
  exp: instantSchema,
})
export type MaterialManifest = z.infer<typeof materialManifestSchema>

export const signMaterialManifest = (
  manifest: MaterialManifest,
  practice: boolean,
  root: StatementSigner,
): Promise<string> => signStatement(statementTyp('material', practice), manifest, root)

export const openMaterialManifest = (jws: string, root: StatementKey, practice: boolean): Promise<MaterialManifest> =>
  openStatement(jws, {
    typ: statementTyp('material', practice),
    key: root,
    schema: materialManifestSchema,
    what: 'key material',
    maxBytes: 16 * KB,
  })

/** What each key's JWE is bound to, in its authenticated header. */
export const materialBinding = (of: { tenant: string; key: string; runtimeId: string; number: number }): Binding => ({
  tenant: of.tenant,
  key: of.key,
  runtime: of.runtimeId,
  number: String(of.number),
})

export const materialTyp = (practice: boolean): string => statementTyp('key', practice)
