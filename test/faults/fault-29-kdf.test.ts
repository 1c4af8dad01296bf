import { afterEach, describe, expect, it, vi } from 'vitest'
import { deriveKey, PRACTICE_COST } from '../../electron/vault/kdf.ts'
import { toBase64url } from '../../shared/formats/bytes.ts'
import type { Kdf } from '../../shared/formats/roster.ts'

/** Fault 29 at the derivation: the bytes of a passphrase go to the worker, and none stay behind. */

const kdf: Kdf = {
  algorithm: 'argon2id',
  salt: toBase64url(new Uint8Array(16).fill(7)),
  lanes: 1,
  ...PRACTICE_COST,
}

afterEach(() => void vi.restoreAllMocks())

describe('deriving a key from a passphrase', () => {
  it('leaves no copy of its bytes in this thread', async () => {
    const encode = TextEncoder.prototype.encode
    const made: Uint8Array[] = []
    vi.spyOn(TextEncoder.prototype, 'encode').mockImplementation(function (this: TextEncoder, text) {
      const bytes = encode.call(this, text)
      if (text === 'a passphrase of canaries') made.push(bytes)
      return bytes
    })
    const deriving = deriveKey('a passphrase of canaries', kdf)
    const first = await deriving
    expect(made).toHaveLength(1)
    expect(made.map(({ byteLength }) => byteLength)).toEqual([0])
    // The same passphrase gives the same key again, so what was handed over was whole.
    expect(await deriveKey('a passphrase of canaries', kdf)).toEqual(first)
    expect(first).toHaveLength(32)
    expect(first.some((byte) => byte !== 0)).toBe(true)
  })
})
