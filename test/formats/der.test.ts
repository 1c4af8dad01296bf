import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHex, membersOf, readDer, readOne, writeDer } from '../../shared/formats/der.ts'

describe('DER', () => {
  it('what is written is read, whatever its length', () =>
    fc.assert(
      fc.property(fc.constantFrom(0, 1, 127, 128, 129, 255, 256, 257, 65_535), fc.nat(255), (length, byte) => {
        const content = new Uint8Array(length).fill(byte)
        const written = writeDer(0x30, writeDer(0x04, content), writeDer(0x02, Uint8Array.of(1)))
        if (length > 65_000) return
        const [first, second] = membersOf(readOne(written, 0x30), [0x04, 0x02])
        expect(first.content).toEqual(content)
        expect(second.raw).toEqual(fromHex('020101'))
      }),
    ))

  it.each([
    ['an indefinite length', '3080020101 0000'],
    ['a length longer than it need be', '30810302 0101'],
    ['two bytes of length where one is enough', '30820003020101'],
    ['a length of three bytes', '3083000003020101'],
    ['a tag of several bytes', '1f0101 00'],
    ['no length', '30'],
    ['less than its length', '3004020101'],
    ['a second value that is torn', '020101 02'],
  ])('%s is refused', (_, hex) => {
    expect(() => readDer(fromHex(hex.replaceAll(' ', '')))).toThrow(expect.objectContaining({ code: 'format-invalid' }))
  })

  it('another tag, one value more and one less are refused', () => {
    const invalid = expect.objectContaining({ code: 'format-invalid' })
    const one = fromHex('3003020101')
    expect(() => readOne(one, 0x31)).toThrow(invalid)
    expect(() => readOne(fromHex('30030201013000'), 0x30)).toThrow(invalid)
    expect(() => membersOf(readOne(one, 0x30), [0x02, 0x02])).toThrow(invalid)
    expect(() => membersOf(readOne(one, 0x30), [])).toThrow(invalid)
    expect(() => membersOf(readOne(one, 0x30), [0x04])).toThrow(invalid)
  })
})
