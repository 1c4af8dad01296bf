import { createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { encodeKeys } from '../../electron/keys/encode.ts'
import { readKeyFile } from '../../electron/keys/import.ts'
import { writePfx } from '../../electron/keys/pfx.ts'
import { KEY_SPECS, type KeySpec } from '../../shared/domain/algorithms.ts'
import type { Imported } from '../../shared/domain/events.ts'
import { lintKey } from '../../shared/domain/lint.ts'
import { type Code, isKeyriteError } from '../../shared/errors.ts'
import { fromUtf8, utf8 } from '../../shared/formats/bytes.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'

/** Private keys that other programs made. The files were made beforehand: test/vectors/import/README.md says how. */

const FOLDER = join(import.meta.dirname, '../vectors/import')
const PASSWORD = 'import canary 4471'
type Format = Imported['format']

const bytes = (file: string) => new Uint8Array(readFileSync(join(FOLDER, file)))
const read = (file: string, format: Format, spec: KeySpec, password: () => Promise<string>) =>
  readKeyFile(bytes(file), { file, format, spec }, password)
const never = () => Promise.reject(new Error('no password is asked for'))
const answer = async () => PASSWORD
const thumbprintOf = (file: string) =>
  thumbprint(createPrivateKey(readFileSync(join(FOLDER, file))).export({ format: 'jwk' }) as never)

async function refused(work: Promise<unknown>, code: Code): Promise<string> {
  const error = await work.then(
    () => new Error('this should have been refused'),
    (thrown: unknown) => thrown,
  )
  if (!isKeyriteError(error)) throw error
  expect(error.code).toBe(code)
  return error.message
}

describe('a private key that another program made', () => {
  const READ: [string, Format, KeySpec, string, boolean][] = [
    ['rsa-pkcs8.pem', 'pem', 'RS256', 'rsa-pkcs8.pem', false],
    ['rsa-pkcs8.pem', 'pem', 'PS256', 'rsa-pkcs8.pem', false],
    ['rsa-pkcs1.pem', 'pem', 'RS256', 'rsa-pkcs8.pem', false],
    ['rsa-encrypted.pem', 'pem', 'RS256', 'rsa-pkcs8.pem', true],
    ['rsa-encrypted-pkcs1.pem', 'pem', 'RS256', 'rsa-pkcs8.pem', true],
    ['ec-pkcs8.pem', 'pem', 'ES256', 'ec-pkcs8.pem', false],
    ['ec-sec1.pem', 'pem', 'ES256', 'ec-pkcs8.pem', false],
    ['ed25519.pem', 'pem', 'Ed25519', 'ed25519.pem', false],
    ['rsa.jwk', 'jwk', 'RS256', 'rsa-pkcs8.pem', false],
    ['ec.jwk', 'jwk', 'ES256', 'ec-pkcs8.pem', false],
    ['ed25519.jwk', 'jwk', 'Ed25519', 'ed25519.pem', false],
    ['rsa-openssl3.pfx', 'pfx', 'RS256', 'rsa-pkcs8.pem', true],
    ['ec-openssl3.pfx', 'pfx', 'ES256', 'ec-pkcs8.pem', true],
    ['rsa-nocerts.pfx', 'pfx', 'RS256', 'rsa-pkcs8.pem', true],
  ]
  it.each(READ)('%s (%s, %s) is read; its id is the thumbprint, whatever the file calls it', async (...row) => {
    const [file, format, spec, same, secret] = row
    const { jwk, pkcs8 } = await read(file, format, spec, secret ? answer : never)
    expect(lintKey(spec, jwk)).toEqual([])
    expect(thumbprint(jwk)).toBe(thumbprintOf(same))
    const half = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' })
    expect(half.export({ format: 'jwk' })).toEqual(
      createPrivateKey(readFileSync(join(FOLDER, same))).export({ format: 'jwk' }),
    )
  })

  it.each(['rsa-encrypted.pem', 'rsa-encrypted-pkcs1.pem', 'rsa-openssl3.pfx', 'ec-openssl3.pfx'])(
    '%s: a wrong password is named as one, and never repeated',
    async (file) => {
      const format = file.endsWith('pfx') ? 'pfx' : 'pem'
      const spec = file.startsWith('ec') ? 'ES256' : 'RS256'
      const said = await refused(
        read(file, format, spec, async () => 'wrong 1234'),
        'passphrase-wrong',
      )
      expect(said).toContain(file)
      expect(said).not.toContain('wrong 1234')
    },
  )

  const REFUSED: [string, string, Format, KeySpec, Code, RegExp][] = [
    ['RC2 and 3DES of old Windows', 'rsa-legacy.pfx', 'pfx', 'RS256', 'format-invalid', /old cipher/],
    ['3DES around PKCS#8', 'rsa-encrypted-3des.pem', 'pem', 'RS256', 'format-invalid', /old cipher/],
    ['a password that costs hours', 'bomb-pbkdf2.pem', 'pem', 'RS256', 'format-invalid', /8000000 rounds/],
    ['a PFX that checks no password', 'rsa-nomac.pfx', 'pfx', 'RS256', 'format-invalid', /integrity/],
    ['two keys in one file', 'two-keys.pem', 'pem', 'RS256', 'format-invalid', /exactly|format pem/],
    ['a PEM called PFX', 'rsa-pkcs8.pem', 'pfx', 'RS256', 'format-invalid', /format/],
    ['a PFX called PEM', 'rsa-openssl3.pfx', 'pem', 'RS256', 'format-invalid', /format pem/],
    ['a PEM called JWK', 'rsa-pkcs8.pem', 'jwk', 'RS256', 'json-invalid', /./],
    ['a key of another kind', 'ec-pkcs8.pem', 'pem', 'RS256', 'key-refused', /type ec/],
    ['a key that is bound to PSS', 'rsa-pss-type.pem', 'pem', 'PS256', 'key-refused', /type rsa-pss/],
    ['a curve of another world', 'secp256k1.pem', 'pem', 'ES256', 'key-refused', /curve/],
    ['an EC key whose halves are of two keys', 'ec-mismatch.jwk', 'jwk', 'ES256', 'key-refused', /belong together/],
    ['an RSA key whose parts are of two keys', 'rsa-mismatch.jwk', 'jwk', 'RS256', 'key-refused', /belong together/],
  ]
  it.each(REFUSED)('%s is refused', async (_, file, format, spec, code, message) => {
    expect(await refused(read(file, format, spec, answer), code)).toMatch(message)
  })

  it.each([
    ['weak-1024.pem', 'RS256', 'modulus-size'],
    ['weak-e3.pem', 'RS256', 'exponent'],
    ['rsa-pkcs8.pem', 'RS256-3072', 'modulus-size'],
  ] as const)('%s as %s is read, for the linter to refuse it (%s)', async (file, spec, rule) => {
    const { jwk } = await read(file, 'pem', spec, never)
    expect(lintKey(spec, jwk).map((finding) => finding.rule)).toContain(rule)
  })

  it('a JWK says what it is for: another algorithm or use is refused', async () => {
    const jwk = JSON.parse(fromUtf8(bytes('rsa.jwk')))
    const given = (change: object) =>
      readKeyFile(utf8(JSON.stringify({ ...jwk, ...change })), { file: 'x', format: 'jwk', spec: 'RS256' }, never)
    await refused(given({ alg: 'PS256' }), 'key-refused')
    await refused(given({ use: 'enc' }), 'key-refused')
    await refused(given({ d: undefined }), 'format-invalid')
    expect((await given({ alg: 'RS256' })).jwk.kty).toBe('RSA')
  })

  it.each([0, 1, 100, 1000])('a file of %i random bytes is refused in every format', async (size) => {
    const noise = Uint8Array.from({ length: size }, (_, at) => (at * 167 + size) % 251)
    for (const format of ['pem', 'pfx', 'jwk'] as const) {
      const work = readKeyFile(noise, { file: 'noise', format, spec: 'RS256' }, answer)
      await expect(work).rejects.toMatchObject({ code: expect.stringMatching(/^(format|json)-invalid$/) })
    }
  })
})

describe('a private key for another program', () => {
  const key = async (file: string, spec: KeySpec) => {
    const made = await read(file, 'pem', spec, never)
    return { ...made, spec, alg: KEY_SPECS[spec].alg, kid: thumbprint(made.jwk) }
  }

  it.each([
    ['rsa-pkcs8.pem', 'RS256'],
    ['ec-pkcs8.pem', 'ES256'],
    ['ed25519.pem', 'Ed25519'],
  ] as const)('%s comes back from every form as it was', async (file, spec) => {
    const one = await key(file, spec)
    const same = createPrivateKey(readFileSync(join(FOLDER, file))).export({ format: 'jwk' })
    const pem = fromUtf8(await encodeKeys('pkcs8', [one], null))
    expect(createPrivateKey(pem).export({ format: 'jwk' })).toEqual(same)
    const { keys } = JSON.parse(fromUtf8(await encodeKeys('jwks', [one], null)))
    expect(keys).toEqual([{ ...same, use: 'sig', alg: spec, kid: one.kid }])
    const pfx = await encodeKeys('pfx', [one], PASSWORD)
    const back = await readKeyFile(pfx, { file: 'x.pfx', format: 'pfx', spec }, answer)
    expect(back.jwk).toEqual(one.jwk)
    await refused(
      readKeyFile(pfx, { file: 'x.pfx', format: 'pfx', spec }, async () => 'another'),
      'passphrase-wrong',
    )
  })

  it('a JWKS names an Ed25519 key as its tenant does', async () => {
    const one = { ...(await key('ed25519.pem', 'Ed25519')), alg: 'EdDSA' as const }
    const { keys } = JSON.parse(fromUtf8(await encodeKeys('jwks', [one], null)))
    expect(keys).toMatchObject([{ kty: 'OKP', alg: 'EdDSA', kid: one.kid }])
  })

  it('the same key twice gives two different PFX files: salts are fresh', async () => {
    const { pkcs8 } = await key('ec-pkcs8.pem', 'ES256')
    expect(await writePfx(pkcs8, PASSWORD)).not.toEqual(await writePfx(pkcs8, PASSWORD))
  })
})
