import { describe, expect, it } from 'vitest'
import { parseJson } from '../../shared/formats/json.ts'
import { codeOf } from '../issuer/fixtures.ts'

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
