import { type Bytes, concat, sha256, toBase64url, utf8 } from './bytes.ts'

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
