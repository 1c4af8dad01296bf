import { generateKeyPairSync } from 'node:crypto'
import { CompactEncrypt, importJWK } from 'jose'
import { describe, expect, it } from 'vitest'
import { isKeyriteError } from '../../shared/errors.ts'
import { utf8 } from '../../shared/formats/bytes.ts'
import { looksLikeExport, openExport, readExportHeader, sealExport } from '../../shared/formats/exported-key.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import type { P256Jwk } from '../../shared/formats/jws.ts'

/** One JWE profile: exact header members, one algorithm, bound to vault, number and format. */

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwk = pair.publicKey.export({ format: 'jwk' }) as P256Jwk
const recipient = thumbprint(jwk)
const NAME = {
  vaultId: '5f0c6a0e-8e4e-4b1e-9d38-0a3a2f9b7c11',
  number: 3,
  format: 'jwks' as const,
  practice: false,
}
const key = async () => (await importJWK(pair.privateKey.export({ format: 'jwk' }), 'ECDH-ES')) as CryptoKey
const HEADER = {
  alg: 'ECDH-ES',
  enc: 'A256GCM',
  typ: 'keyrite-export',
  kid: recipient,
  vault: NAME.vaultId,
  export: '3',
  format: 'jwks',
}
const made = async (header: Record<string, unknown>) =>
  new CompactEncrypt(utf8('secret'))
    .setProtectedHeader({ ...HEADER, ...header } as never)
    .encrypt(await importJWK({ ...jwk }, 'ECDH-ES'))

async function code(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'none',
    (error: unknown) => {
      if (isKeyriteError(error)) return error.code
      throw error
    },
  )
}

describe('an exported key', () => {
  it('says what it is, and opens for its recipient', async () => {
    const jwe = await sealExport(utf8('secret'), jwk, NAME)
    expect(readExportHeader(jwe)).toEqual({ ...NAME, recipient })
    expect(Buffer.from(await openExport(jwe, recipient, await key())).toString()).toBe('secret')
    expect(looksLikeExport(jwe.slice(0, 900))).toBe(true)
    expect(looksLikeExport('{"record":1}')).toBe(false)
  })

  it('practice stands in its type', async () => {
    expect(readExportHeader(await sealExport(utf8('x'), jwk, { ...NAME, practice: true })).practice).toBe(true)
  })

  const STRICT: [string, Record<string, unknown>, string][] = [
    ['another content encryption', { enc: 'A128GCM' }, 'jose-refused'],
    ['a member too many', { x: 1 }, 'jose-refused'],
    ['a JWK of the sender', { jwk: { ...jwk } }, 'jose-refused'],
    ['a member too few', { format: undefined }, 'jose-refused'],
    ['another type', { typ: 'keyrite-key' }, 'jose-refused'],
    ['a number that is none', { export: '03' }, 'jose-refused'],
    ['another recipient', { kid: thumbprint({ ...jwk, x: jwk.y }) }, 'decryption-failed'],
  ]
  it.each(STRICT)('%s is refused', async (_, header, expected) => {
    expect(await code(openExport(await made(header), recipient, await key()))).toBe(expected)
  })

  it('every byte counts: changed anywhere, it does not open', async () => {
    const jwe = await sealExport(utf8('secret'), jwk, NAME)
    const opener = await key()
    for (let at = 0; at < jwe.length; at += 7) {
      const other = jwe[at] === 'A' ? 'B' : 'A'
      const torn = `${jwe.slice(0, at)}${other}${jwe.slice(at + 1)}`
      expect(await code(openExport(torn, recipient, opener)), `at ${at}`).not.toBe('none')
    }
    for (const length of [0, 1, 100, jwe.length - 1])
      expect(await code(openExport(jwe.slice(0, length), recipient, opener))).not.toBe('none')
  })
})
