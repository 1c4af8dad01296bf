import canonicalize from 'canonicalize'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalText, parseJson } from '../../shared/formats/json.ts'
import { codeOf } from '../issuer/fixtures.ts'

/** Names that meet often, sort by code units and not by numbers or letters, or mean something to JavaScript. */
const name = fc.oneof(
  fc.constantFrom('a', 'b', '10', '9', '', '__proto__', 'toJSON', '\u20ac', '\ud83d\ude00', '\ufb33'),
  fc.string(),
)
const { data } = fc.letrec((tie) => ({
  data: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.constant(null),
    ),
    fc.array(tie('data'), { maxLength: 5 }),
    fc.dictionary(name, tie('data'), { maxKeys: 6 }),
  ),
}))

describe('canonical JSON (RFC 8785)', () => {
  it("is byte for byte the reference implementation's, whatever the data", () => {
    fc.assert(
      fc.property(data, (value) => {
        expect(canonicalText(value)).toBe(canonicalize(value))
      }),
      { numRuns: 500 },
    )
  })

  it('leaves out members without a value', () => {
    expect(canonicalText({ b: 1, a: undefined })).toBe('{"b":1}')
  })

  it.each<[string, unknown]>([
    ['NaN', [Number.NaN]],
    ['Infinity', { a: Number.POSITIVE_INFINITY }],
    ['a lone surrogate', '\ud800'],
    ['a lone surrogate in a name', { '\udc00': 1 }],
    ['nothing', undefined],
    ['a list with nothing in it', [undefined]],
    ['a list with a hole', new Array(2)],
    ['a function', { toJSON: () => 'x' }],
    ['a time', new Date(0)],
    ['bytes', new Uint8Array(2)],
    ['a map', new Map([['a', 1]])],
    ['a bigint', 1n],
  ])('there is none of %s', (_what, value) => {
    expect(() => canonicalText(value)).toThrow(expect.objectContaining({ code: 'internal' }))
  })
})

describe('strict JSON: each name stands once', () => {
  const parse = (text: string) => () => parseJson(text, { maxBytes: 1000 })

  it.each([
    ['names that rise', '{"a":1,"b":{"a":1},"c":[{"a":1},{"a":2}]}'],
    ['names that do not rise', '{"b":1,"a":{"b":1,"a":2},"0":3}'],
  ])('%s are taken', (_what, text) => {
    expect(parse(text)()).toEqual(JSON.parse(text))
  })

  it.each([
    ['one after the other', '{"a":1,"b":2,"b":3}'],
    ['with others between', '{"b":1,"a":2,"b":3}'],
    ['around an object', '{"a":{"z":1},"b":1,"a":2}'],
    ['after an object that is not in order', '{"x":{"b":1,"a":2},"y":{"c":1,"c":2}}'],
    ['spelled in two ways', '{"b":1,"a":2,"\\u0062":3}'],
    ['empty', '{"":1,"":2}'],
  ])('a name that stands twice, %s, is refused', async (_what, text) => {
    expect(await codeOf(parse(text))).toBe('json-invalid')
  })
})
