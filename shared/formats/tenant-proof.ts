import { z } from 'zod'
import { must } from '../errors.ts'
import { type Manifest, openManifest, parseTenantLine, TENANT_LINE_MAX, type TenantLine } from './bundle.ts'
import { checkTenantLine } from './bundle-check.ts'
import type { Pin } from './bundle-file.ts'
import { utf8 } from './bytes.ts'
import { compactSchema, digestSchema } from './common.ts'
import { canonicalText, KB, parseAs, parseJson } from './json.ts'
import { type InclusionProof, verifyInclusion } from './merkle.ts'

/** One tenant's part of a bundle and the proof that it stands under the digest read aloud, without the other tenants. */
const tenantProofSchema = z.strictObject({
  inclusion: z.strictObject({
    index: z.int().min(0),
    size: z.int().min(1),
    path: z.array(digestSchema).max(32),
  }),
  /** The tenant's line, byte for byte. */
  line: z.string().max(TENANT_LINE_MAX),
  manifest: compactSchema,
})

export const encodeTenantProof = (manifest: string, line: string, inclusion: InclusionProof): string =>
  canonicalText({ inclusion, line, manifest })

export const TENANT_PROOF_MAX = 2 * TENANT_LINE_MAX + 64 * KB

/**
 * Checks a tenant's proof from the trust anchor alone: the root signed the manifest, the line stands in its tree, and its
 * slots are signed. Codes of `openManifest` and `checkTenantLine`; `vault-mismatch`; `format-invalid` for a line that is
 * not in this bundle.
 */
export async function openTenantProof(bytes: Uint8Array, pin: Pin): Promise<{ manifest: Manifest; line: TenantLine }> {
  const raw = parseJson(bytes, { maxBytes: TENANT_PROOF_MAX, maxDepth: 4 })
  const { inclusion, line: text, manifest: jws } = parseAs(tenantProofSchema, raw, 'proof of a tenant')
  const manifest = await openManifest(jws, pin.key, pin.practice)
  must(manifest.vaultId === pin.vaultId, 'vault-mismatch', 'This proof names another vault.')
  const stands = inclusion.size === manifest.tenants && verifyInclusion(utf8(text), inclusion, manifest.merkleRoot)
  must(stands, 'format-invalid', 'This tenant does not stand in the bundle that the proof names.')
  const line = parseTenantLine(utf8(text))
  await checkTenantLine(line, manifest.iat, pin)
  return { manifest, line }
}
