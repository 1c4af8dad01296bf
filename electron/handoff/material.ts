import { must } from '../../shared/errors.ts'
import type { Pin } from '../../shared/formats/bundle-file.ts'
import { utf8, wipe } from '../../shared/formats/bytes.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import { sealTo } from '../../shared/formats/jwe.ts'
import type { P256Jwk, StatementSigner } from '../../shared/formats/jws.ts'
import {
  type MaterialManifest,
  materialBinding,
  materialTyp,
  signMaterialManifest,
} from '../../shared/formats/material.ts'
import { MATERIAL_CAPS, materialOrder, openMaterial } from '../../shared/formats/material-file.ts'
import { LineSpool } from '../files/lines.ts'
import { readLinesGuarded } from '../files/read.ts'
import { rootOf, type Written, writeUnder } from './bundle.ts'

/** A private key to hand over. `pkcs8` is DER; it is filled with zeros once it is sealed. */
export type PrivateKeyToSend = { tenant: string; kid: string; pkcs8: Uint8Array }

type MaterialToWrite = {
  manifest: Omit<MaterialManifest, 'keys' | 'merkleRoot' | 'transportKey'>
  /** The one-time transport key that the runtime offered. */
  transportKey: P256Jwk
  keys: Iterable<PrivateKeyToSend> | AsyncIterable<PrivateKeyToSend>
  root: StatementSigner
  practice: boolean
  onProgress?: (done: number) => void
}

/**
 * Writes key material into `folder`: each key sealed to the transport key, bound to tenant, kid, runtime and number, and
 * the root's manifest over them. Every `pkcs8` is wiped, on failure too. Codes of `writeLines`; on failure nothing is
 * left under a final name.
 */
export async function writeMaterial(folder: string, material: MaterialToWrite): Promise<Written & { keys: number }> {
  const { transportKey, practice, root, onProgress } = material
  const recipient = { kid: thumbprint(transportKey), jwk: transportKey }
  const { runtimeId, number } = material.manifest
  const spool = new LineSpool(folder)
  try {
    const names = new Set<string>()
    for await (const { tenant, kid, pkcs8 } of material.keys) {
      try {
        must(!names.has(kid), 'internal', `Key ${kid} stands twice in the material.`)
        names.add(kid)
        const binding = materialBinding({ tenant, key: kid, runtimeId, number })
        const jwe = await sealTo(recipient, materialTyp(practice), pkcs8, binding)
        spool.add(materialOrder({ tenant, kid }), utf8(jwe))
      } finally {
        wipe(pkcs8)
      }
      onProgress?.(spool.size)
    }
    const manifest = {
      ...material.manifest,
      transportKey: recipient.kid,
      keys: spool.size,
      merkleRoot: rootOf(spool.sorted()),
    }
    const jws = await signMaterialManifest(manifest, practice, root)
    return { ...writeUnder(folder, 'material', jws, manifest, spool), keys: spool.size }
  } finally {
    spool.discard()
  }
}

/**
 * Reads key material without opening any key: manifest, count, order and Merkle root. `onKey` sees for whom each sealed
 * key claims to be. Codes: of `readLinesGuarded` and `openMaterial`.
 */
export async function readMaterial(
  path: string,
  pin: Pin,
  onKey: (key: { tenant: string; kid: string }) => void = () => {},
): Promise<{ manifest: MaterialManifest; manifestDigest: string }> {
  const lines = readLinesGuarded(path, MATERIAL_CAPS)
  try {
    const { manifest, manifestDigest, keys } = await openMaterial(lines, pin)
    for await (const { tenant, kid } of keys) onKey({ tenant, kid })
    return { manifest, manifestDigest }
  } finally {
    lines.return(undefined)
  }
}
