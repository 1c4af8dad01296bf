import fc from 'fast-check'
import { expect, it } from 'vitest'
import { SealedTable, sealedDigest } from '../../electron/vault/sealed-table.ts'
import { digest } from '../../shared/formats/bytes.ts'
import { canonicalText } from '../../shared/formats/json.ts'

/** As vault.md says it: ids and digests, in order, as canonical JSON. */
const whole = (sealed: ReadonlyMap<string, string>) =>
  digest(canonicalText([...sealed].sort(([a], [b]) => (a < b ? -1 : 1))))

const id = fc.stringMatching(/^(?:key|wrap):[A-Za-z0-9_-]{1,2}$/)
const change = fc.oneof(
  fc.record({ put: id, digest: fc.constantFrom('a', 'b', 'c') }),
  fc.record({ remove: id }),
  fc.constant('checkpoint' as const),
)

it('whatever rows come, change and go between checkpoints, each digest is that of the whole table', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
      const table = new SealedTable()
      const plain = new Map<string, string>()
      for (const one of changes) {
        if (one === 'checkpoint') expect(table.digest()).toBe(whole(plain))
        else if ('put' in one) for (const map of [table, plain]) map.set(one.put, one.digest)
        else for (const map of [table, plain]) map.delete(one.remove)
      }
      expect(table.digest()).toBe(whole(plain))
      expect(sealedDigest(plain)).toBe(whole(plain))
      expect([...table]).toEqual([...plain])
    }),
    { numRuns: 500 },
  )
})
