import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { idSchema } from '../../shared/formats/common.ts'
import { checkIssuerUrl, isTenantId } from '../../shared/formats/tenant-id.ts'

/** Fault 21: tenant ids `..`, `%2f`, NUL, homoglyphs, `CON`, `constructor` [rejected]; the same for issuer URLs. */

describe('an id: 1 to 63 lower-case letters, digits and single hyphens, starting with a letter, no reserved word', () => {
  it.each([
    'a',
    'acme',
    'acme-2',
    'a1',
    'a-b-c',
    'acme-corp-eu-1',
    'console',
    'comet',
    'lpt',
    'com',
    `a${'b'.repeat(62)}`,
  ])('%s is an id', (id) => {
    expect(isTenantId(id)).toBe(true)
    expect(idSchema.parse(id)).toBe(id)
  })

  const REFUSED: [string, string][] = [
    ['', 'empty'],
    [`a${'b'.repeat(63)}`, '64 characters'],
    ['.', 'this folder'],
    ['..', 'the folder above'],
    ['../acme', 'a path upwards'],
    ['acme/..', 'a path'],
    ['a/b', 'a slash'],
    ['a\\b', 'a backslash'],
    ['a.b', 'a dot'],
    ['acme%2f', 'an encoded slash'],
    ['%2e%2e', 'encoded dots'],
    ['acme\0', 'NUL at the end'],
    ['\0', 'NUL'],
    ['ac\0me', 'NUL inside'],
    ['acme\n', 'a line feed at the end'],
    ['acme\r\n', 'CR LF at the end'],
    ['acme ', 'a space at the end'],
    [' acme', 'a space at the start'],
    ['acme\u00a0', 'a no-break space'],
    ['acme\u200b', 'a zero-width space'],
    ['acme\u202e', 'a right-to-left override'],
    ['\ufeffacme', 'a byte order mark'],
    ['\u0430cme', 'a Cyrillic homoglyph'],
    ['acm\u0435', 'another'],
    ['\uff41cme', 'a full-width letter'],
    ['acm\u00e9', 'an accented letter'],
    ['acme\u0301', 'a combining mark'],
    ['ı', 'a dotless i'],
    ['com\u00b9', 'a superscript digit, reserved on Windows'],
    ['Acme', 'an upper-case letter'],
    ['CON', 'a device of Windows'],
    ['con', 'a device of Windows'],
    ['prn', 'a device of Windows'],
    ['aux', 'a device of Windows'],
    ['nul', 'a device of Windows'],
    ['com1', 'a device of Windows'],
    ['lpt9', 'a device of Windows'],
    ['constructor', 'a member of every object'],
    ['prototype', 'a member of every function'],
    ['__proto__', 'the prototype'],
    ['root', "the vault's own"],
    ['keyrite', 'the software as an actor'],
    ['1acme', 'a digit first'],
    ['-acme', 'a hyphen first'],
    ['acme-', 'a hyphen last'],
    ['ac--me', 'two hyphens'],
    ['xn--acme', 'an internationalised label'],
    ['ac_me', 'an underscore'],
    ["a'or'1", 'quotes'],
    ['a;drop', 'a semicolon'],
    ['a*', 'a wildcard'],
    ['~', 'a home folder'],
    ['\ud800', 'a lone surrogate'],
  ]
  it.each(REFUSED)('%j is refused: %s', (id) => {
    expect(isTenantId(id)).toBe(false)
    expect(idSchema.safeParse(id).success).toBe(false)
  })

  it('what is accepted is safe as a file name, a URL path segment and a member name, whatever is tried', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 70 }),
      fc.string({ unit: fc.constantFrom('a', 'z', '0', '-', '.', '/', '%', '\0', '\n', 'A', '\u0430'), maxLength: 70 }),
      fc.string({ unit: fc.constantFrom('a', 'b', '9', '-'), maxLength: 70 }),
      fc.constantFrom(...Object.getOwnPropertyNames(Object.prototype), ...REFUSED.map(([id]) => id)),
    )
    fc.assert(
      fc.property(hostile, (id) => {
        if (!isTenantId(id)) return
        expect(encodeURIComponent(id)).toBe(id)
        expect(id.normalize('NFKC').toLowerCase()).toBe(id)
        expect(new URL(`https://example.com/${id}/x`).pathname).toBe(`/${id}/x`)
        expect(id in {}).toBe(false)
        expect(id.length).toBeLessThanOrEqual(63)
      }),
      { numRuns: 3000 },
    )
  })
})

