import { z } from 'zod'
import { must } from '../errors.ts'
import {
  type Manifest,
  openManifest,
  parseBundleLine,
  type RemovedLine,
  TENANT_LINE_MAX,
  type TenantLine,
} from './bundle.ts'
import { digest, fromUtf8, toBase64url } from './bytes.ts'
import { uuidSchema } from './common.ts'
import { KB } from './json.ts'
import { peekStatement, readStatementHeader, type StatementKey } from './jws.ts'
import { MerkleTree } from './merkle.ts'

/** The bundle as a stream of lines: memory holds one tenant at a time. */

/** What pins a file to one vault. An `Anchor` is one. */
export type Pin = { vaultId: string; practice: boolean; key: StatementKey }

/** Caps for whoever opens the file. */
export const BUNDLE_CAPS = { maxBytes: 4 * 1024 ** 3, maxLine: TENANT_LINE_MAX }

const MANIFEST_MAX = 32 * KB

export type OpenBundle = {
  manifest: Manifest
  /** The root-signed first line, and its digest: the name by which material and the next bundle refer to this one. */
  manifestLine: string
  manifestDigest: string
  /** The tenants in order. Only after the last one is the whole bound to the manifest; until then nothing may be used. */
  tenants: AsyncGenerator<TenantLine>
  /** The tenants that were removed, complete once `tenants` is read to its end. */
  removed: RemovedLine[]
}

/**
 * Opens a bundle from its lines; the caller closes the file. Codes: `vault-mismatch`, `practice-refused`, those of
 * `openStatement`, and while `tenants` is read those of `parseTenantLine` and `format-invalid` for another count, order
 * or Merkle root (RFC 9162 section 2.1.1) than the manifest's.
 */
export async function openBundle(lines: Iterable<Uint8Array>, pin: Pin): Promise<OpenBundle> {
  const rest = lines[Symbol.iterator]()
  const manifestLine = firstLine(rest, 'bundle')
  mustBeOfVault(manifestLine, pin, 'bundle manifest')
  const manifest = await openManifest(manifestLine, pin.key, pin.practice)
  must(manifest.vaultId === pin.vaultId, 'vault-mismatch', 'This bundle names another vault.')
  const removed: RemovedLine[] = []
  const tenants = readTenants(rest, manifest, removed)
  return { manifest, manifestLine, manifestDigest: digest(manifestLine), tenants, removed }
}

async function* readTenants(
  lines: Iterator<Uint8Array>,
  manifest: Manifest,
  removed: RemovedLine[],
): AsyncGenerator<TenantLine> {
  const ordered = new OrderedLines('bundle', manifest.tenants, manifest.merkleRoot)
  for (let next = lines.next(); !next.done; next = lines.next()) {
    ordered.take(next.value)
    const line = parseBundleLine(next.value)
    ordered.name(line.tenant)
    if ('removed' in line) removed.push(line)
    else yield line
  }
  ordered.end()
}

/** The lines after a manifest: as many as it says, in ascending order of their names, with its Merkle root. */
export class OrderedLines {
  readonly #tree = new MerkleTree()
  readonly #what: string
  readonly #expected: number
  readonly #root: string
  #count = 0
  #last = ''

  constructor(what: string, expected: number, root: string) {
    this.#what = what
    this.#expected = expected
    this.#root = root
  }

  take(line: Uint8Array): void {
    this.#count += 1
    must(this.#count <= this.#expected, 'format-invalid', `This ${this.#what} has more lines than its manifest says.`)
    this.#tree.add(line)
  }

  name(name: string): void {
    must(name > this.#last, 'format-invalid', `The lines of this ${this.#what} are not in order, or one stands twice.`)
    this.#last = name
  }

  end(): void {
    must(this.#count === this.#expected, 'format-invalid', `This ${this.#what} has fewer lines than its manifest says.`)
    const same = toBase64url(this.#tree.root()) === this.#root
    must(same, 'format-invalid', `The lines of this ${this.#what} are not the ones its manifest was signed for.`)
  }
}

/** The first line of a file as text. Code `format-invalid` when there is none. */
export function firstLine(lines: Iterator<Uint8Array>, what: string): string {
  const first = lines.next()
  must(first.done !== true, 'format-invalid', `This ${what} is empty.`)
  must(first.value.length <= MANIFEST_MAX, 'file-too-large', `The first line of this ${what} is too long.`)
  return fromUtf8(first.value)
}

/**
 * Says of whose vault a statement claims to be: `practice-refused` for the other mode, `vault-mismatch` when signing key
 * and vault are both another's. Not a verification, only the better word for a refusal that follows anyway.
 */
export function mustBeOfVault(jws: string, pin: Pin, what: string): void {
  const { kid, typ } = readStatementHeader(jws, MANIFEST_MAX)
  if (kid === pin.key.kid) return
  const practice = typ.startsWith('keyrite-practice-')
  must(
    practice === pin.practice,
    'practice-refused',
    `This ${what} is of a ${practice ? 'practice' : 'production'} vault.`,
  )
  const claimed = peekStatement(jws, z.looseObject({ vaultId: uuidSchema }), what, MANIFEST_MAX)
  must(claimed.vaultId === pin.vaultId, 'vault-mismatch', `This ${what} is of another vault.`)
}
