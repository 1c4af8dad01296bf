import { describe, expect, it } from 'vitest'
import { hostOf, locate, single } from '../../../electron/issuer/http/routes.ts'

describe('locate', () => {
  it.each([
    ['/.well-known/openid-configuration', 'openid-configuration', ''],
    ['/t/acme/.well-known/openid-configuration', 'openid-configuration', '/t/acme'],
    ['/.well-known/oauth-authorization-server', 'oauth-authorization-server', ''],
    ['/.well-known/oauth-authorization-server/t/acme', 'oauth-authorization-server', '/t/acme'],
    ['/t/acme/.well-known/jwks.json', 'jwks.json', '/t/acme'],
    ['/t/acme/.well-known/jwks.jwt', 'jwks.jwt', '/t/acme'],
    ['/token', 'token', ''],
    ['/t/acme/token', 'token', '/t/acme'],
  ])('%s is %s of issuer path "%s"', (path, endpoint, issuerPath) => {
    expect(locate(path)).toEqual({ endpoint, issuerPath })
  })

  it('RFC 8414 section 3.1: the well-known string is inserted, so what follows it is all issuer path', () => {
    expect(locate('/.well-known/oauth-authorization-server/t/acme/token')).toEqual({
      endpoint: 'oauth-authorization-server',
      issuerPath: '/t/acme/token',
    })
  })

  it.each([
    '/',
    '',
    'token',
    '/t/acme/token/',
    '/t/acme/TOKEN',
    '/t/%61cme/token',
    '/t/acme/token\0',
    `/${'a'.repeat(500)}/token`,
  ])('nothing is decoded, folded or normalised: %j leads nowhere', (path) => expect(locate(path)).toBeNull())
})

describe('hostOf (RFC 9112 section 3.2: exactly one Host)', () => {
  it.each([
    [['Host', 'Acme.Example.COM'], 'acme.example.com'],
    [['host', '127.0.0.1:47770'], '127.0.0.1:47770'],
    [['Accept', 'x', 'HOST', 'a.example'], 'a.example'],
    [[], null],
    [['Host', ''], null],
    [['Host', 'a.example', 'Host', 'a.example'], null],
    [['Host', 'a.example', 'hOsT', 'b.example'], null],
    [['Host', 'a.example, b.example'], null],
    [['Host', 'user@a.example'], null],
    [['Host', 'a.example/t'], null],
    [['Host', 'a.example:'], null],
    [['Host', 'a.example:123456'], null],
    [['Host', 'ä.example'], null],
    [['X-Forwarded-Host', 'a.example'], null],
  ])('%j gives %j', (rawHeaders, host) => expect(hostOf(rawHeaders)).toBe(host))
})

it('a header that stands twice is null, an absent one undefined', () => {
  expect(single(['A', '1', 'B', '2'], 'b')).toBe('2')
  expect(single(['A', '1', 'a', '1'], 'a')).toBeNull()
  expect(single(['A', '1'], 'b')).toBeUndefined()
})