describe('an issuer URL (RFC 8414 section 2): https, no port, user, query, fragment or trailing slash', () => {
  it.each([
    ['https://acme.example.com', false],
    ['https://login.example.com/acme', false],
    ['https://login.example.com/tenants/acme_1.x~y-z', false],
    ['https://login.example.com/Acme', false],
    ['https://acme.example.com', true],
    ['http://127.0.0.1:8080/acme', true],
    ['http://127.0.0.1:65535', true],
  ])('%s is accepted (practice: %s)', (issuer, practice) => {
    expect(() => checkIssuerUrl(issuer, practice)).not.toThrow()
  })

  const REFUSED: [string, string][] = [
    ['', 'empty'],
    ['acme.example.com', 'no scheme'],
    ['ftp://acme.example.com', 'another scheme'],
    ['javascript:alert(1)', 'another scheme'],
    ['HTTPS://acme.example.com', 'an upper-case scheme'],
    ['https://Acme.example.com', 'an upper-case host'],
    ['https://acme.example.com/', 'a trailing slash'],
    ['https://acme.example.com/a/', 'a trailing slash'],
    ['https://acme.example.com//a', 'an empty segment'],
    ['https://acme.example.com:443', 'the default port'],
    ['https://acme.example.com:8443', 'a port'],
    ['https://acme.example.com?x', 'a query'],
    ['https://acme.example.com/a?x=1', 'a query'],
    ['https://acme.example.com#x', 'a fragment'],
    ['https://user@acme.example.com', 'a user'],
    ['https://user:pw@acme.example.com', 'a user and a password'],
    ['https://acme.example.com/..', 'the folder above'],
    ['https://acme.example.com/.', 'this folder'],
    ['https://acme.example.com/a/../b', 'a path upwards'],
    ['https://acme.example.com/%2e%2e', 'encoded dots'],
    ['https://acme.example.com/a%2fb', 'an encoded slash'],
    ['https://acme.example.com/a\\b', 'a backslash'],
    ['https:\\\\acme.example.com', 'backslashes'],
    ['https://acme.example.com/a b', 'a space'],
    ['https://acme.example.com\n', 'a line feed at the end'],
    ['https://acme.example.com/\r\nHost: x', 'a header'],
    ['https://acme.example.com/\0', 'NUL'],
    ['https://\u0430cme.example.com', 'a homoglyph in the host'],
    ['https://acme.example.com/\u0430', 'a homoglyph in the path'],
    ['https://acme。example.com', 'an ideographic full stop'],
    ['https://.', 'a host of dots'],
    ['https://..', 'a host of dots'],
    ['https://acme..example.com', 'an empty label'],
    ['https://.example.com', 'an empty label first'],
    ['https://example.com.', 'a root label'],
    ['https://-acme.example.com', 'a label with a hyphen first'],
    ['https://acme-.example.com', 'a label with a hyphen last'],
    ['https://xn--.example.com', 'an internationalised label that is none'],
    ['https://xn--a.example.com', 'an internationalised label that is none'],
    ['https://xn--80ak6aa92e.com', 'homoglyphs in their ASCII form'],
    ['https://1', 'a number that is an address'],
    ['https://0x7f.1', 'a number that is an address'],
    ['https://127.1', 'a short address'],
    ['https://999.999.999.999', 'an address that is none'],
    [`https://${'a'.repeat(64)}.example.com`, 'a label of 64 characters'],
    [`https://acme.example.com/${'a'.repeat(256)}`, 'more than 256 characters'],
  ]
  it.each(REFUSED)('%j is refused: %s', (issuer) => {
    for (const practice of [false, true])
      expect(() => checkIssuerUrl(issuer, practice), String(practice)).toThrow(
        expect.objectContaining({ code: 'issuer-url-invalid' }),
      )
  })

  it.each([
    ['http://127.0.0.1:8080/acme', 'plain http'],
    ['http://acme.example.com', 'plain http'],
  ])('%s is refused in production: %s', (issuer) => {
    expect(() => checkIssuerUrl(issuer, false)).toThrow(expect.objectContaining({ code: 'issuer-url-invalid' }))
  })

  it.each([
    'http://localhost:8080/acme',
    'http://127.0.0.1/acme',
    'http://127.0.0.1:80/acme',
    'http://127.0.0.1:08080/acme',
    'http://127.0.0.1:99999/acme',
    'http://127.0.0.2:8080/acme',
    'http://127.0.0.1:8080/acme/',
    'http://127.0.0.1.example.com:8080',
    'http://acme.example.com:8080',
    'http://[::1]:8080/acme',
  ])('%s is refused in practice too: only a numeric loopback address with a port', (issuer) => {
    expect(() => checkIssuerUrl(issuer, true)).toThrow(expect.objectContaining({ code: 'issuer-url-invalid' }))
  })

  it('whatever is tried, it is accepted as it stands or refused with its code, and never rewritten', () => {
    const piece = fc.constantFrom(
      'https://',
      'http://127.0.0.1:8080',
      'a',
      '.',
      '..',
      '/',
      '-',
      'xn--',
      '1',
      ':',
      '%41',
      '@',
      '~',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.boolean(), (pieces, practice) => {
        const issuer = pieces.join('')
        let code: unknown = 'accepted'
        try {
          checkIssuerUrl(issuer, practice)
        } catch (error) {
          code = (error as { code?: unknown }).code
        }
        expect(['accepted', 'issuer-url-invalid']).toContain(code)
        if (code === 'accepted') expect(new URL(issuer).href.replace(/\/$/, '')).toBe(issuer)
      }),
      { numRuns: 3000 },
    )
  })
})
