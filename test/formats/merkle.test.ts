import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toBase64url, utf8 } from '../../shared/formats/bytes.ts'
import { inclusionProof, MerkleTree, verifyInclusion } from '../../shared/formats/merkle.ts'

const rootOf = (leaves: readonly Uint8Array[]): string => {
  const tree = new MerkleTree()
  for (const one of leaves) tree.add(one)
  return toBase64url(tree.root())
}
const leavesOf = (size: number) => Array.from({ length: size }, (_, index) => utf8(`tenant ${index}`))

describe('RFC 9162 section 2.1.3: inclusion proofs', () => {
  it('every leaf of every tree up to 70 leaves is proved, and its proof is no longer than the tree is high', () => {
    for (let size = 1; size <= 70; size++) {
      const leaves = leavesOf(size)
      const root = rootOf(leaves)
      leaves.forEach((one, index) => {
        const proof = inclusionProof(leaves, index)
        expect(verifyInclusion(one, proof, root)).toBe(true)
        expect(proof.path.length).toBeLessThanOrEqual(Math.ceil(Math.log2(size)))
      })
    }
  })

  it('no other leaf, place, size, path or root is accepted', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 40 }), fc.nat(), fc.nat(), (size, a, b) => {
        const leaves = leavesOf(size)
        const root = rootOf(leaves)
        const [index, other] = [a % size, b % size]
        const proof = inclusionProof(leaves, index)
        const leaf = leaves[index] ?? utf8('')
        if (other !== index) {
          expect(verifyInclusion(leaves[other] ?? utf8(''), proof, root)).toBe(false)
          expect(verifyInclusion(leaf, { ...proof, path: inclusionProof(leaves, other).path }, root)).toBe(false)
        }
        expect(verifyInclusion(leaf, { ...proof, path: proof.path.slice(1) }, root)).toBe(false)
        expect(verifyInclusion(leaf, { ...proof, path: [...proof.path, root] }, root)).toBe(false)
        expect(verifyInclusion(leaf, { ...proof, index: size }, root)).toBe(false)
        expect(verifyInclusion(leaf, { ...proof, index: -1 }, root)).toBe(false)
        expect(verifyInclusion(leaf, proof, rootOf(leavesOf(size + 1)))).toBe(false)
      }),
    )
  })
})
