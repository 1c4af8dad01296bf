import { describe, expect, it } from 'vitest'
import { OAuthError } from '../../../electron/issuer/http/errors.ts'
import { isFormType, parseForm } from '../../../electron/issuer/http/form.ts'

const refusal = (body: string): string => {
  try {
    parseForm(body)
  } catch (error) {
    if (error instanceof OAuthError) return error.code
  }
  return 'accepted'
}

describe('application/x-www-form-urlencoded (RFC 6749 appendix B)', () => {
  it('decodes percent-encoding and plus signs in names and values', () => {
    expect([...parseForm('a=1&b+c=%2B%20+%C3%A4')]).toEqual([
      ['a', '1'],
      ['b c', '+  ä'],
    ])
  })

  it('RFC 6749 section 3.2: a parameter without a value counts as omitted', () => {
    expect([...parseForm('scope=&a=1')]).toEqual([['a', '1']])
  })

  it('names that objects already have are only names', () => {
    expect(parseForm('__proto__=x&constructor=y').get('__proto__')).toBe('x')
  })

  it.each([
    ['RFC 6749 section 3.2: a parameter twice', 'scope=a&scope=a'],
    ['a parameter twice, once empty', 'scope=&scope=a'],
    ['a parameter twice, once encoded', 'scope=a&%73cope=a'],
    ['an unknown parameter twice', 'x=1&x=2'],
    ['a percent sign alone', 'a=%'],
    ['half an escape', 'a=%2'],
    ['an escape that is not hexadecimal', 'a=%zz'],
    ['escapes that are not UTF-8', 'a=%ff'],
    ['an overlong escape', 'a=%c0%af'],
    ['an encoded surrogate', 'a=%ed%a0%80'],
    ['an encoded NUL', 'a=%00'],
    ['an encoded line break', 'a=%0d%0a'],
    ['a raw space', 'a=b c'],
    ['a raw line break', 'a=b\r\n'],
    ['raw bytes beyond ASCII', 'a=ä'],
    ['a pair without a name', '=a'],
    ['a pair without an equals sign', 'a'],
    ['an empty pair', 'a=1&&b=2'],
    ['more than 32 parameters', Array.from({ length: 33 }, (_, at) => `p${at}=1`).join('&')],
    ['more than 16 KB', `a=${'x'.repeat(16 * 1024)}`],
  ])('refuses %s', (_what, body) => expect(refusal(body)).toBe('invalid_request'))

  it.each([
    ['application/x-www-form-urlencoded', true],
    ['Application/X-WWW-Form-Urlencoded; charset=UTF-8', true],
    ['application/json', false],
    ['application/x-www-form-urlencoded, text/plain', false],
    ['application/x-www-form-urlencoded; charset=utf-16', false],
    ['', false],
  ])('%j as media type: %s', (type, accepted) => expect(isFormType(type)).toBe(accepted))
})
