import fc from 'fast-check'
import encodeQR from 'qr'
import { decodeQR } from 'qr/decode.js'
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../shared/formats/bytes.ts'
import {
  FrameReader,
  fromBase45,
  fromFrames,
  parseFrame,
  QR_FILE_MAX,
  QR_FRAME_MAX,
  QR_VERSION_MAX,
  toBase45,
  toFrames,
} from '../../shared/formats/qr-frames.ts'

const content = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => (at * 131 + (at >> 8)) & 0xff)
const NAME = 'receipts-1f0c9a2e-20260609T141902Z.keyrite'
const code = (doing: () => unknown): unknown => {
  try {
    doing()
  } catch (error) {
    return (error as { code?: string }).code
  }
  return 'no error'
}
const invalid = 'format-invalid'

describe('Base45', () => {
  it('spells the examples of RFC 9285', () => {
    for (const [plain, spelled] of [
      ['AB', 'BB8'],
      ['Hello!!', '%69 VD92EX0'],
      ['base-45', 'UJCLQE7W581'],
      ['ietf!', 'QED8WEX0'],
    ] as const) {
      expect(toBase45(utf8(plain))).toBe(spelled)
      expect(fromBase45(spelled)).toEqual(utf8(plain))
    }
  })

  it('gives back any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(fromBase45(toBase45(bytes))).toEqual(bytes)
      }),
    )
  })

  it.each(['a', 'GGW', ':::', '::', 'B', 'BB8B', 'ÄB8'])('refuses %s', (text) => {
    expect(code(() => fromBase45(text))).toBe(invalid)
  })
})

describe('a file as QR codes', () => {
  it('is whole again in any order, with any frame several times', () => {
    const names = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,120}$/)
    const files = fc.record({ name: names, bytes: fc.uint8Array({ minLength: 1, maxLength: 4000 }), seed: fc.nat() })
    fc.assert(
      fc.property(files, ({ name, bytes, seed }) => {
        const frames = toFrames(name, bytes)
        const twice = [...frames, ...frames].toSorted((one, other) => order(one, seed) - order(other, seed))
        expect(fromFrames(twice)).toEqual({ name, content: bytes })
      }),
    )
  })

  it('takes the largest file in fewer frames than the contract lets through', () => {
    const bytes = content(QR_FILE_MAX)
    const frames = toFrames('a'.repeat(121), bytes)
    expect(frames.length).toBeLessThanOrEqual(200)
    expect(Math.max(...frames.map((frame) => frame.length))).toBeLessThanOrEqual(QR_FRAME_MAX)
    expect(fromFrames(frames.toReversed()).content).toEqual(bytes)
  })

  it('fits every frame into version 20 with error correction M, and a camera reads it back', () => {
    for (const frame of toFrames(NAME, content(2000))) {
      const modules = encodeQR(frame, 'raw', { ecc: 'medium', version: QR_VERSION_MAX, border: 4 })
      expect(decodeQR(pictureOf(modules, 4))).toBe(frame)
    }
  })

  it('is refused when it is too large, empty, or has a name that a plan cannot name', () => {
    expect(code(() => toFrames(NAME, content(QR_FILE_MAX + 1)))).toBe('file-too-large')
    expect(code(() => toFrames(NAME, content(0)))).toBe('file-refused')
    for (const name of ['../x', '.hidden', 'a b', '', 'a/b', 'ä', 'a'.repeat(122)])
      expect(code(() => toFrames(name, content(5)))).toBe('file-refused')
  })
})

describe('reading frames', () => {
  const frames = toFrames(NAME, content(2000))

  it('tells what is still missing, and gives nothing before it is whole', () => {
    const reader = new FrameReader()
    expect(reader.progress).toBeNull()
    expect(code(() => reader.finish())).toBe(invalid)
    expect(reader.take(frames[2] ?? '')).toBe(true)
    expect(reader.take(frames[2] ?? '')).toBe(false)
    expect(reader.progress).toEqual({ name: NAME, total: frames.length, seen: 1, missing: numbers(frames.length, 3) })
    expect(() => reader.finish()).toThrow(`QR code 1 of ${frames.length} was not read yet`)
  })

  it('refuses frames of another file by name, and keeps what it has', () => {
    const reader = new FrameReader()
    for (const frame of frames.slice(1)) reader.take(frame)
    const [strange = ''] = toFrames('other.keyrite', content(2000))
    expect(() => reader.take(strange)).toThrow(`This QR code belongs to another file: other.keyrite, not ${NAME}.`)
    expect(reader.offer(strange)).toEqual({
      fresh: false,
      refused: `This QR code belongs to another file: other.keyrite, not ${NAME}.`,
    })
    expect(reader.offer(frames[1] ?? '')).toEqual({ fresh: false, refused: null })
    const [changed = ''] = toFrames(NAME, content(2001))
    expect(code(() => reader.take(changed))).toBe(invalid)
    reader.take(frames[0] ?? '')
    expect(reader.finish().content).toEqual(content(2000))
  })

  it('refuses another content under a number that it has, and a whole that is not the one announced', () => {
    const altered = (frames[0] ?? '').replace(/.$/, (last) => (last === '0' ? '1' : '0'))
    const reader = new FrameReader()
    reader.take(frames[0] ?? '')
    expect(code(() => reader.take(altered))).toBe(invalid)
    expect(() => fromFrames([altered, ...frames.slice(1)])).toThrow('is not what its QR codes announce')
  })

  it.each([
    'https://example.com/',
    '',
    'KR1/1/1/00/4/BB8',
    `KR1/0/1/${'0'.repeat(32)}/3/BB8BB8`,
    `KR1/01/1/${'0'.repeat(32)}/3/BB8BB8`,
    `KR1/2/1/${'0'.repeat(32)}/3/BB8BB8`,
    `KR1/1/1/${'0'.repeat(32)}/6/${toBase45(utf8('../x'))}BB8`,
    `KR1/1/1/${'0'.repeat(32)}/3/BB8BB8${'0'.repeat(QR_FRAME_MAX)}`,
    `KR2/1/1/${'0'.repeat(32)}/3/BB8BB8`,
  ])('refuses %s', (text) => {
    expect(code(() => parseFrame(text))).toBe(invalid)
  })

  it('never throws anything but its own error, whatever was read', () => {
    const texts = fc.oneof(
      fc.string(),
      fc.stringMatching(/^KR1\/\d{1,3}\/\d{1,3}\/[0-9A-F]{32}\/\d{1,3}\/[0-9A-Z $%*+\-./:]{0,60}$/),
    )
    fc.assert(
      fc.property(texts, (text) => {
        expect([invalid, 'no error']).toContain(code(() => parseFrame(text)))
      }),
    )
  })
})

const numbers = (total: number, but: number): number[] =>
  Array.from({ length: total }, (_, index) => index + 1).filter((number) => number !== but)

/** Some order that follows from a seed. */
function order(text: string, seed: number): number {
  let sum = seed
  for (const character of text) sum = (sum * 31 + character.charCodeAt(0)) % 1_000_003
  return sum
}

/** What a camera would see: black and white pixels. */
function pictureOf(
  modules: readonly boolean[][],
  scale: number,
): { width: number; height: number; data: Uint8ClampedArray<ArrayBuffer> } {
  const side = modules.length * scale
  const data = new Uint8ClampedArray(side * side * 4).fill(255)
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++)
      if (modules[Math.floor(y / scale)]?.[Math.floor(x / scale)])
        data.fill(0, (y * side + x) * 4, (y * side + x) * 4 + 3)
  return { width: side, height: side, data }
}
