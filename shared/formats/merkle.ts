import { type Bytes, concat, fromBase64url, sha256, toBase64url, utf8 } from './bytes.ts'

/** Merkle tree hash of RFC 9162 section 2.1.1 with SHA-256: one digest for a list of lines, read aloud in the room. */

const leaf = (data: Uint8Array): Bytes => sha256(concat(Uint8Array.of(0), data))
const node = (left: Uint8Array, right: Uint8Array): Bytes => sha256(concat(Uint8Array.of(1), left, right))

/**
 * Takes leaves one at a time and keeps only one digest per level, so that ten thousand tenants need as little memory
 * as ten. `root()` of no leaves is SHA-256 of nothing (RFC 9162, same section).
 */
export class MerkleTree {
  /** Full subtrees, largest first: sizes are the binary digits of the count. */
  readonly #peaks: { size: number; hash: Bytes }[] = []

  add(data: Uint8Array): void {
    let peak = { size: 1, hash: leaf(data) }
    for (let last = this.#peaks.at(-1); last?.size === peak.size; last = this.#peaks.at(-1)) {
      this.#peaks.pop()
      peak = { size: peak.size * 2, hash: node(last.hash, peak.hash) }
    }
    this.#peaks.push(peak)
  }

  root(): Bytes {
    const [last, ...rest] = [...this.#peaks].reverse()
    return last ? rest.reduce((right, peak) => node(peak.hash, right), last.hash) : sha256(new Uint8Array())
  }
}

/** The root over texts, as 43 base64url characters. */
export function merkleRootOf(texts: Iterable<string>): string {
  const tree = new MerkleTree()
  for (const text of texts) tree.add(utf8(text))
  return toBase64url(tree.root())
}

/** Shows that one leaf stands under a root, without showing the others: sibling digests from the leaf upwards. */
export type InclusionProof = { index: number; size: number; path: string[] }

/** The largest power of two below `size`: where RFC 9162 splits a list. */
function splitOf(size: number): number {
  let split = 1
  while (split * 2 < size) split *= 2
  return split
}

/**
 * The inclusion proof of RFC 9162 section 2.1.3.1 for the leaf at `index` (from 0) of these leaves. It keeps a digest of
 * each, never the leaves.
 */
export function inclusionProof(leaves: Iterable<Uint8Array>, index: number): InclusionProof {
  const hashes: Bytes[] = []
  for (const data of leaves) hashes.push(leaf(data))
  const path: string[] = []
  const walk = (from: number, to: number): Bytes => {
    if (to - from === 1) return hashes[from] ?? new Uint8Array()
    const middle = from + splitOf(to - from)
    const [left, right] = [walk(from, middle), walk(middle, to)]
    if (from <= index && index < to) path.push(toBase64url(index < middle ? right : left))
    return node(left, right)
  }
  if (hashes.length > 0) walk(0, hashes.length)
  return { index, size: hashes.length, path }
}

/** The inclusion proofs of all these leaves, in their order: one walk, where many are wanted at once. */
export function inclusionProofs(leaves: Iterable<Uint8Array>): InclusionProof[] {
  const hashes: Bytes[] = []
  for (const data of leaves) hashes.push(leaf(data))
  const paths = hashes.map((): string[] => [])
  const beside = (from: number, to: number, sibling: Bytes) => {
    const text = toBase64url(sibling)
    for (const path of paths.slice(from, to)) path.push(text)
  }
  const walk = (from: number, to: number): Bytes => {
    if (to - from === 1) return hashes[from] ?? new Uint8Array()
    const middle = from + splitOf(to - from)
    const [left, right] = [walk(from, middle), walk(middle, to)]
    beside(from, middle, right)
    beside(middle, to, left)
    return node(left, right)
  }
  if (hashes.length > 0) walk(0, hashes.length)
  return paths.map((path, index) => ({ index, size: hashes.length, path }))
}

/**
 * True where the proof leads from this leaf to this root (43 base64url characters): RFC 9162 section 2.1.3.2. False for
 * any other leaf, place, size or path.
 */
export function verifyInclusion(data: Uint8Array, { index, size, path }: InclusionProof, root: string): boolean {
  if (!(index >= 0 && index < size)) return false
  let [at, last] = [index, size - 1]
  let hash = leaf(data)
  for (const sibling of path) {
    if (last === 0) return false
    const other = fromBase64url(sibling)
    if (at % 2 === 1 || at === last) {
      hash = node(other, hash)
      while (at % 2 === 0 && at !== 0) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)]
    } else hash = node(hash, other)
    at = Math.floor(at / 2)
    last = Math.floor(last / 2)
  }
  return last === 0 && toBase64url(hash) === root
}
