import { join } from 'node:path'
import type { Slot } from '../../shared/domain/slots.ts'
import { must } from '../../shared/errors.ts'
import {
  type Manifest,
  type RemovedLine,
  type SignedSlot,
  signJwkSet,
  signManifest,
  TENANT_LINE_MAX,
  type TenantLine,
} from '../../shared/formats/bundle.ts'
import {
  checkCertificates,
  checkTenantLine,
  keySet,
  planSlots,
  slotClaims,
  type TenantEntry,
  type TenantToSign,
} from '../../shared/formats/bundle-check.ts'
import { BUNDLE_CAPS, openBundle, type Pin } from '../../shared/formats/bundle-file.ts'
import { digest, toBase64url } from '../../shared/formats/bytes.ts'
import { fileName } from '../../shared/formats/file-name.ts'
import { signHistoricalSet } from '../../shared/formats/historical.ts'
import { canonicalBytes } from '../../shared/formats/json.ts'
import type { StatementSigner } from '../../shared/formats/jws.ts'
import { MerkleTree } from '../../shared/formats/merkle.ts'
import { LineSpool, writeLines } from '../files/lines.ts'
import { readLinesGuarded } from '../files/read.ts'

export type Written = { path: string; manifestDigest: string; merkleRoot: string; bytes: number; fileDigest: string }

type BundleToWrite = {
  manifest: Omit<Manifest, 'tenants' | 'merkleRoot'>
  /** In any order; each tenant once. */
  tenants: Iterable<TenantToSign | RemovedLine> | AsyncIterable<TenantToSign | RemovedLine>
  root: StatementSigner
  practice: boolean
  onProgress?: (done: number) => void
}

/**
 * Writes a bundle into `folder`: cuts and signs the slots of every tenant from `manifest.iat`, then the manifest over
 * their lines. Codes: those of `planSlots` with `policy-rejected` for a tenant that breaks a rule, and of `writeLines`.
 * On failure nothing is left under a final name.
 */
export async function writeBundle(folder: string, bundle: BundleToWrite): Promise<Written & { tenants: number }> {
  const { root, practice, onProgress } = bundle
  const spool = new LineSpool(folder)
  try {
    const names = new Set<string>()
    for await (const entry of bundle.tenants) {
      must(!names.has(entry.tenant), 'policy-rejected', `Tenant ${entry.tenant} stands twice.`)
      names.add(entry.tenant)
      const said = 'removed' in entry ? entry : await signTenant(entry, bundle.manifest.iat, practice, root)
      const line = canonicalBytes(said)
      must(line.length <= TENANT_LINE_MAX, 'policy-rejected', `Tenant ${entry.tenant} has too many keys and slots.`)
      spool.add(entry.tenant, line)
      onProgress?.(spool.size)
    }
    const merkleRoot = rootOf(spool.sorted())
    const manifest = { ...bundle.manifest, tenants: spool.size, merkleRoot }
    const jws = await signManifest(manifest, practice, root)
    return { ...writeUnder(folder, 'bundle', jws, manifest, spool), tenants: spool.size }
  } finally {
    spool.discard()
  }
}

/** Cuts and signs every slot of one tenant, and its past keys. */
async function signTenant(
  { past = [], ...entry }: TenantToSign,
  iat: number,
  practice: boolean,
  root: StatementSigner,
): Promise<TenantLine> {
  const plan = planSlots(entry, iat, practice, 'policy-rejected')
  await checkCertificates(entry, 'policy-rejected')
  const slots = await signSlots(entry, plan, iat, root)
  const historical = await signHistoricalSet({ ...entry, past }, iat, root)
  return { ...entry, slots, ...(historical !== null && { historical }) }
}

/** Signs these slots of one tenant: the whole set of each, and one without each key. */
export function signSlots(
  entry: TenantEntry,
  slots: readonly Slot[],
  iat: number,
  root: StatementSigner,
): Promise<SignedSlot[]> {
  const sign = (slot: Slot, kids: string[]) =>
    signJwkSet({ ...slotClaims(entry.issuer, iat, slot), keys: keySet(entry.keys, kids, entry.policy) }, root)
  const signed = slots.map(async (slot): Promise<SignedSlot> => {
    const without = slot.kids.map(
      async (gone): Promise<[string, string]> => [
        gone,
        await sign(
          slot,
          slot.kids.filter((kid) => kid !== gone),
        ),
      ],
    )
    const set = await sign(slot, slot.kids)
    return { from: slot.from, to: slot.to, set, without: Object.fromEntries(await Promise.all(without)) }
  })
  return Promise.all(signed)
}

/** RFC 9162 section 2.1.1 over lines, as 43 base64url characters. */
export function rootOf(lines: Iterable<Uint8Array>): string {
  const tree = new MerkleTree()
  for (const line of lines) tree.add(line)
  return toBase64url(tree.root())
}

/** Writes the signed first line and the spooled lines under the name that follows from them. */
export function writeUnder(
  folder: string,
  type: 'bundle' | 'material' | 'revocation',
  jws: string,
  manifest: { iat: number; merkleRoot: string },
  spool: LineSpool,
): Written {
  const path = join(folder, fileName(type, jws, manifest.iat))
  const { bytes, digest: fileDigest } = writeLines(path, concatenated(jws, spool))
  return { path, manifestDigest: digest(jws), merkleRoot: manifest.merkleRoot, bytes, fileDigest }
}

function* concatenated(jws: string, spool: LineSpool): Generator<string | Uint8Array> {
  yield jws
  yield* spool.sorted()
}

export type ReadBundle = { manifest: Manifest; manifestDigest: string; removed: RemovedLine[] }

/**
 * Reads and verifies a whole bundle in constant memory: manifest, count, order and Merkle root, and every tenant with
 * its signed slots. `onTenant` sees each tenant as it comes; what it saw counts only once this has returned. It does
 * not look at time, runtime or sequence. Codes: of `readLinesGuarded`, `openBundle` and `checkTenantLine`.
 */
export async function readBundle(
  path: string,
  pin: Pin,
  onTenant: (line: TenantLine, manifest: Manifest) => void = () => {},
): Promise<ReadBundle> {
  const lines = readLinesGuarded(path, BUNDLE_CAPS)
  try {
    const { manifest, manifestDigest, tenants, removed } = await openBundle(lines, pin)
    for await (const line of tenants) {
      await checkTenantLine(line, manifest.iat, pin)
      onTenant(line, manifest)
    }
    return { manifest, manifestDigest, removed }
  } finally {
    lines.return(undefined)
  }
}
