import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digest, fromBase64url, sha256, sha256InScript, toBase64url, utf8 } from '../../shared/formats/bytes.ts'

describe('base64url (RFC 4648 section 5, no padding)', () => {
  it.each([
    ['', ''],
    ['f', 'Zg'],
    ['fo', 'Zm8'],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg'],
    ['fooba', 'Zm9vYmE'],
    ['foobar', 'Zm9vYmFy'],
  ])('section 10: %j is %j', (text, spelled) => {
    expect(toBase64url(utf8(text))).toBe(spelled)
    expect(fromBase64url(spelled)).toEqual(utf8(text))
  })

  it('spells every byte string as the platform does, and reads it back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const text = toBase64url(bytes)
        expect(text).toBe(Buffer.from(bytes).toString('base64url'))
        expect(fromBase64url(text)).toEqual(bytes)
      }),
    )
  })

  it('format-invalid: any text that is not the one spelling of what the platform reads in it', () => {
    const character = fc.constantFrom(...'ABCQgwxyz0189-_+/= \u0100é')
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 12 }), (text) => {
        const canonical = Buffer.from(text, 'base64url').toString('base64url') === text
        if (canonical) expect(toBase64url(fromBase64url(text))).toBe(text)
        else expect(() => fromBase64url(text)).toThrow(expect.objectContaining({ code: 'format-invalid' }))
      }),
    )
  })
})

describe('SHA-256', () => {
  it('is the same in script, as browsers run it, and by the platform', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.string({ unit: 'binary' })), (data) => {
        const expected = createHash('sha256').update(data).digest()
        expect(Buffer.from(sha256(data))).toEqual(expected)
        expect(Buffer.from(sha256InScript(data))).toEqual(expected)
        expect(digest(data)).toBe(expected.toString('base64url'))
      }),
    )
  })

  it('gives bytes of its own: nothing else lies in the same memory', () => {
    expect(sha256('abc').buffer.byteLength).toBe(32)
  })
})
