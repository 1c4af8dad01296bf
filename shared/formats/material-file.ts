import { z } from 'zod'
import { KeyriteError, must } from '../errors.ts'
import { firstLine, mustBeOfVault, OrderedLines, type Pin } from './bundle-file.ts'
import { digest, fromUtf8 } from './bytes.ts'
import { digestSchema, idSchema } from './common.ts'
import { KB, parseAs } from './json.ts'
import { splitCompact } from './jws.ts'
import { type MaterialManifest, openMaterialManifest } from './material.ts'

/** Key material as a stream of lines: memory holds one sealed key at a time. */

const SEALED_KEY_MAX = 16 * KB

/** Caps for whoever opens the file. */
export const MATERIAL_CAPS = { maxBytes: 2 * 1024 ** 3, maxLine: SEALED_KEY_MAX }

/** One sealed key and what its header claims; `openSealed` with the claimed binding proves it. */
export type SealedKeyLine = { tenant: string; kid: string; jwe: string }

export type OpenMaterial = {
  manifest: MaterialManifest
  manifestDigest: string
  /** The sealed keys in order. Only after the last one is the whole bound to the manifest. */
  keys: AsyncGenerator<SealedKeyLine>
}

/** The name by which the lines of a material file are ordered. */
export const materialOrder = (key: { tenant: string; kid: string }): string => `${key.tenant} ${key.kid}`

/** Opens key material from its lines without decrypting anything; the caller closes the file. Codes as `openBundle`. */
export async function openMaterial(lines: Iterable<Uint8Array>, pin: Pin): Promise<OpenMaterial> {
  const rest = lines[Symbol.iterator]()
  const manifestLine = firstLine(rest, 'key material')
  mustBeOfVault(manifestLine, pin, 'key material')
  const manifest = await openMaterialManifest(manifestLine, pin.key, pin.practice)
  must(manifest.vaultId === pin.vaultId, 'vault-mismatch', 'This key material names another vault.')
  return { manifest, manifestDigest: digest(manifestLine), keys: readKeys(rest, manifest) }
}

async function* readKeys(lines: Iterator<Uint8Array>, manifest: MaterialManifest): AsyncGenerator<SealedKeyLine> {
  const ordered = new OrderedLines('key material', manifest.keys, manifest.merkleRoot)
  for (let next = lines.next(); !next.done; next = lines.next()) {
    ordered.take(next.value)
    const key = readSealedKey(fromUtf8(next.value))
    ordered.name(materialOrder(key))
    yield key
  }
  ordered.end()
}

const claimSchema = z.looseObject({ tenant: idSchema, key: digestSchema })

/** What a sealed key claims to be for. Code `jose-refused`. */
function readSealedKey(jwe: string): SealedKeyLine {
  const { header } = splitCompact(jwe, 5, SEALED_KEY_MAX)
  const { tenant, key } = parseAs(claimSchema, header, 'sealed key', 'jose-refused')
  return { tenant, kid: key, jwe }
}

/** Tells a bundle from key material by the type its first line claims. Codes `jose-refused`, `format-invalid`. */
export function handoffFileType(first: Uint8Array): 'bundle' | 'material' {
  const typ = looksSigned(first) ? typOf(first) : ''
  if (typ === 'bundle' || typ === 'material') return typ
  throw new KeyriteError('format-invalid', 'This file is neither a bundle nor key material.', {
    hint: 'Give the files of a handoff: bundle-… and material-….',
  })
}

/** Anything else was simply the wrong file; only what looks like a signed statement is judged as one. */
const looksSigned = (first: Uint8Array): boolean =>
  first.every((byte) => byte !== 0x7b && byte !== 0x20) && first.includes(0x2e)

function typOf(first: Uint8Array): string {
  const { header } = splitCompact(fromUtf8(first), 3, 32 * KB)
  const { typ } = parseAs(z.looseObject({ typ: z.string() }), header, 'signed statement', 'jose-refused')
  return typ.replace(/^keyrite-(practice-)?/, '')
}
