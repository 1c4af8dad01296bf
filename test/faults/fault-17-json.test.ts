import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concat, utf8 } from '../../shared/formats/bytes.ts'
import { canonicalText, KB, parseJson } from '../../shared/formats/json.ts'
import {
  codeOf,
  entryOf,
  makeRuntime,
  makeTenant,
  makeVault,
  rawBundle,
  signSlots,
  stateOf,
} from '../issuer/fixtures.ts'

const parse = (text: string | Uint8Array) => () => parseJson(text, { maxBytes: 64 * KB, maxDepth: 8 })
const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`

const REFUSED: [string, string, string][] = [
  ['duplicate member names', '{"a":1,"a":2}', 'json-invalid'],
  ['duplicate names, one spelled with an escape', '{"a":1,"\\u0061":2}', 'json-invalid'],
  ['duplicate names deep inside', '{"x":[{"k":1,"k":1}]}', 'json-invalid'],
  ['duplicate __proto__', '{"__proto__":1,"__proto__":2}', 'json-invalid'],
  ['trailing bytes', '{} x', 'json-invalid'],
  ['a second value', '{}{}', 'json-invalid'],
  ['a trailing NUL', '{}\u0000', 'json-invalid'],
  ['a byte order mark', '\ufeff{}', 'json-invalid'],
  ['a lone high surrogate, escaped', '"\\ud800"', 'json-invalid'],
  ['a lone low surrogate, escaped', '{"\\udc00":1}', 'json-invalid'],
  ['a lone surrogate, literal', '"\ud800"', 'json-invalid'],
  ['-0', '[-0]', 'json-invalid'],
  ['-0.0', '[-0.0]', 'json-invalid'],
  ['-0e5', '[-0e5]', 'json-invalid'],
  ['2^53', '[9007199254740992]', 'json-invalid'],
  ['an integer that a double cannot hold', '[9007199254740993]', 'json-invalid'],
  ['1e400', '[1e400]', 'json-invalid'],
  ['a number of many digits', `[${'9'.repeat(400)}]`, 'json-invalid'],
  ['a depth bomb', nested(9), 'json-invalid'],
  ['a depth bomb of objects', `${'{"a":'.repeat(30)}1${'}'.repeat(30)}`, 'json-invalid'],
  ['a size bomb', `"${'a'.repeat(64 * KB)}"`, 'file-too-large'],
  ['a comment', '{/**/}', 'json-invalid'],
  ['a trailing comma', '[1,]', 'json-invalid'],
  ['NaN', '[NaN]', 'json-invalid'],
  ['nothing', '', 'json-invalid'],
  ['an open string', '"abc', 'json-invalid'],
  ['a control character in a string', '"a\nb"', 'json-invalid'],
]

/** Any JSON of whole numbers that a double holds, fractions, well-formed text, lists and objects. */
const text = fc.string({ unit: 'grapheme', maxLength: 12 })
const fraction = fc.integer({ min: 1, max: 1_000_000 }).map((number) => number / 1024)
const { allowed } = fc.letrec((tie) => ({
  allowed: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(text, fc.maxSafeInteger(), fraction, fc.boolean(), fc.constant(null)),
    fc.array(tie('allowed'), { maxLength: 4 }),
    fc.dictionary(text, tie('allowed'), { maxKeys: 4 }),
  ),
}))

describe('fault 17, hostile JSON is refused before anything is done with it', () => {
  it.each(REFUSED)('%s', async (_what, text, code) => {
    expect(await codeOf(parse(text))).toBe(code)
  })

  it('malformed UTF-8, overlong forms and encoded surrogates', async () => {
    for (const bytes of [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xc3]])
      expect(await codeOf(parse(concat(utf8('"'), Uint8Array.from(bytes), utf8('"'))))).toBe('format-invalid')
  })

  it('a depth bomb of a million levels costs nothing', async () => {
    const bomb = nested(1_000_000)
    const start = performance.now()
    expect(await codeOf(() => parseJson(bomb, { maxBytes: 4_000_000, maxDepth: 32 }))).toBe('json-invalid')
    expect(performance.now() - start).toBeLessThan(1000)
  })

  it('what is allowed comes out as JSON.parse gives it', () => {
    fc.assert(
      fc.property(allowed, (value) => {
        for (const text of [JSON.stringify(value), JSON.stringify(value, null, 1), canonicalText(value)])
          expect(parseJson(text, { maxBytes: 1_000_000 })).toEqual(JSON.parse(text))
        expect(canonicalText(parseJson(JSON.stringify(value), { maxBytes: 1_000_000 }))).toBe(canonicalText(value))
      }),
    )
  })
})

describe('fault 17 through files: a bundle that the real root signed, with a hostile line', () => {
  const spoil: [string, (line: string) => string | Uint8Array, string][] = [
    ['a duplicate member', (line) => line.replace('{', '{"tenant":"acme",'), 'json-invalid'],
    ['trailing bytes', (line) => `${line} x`, 'json-invalid'],
    ['a byte order mark', (line) => `\ufeff${line}`, 'json-invalid'],
    ['a lone surrogate', (line) => line.replace('Tenant acme', '\\ud800'), 'json-invalid'],
    ['-0', (line) => line.replace('"horizon":2', '"horizon":-0'), 'json-invalid'],
    ['a number over 2^53', (line) => line.replace('"horizon":2', '"horizon":9007199254740993'), 'json-invalid'],
    ['a depth bomb', (line) => line.replace('"name":', `"bomb":${nested(100)},"name":`), 'json-invalid'],
    ['a size bomb', (line) => line.replace('Tenant acme', 'x'.repeat(5_000_000)), 'format-invalid'],
    ['an unknown member', (line) => line.replace('{', '{"extra":1,'), 'format-invalid'],
    ['__proto__ as a member', (line) => line.replace('{', '{"__proto__":{},'), 'format-invalid'],
    ['text that turns around in a name', (line) => line.replace('Tenant acme', 'a\u202eb'), 'format-invalid'],
    ['malformed UTF-8', (line) => concat(utf8(line.slice(0, -1)), Uint8Array.of(0xff), utf8('}')), 'format-invalid'],
    ['a fraction as a time', (line) => line.replace('"horizon":2', '"horizon":2.5'), 'format-invalid'],
  ]
  it.each(spoil)('%s: refused, the store unchanged', async (_what, change, code) => {
    const vault = await makeVault()
    const { runtime, folder } = await makeRuntime(vault)
    const before = await stateOf(runtime)
    const line = canonicalText(await signSlots(vault, entryOf(makeTenant('acme'))))
    const { bundle } = await rawBundle(vault, folder, [change(line)])
    expect(await codeOf(() => runtime.importFiles([bundle]))).toBe(code)
    expect(await stateOf(runtime)).toBe(before)
    const good = await rawBundle(vault, folder, [line])
    expect((await runtime.importFiles([good.bundle])).outcome).toBe('imported')
  })
})
