import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CompactEncrypt, compactDecrypt, importJWK } from 'jose'
import { describe, expect, it } from 'vitest'
import { writeLines } from '../../electron/files/lines.ts'
import { readEnrollment } from '../../electron/handoff/statements.ts'
import { fromUtf8, toBase64url, utf8 } from '../../shared/formats/bytes.ts'
import { openEnrollment } from '../../shared/formats/enrollment.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import { canonicalBytes, canonicalText } from '../../shared/formats/json.ts'
import { materialTyp } from '../../shared/formats/material.ts'
import { openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import {
  codeOf,
  entryOf,
  makeHandoff,
  makeRoot,
  makeRuntime,
  makeTenant,
  makeVault,
  manifestAfter,
  rawBundle,
  rawMaterial,
  signRaw,
  signSlots,
  stateOf,
  type TestVault,
} from '../issuer/fixtures.ts'

/** What an attacker makes of a good statement of the root. `statement` is its three parts. */
type Attack = (good: { jws: string; vault: TestVault }) => Promise<string> | string

const parts = (jws: string) => {
  const [header = '', payload = '', signature = ''] = jws.split('.')
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString())
  return { header, payload, signature, headerObject: read(header), claims: read(payload) }
}
const encode = (value: object) => toBase64url(utf8(JSON.stringify(value)))
const resigned = (jws: string, vault: TestVault, header: object) =>
  signRaw({ ...parts(jws).headerObject, ...header }, parts(jws).claims, vault.root.key)
const extra =
  (header: object): Attack =>
  ({ jws, vault }) =>
    resigned(jws, vault, header)

const ATTACKS: [string, Attack, string][] = [
  ['the signature stripped', ({ jws }) => jws.replace(/[^.]*$/, ''), 'signature-invalid'],
  ['only header and payload', ({ jws }) => jws.split('.').slice(0, 2).join('.'), 'jose-refused'],
  [
    'alg none, unsigned',
    ({ jws }) => `${encode({ ...parts(jws).headerObject, alg: 'none' })}.${parts(jws).payload}.`,
    'jose-refused',
  ],
  [
    'alg None',
    ({ jws }) => `${encode({ ...parts(jws).headerObject, alg: 'None' })}.${parts(jws).payload}.`,
    'jose-refused',
  ],
  [
    'the signature of another statement',
    ({ jws, vault }) => `${jws.replace(/[^.]*$/, '')}${vault.checkpoint.split('.')[2]}`,
    'signature-invalid',
  ],
  [
    'an edited payload',
    ({ jws }) => {
      const { header, claims, signature } = parts(jws)
      return `${header}.${encode({ ...claims, iat: claims.iat + 1 })}.${signature}`
    },
    'signature-invalid',
  ],
  [
    'a forged signature under the same kid',
    async ({ jws }) => signRaw(parts(jws).headerObject, parts(jws).claims, (await makeRoot()).root.key),
    'signature-invalid',
  ],
  ['another kid', extra({ kid: 'root' }), 'signature-invalid'],
  [
    'HS256 with the public key as secret',
    ({ jws, vault }) => {
      const input = `${encode({ ...parts(jws).headerObject, alg: 'HS256' })}.${parts(jws).payload}`
      return `${input}.${createHmac('sha256', canonicalBytes(vault.key.jwk)).update(input).digest('base64url')}`
    },
    'jose-refused',
  ],
  ['ES384 in the header (curve mismatch)', extra({ alg: 'ES384' }), 'jose-refused'],
  [
    'a P-384 signature under ES256 (curve mismatch)',
    ({ jws }) => {
      const { header, payload } = parts(jws)
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
      return `${header}.${payload}.${sign('sha256', Buffer.from(`${header}.${payload}`), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
    },
    'signature-invalid',
  ],
  ['RS256 in the header', extra({ alg: 'RS256' }), 'jose-refused'],
  ['Ed25519 in the header', extra({ alg: 'Ed25519' }), 'jose-refused'],
  [
    'a DER signature',
    ({ jws }) => `${jws.replace(/[^.]*$/, '')}${Buffer.from('3006020101020101', 'hex').toString('base64url')}`,
    'signature-invalid',
  ],
  [
    'a signature of zeros (CVE-2022-21449)',
    ({ jws }) => `${jws.replace(/[^.]*$/, '')}${Buffer.alloc(64).toString('base64url')}`,
    'signature-invalid',
  ],
  ['an embedded jwk', extra({ jwk: { kty: 'EC' } }), 'jose-refused'],
  ['a jku', extra({ jku: 'https://evil.example.com/jwks' }), 'jose-refused'],
  ['an x5u', extra({ x5u: 'https://evil.example.com/cert' }), 'jose-refused'],
  ['an x5c', extra({ x5c: ['AAAA'] }), 'jose-refused'],
  ['an unknown crit', extra({ crit: ['exp'], exp: 1 }), 'jose-refused'],
  ['an empty crit', extra({ crit: [] }), 'jose-refused'],
  ['b64 false (RFC 7797)', extra({ b64: false, crit: ['b64'] }), 'jose-refused'],
  ['zip', extra({ zip: 'DEF' }), 'jose-refused'],
  ['a member too many', extra({ cty: 'JWT' }), 'jose-refused'],
  ['another typ', extra({ typ: 'JWT' }), 'jose-refused'],
  ['no typ', extra({ typ: undefined }), 'jose-refused'],
  [
    'a header with duplicate members',
    async ({ jws, vault }) => {
      const { payload } = parts(jws)
      const header = toBase64url(
        utf8(`{"alg":"none","alg":"ES256","kid":"${vault.key.kid}","typ":"${parts(jws).headerObject.typ}"}`),
      )
      const signature = await crypto.subtle.sign(
        { name: 'ECDSA', hash: 'SHA-256' },
        vault.root.key,
        utf8(`${header}.${payload}`),
      )
      return `${header}.${payload}.${toBase64url(new Uint8Array(signature))}`
    },
    'jose-refused',
  ],
  [
    'JSON serialisation',
    ({ jws }) => {
      const { header, payload, signature } = parts(jws)
      return canonicalText({ payload, signatures: [{ protected: header, signature }] })
    },
    'jose-refused',
  ],
  [
    'flattened JSON with an unprotected header',
    ({ jws }) => {
      const { header, payload, signature } = parts(jws)
      return canonicalText({ payload, protected: header, header: { kid: 'x' }, signature })
    },
    'jose-refused',
  ],
]

describe('fault 13, statements that are not what the root signed', () => {
  it.each(ATTACKS)('a bundle manifest with %s: nothing is imported', async (_what, attack, code) => {
    const vault = await makeVault()
    const { runtime, folder } = await makeRuntime(vault)
    const { anchor } = vault
    const before = await stateOf(runtime)
    const good = await signRaw(
      { alg: 'ES256', kid: anchor.key.kid, typ: 'keyrite-bundle' },
      { ...manifestAfter(vault, null), tenants: 0, merkleRoot: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU' },
      vault.root.key,
    )
    const path = join(folder, 'attacked.keyrite')
    writeLines(path, [await attack({ jws: good, vault })])
    const got = await codeOf(() => runtime.importFiles([path]))
    // What does not even claim to be a bundle is refused one step earlier.
    expect([code, 'format-invalid', 'jose-refused']).toContain(got)
    if (code === 'signature-invalid') expect(got).toBe(code)
    expect(await stateOf(runtime)).toBe(before)
    writeLines(`${path}.good`, [good])
    expect((await runtime.importFiles([`${path}.good`])).outcome).toBe('imported')
  })

  it.each(ATTACKS)(
    'a slot set with %s inside a bundle of the real root: nothing is imported',
    async (_what, attack, code) => {
      const vault = await makeVault()
      const { runtime, folder } = await makeRuntime(vault)
      const before = await stateOf(runtime)
      const line = await signSlots(vault, entryOf(makeTenant('acme')))
      const [slot] = line.slots
      if (slot) slot.set = await attack({ jws: slot.set, vault })
      const { bundle } = await rawBundle(vault, folder, [canonicalText(line)])
      const got = await codeOf(() => runtime.importFiles([bundle]))
      expect([code, 'format-invalid']).toContain(got)
      expect(await stateOf(runtime)).toBe(before)
    },
  )

  it.each(ATTACKS)('a trust anchor with %s is not opened', async (what, attack, code) => {
    const vault = await makeVault()
    const got = await codeOf(async () => openTrustAnchor(await attack({ jws: vault.anchor.jws, vault })))
    expect(got).toBe(what === 'another kid' ? 'signature-invalid' : code)
  })

  it('an enrollment must be signed by the key that it names, and stand alone in its file', async () => {
    const { folder, enrollment } = await makeRuntime(await makeVault())
    const { fingerprint: _, receiptSigner: __, ...claims } = enrollment
    const other = generateKeyPairSync('ed25519').privateKey
    const header = { alg: 'Ed25519', kid: thumbprint(claims.receiptKey), typ: 'keyrite-enrollment' }
    const input = `${encode(header)}.${toBase64url(canonicalBytes(claims))}`
    const forged = `${input}.${sign(null, Buffer.from(input), other).toString('base64url')}`
    expect(await codeOf(() => openEnrollment(forged))).toBe('signature-invalid')
    for (const content of [forged, `${forged}\n\n`, ` ${forged}\n`, `\ufeff${forged}\n`, `${forged}\r\n`, '']) {
      const path = join(folder, `enrollment-${content.length}`)
      writeFileSync(path, content)
      expect(await codeOf(() => readEnrollment(path))).toBe('format-invalid')
    }
  })

  it.each([
    ['zip', { zip: 'DEF' }],
    ['a member too many', { cty: 'JWT' }],
    ['an unknown crit', { crit: ['exp'], exp: 1 }],
    ['apu', { apu: 'QQ' }],
  ])('a sealed key with %s is not opened, although jose would', async (what, header) => {
    const vault = await makeVault()
    const { runtime, folder, transportKey } = await makeRuntime(vault)
    const tenant = makeTenant('acme')
    const handoff = await makeHandoff(vault, folder, [tenant])
    const [[kid, pkcs8] = ['', new Uint8Array()]] = [...tenant.secrets]
    const recipient = await importJWK({ ...transportKey }, 'ECDH-ES')
    const named = {
      typ: materialTyp(false),
      kid: thumbprint(transportKey),
      tenant: 'acme',
      key: kid,
      runtime: 'eu-one',
      number: '1',
    }
    const encrypted = new CompactEncrypt(pkcs8).setProtectedHeader({
      alg: 'ECDH-ES',
      enc: 'A256GCM',
      ...named,
      ...header,
    } as never)
    const jwe = await encrypted.encrypt(recipient, { crit: { exp: true } })
    const material = await rawMaterial(vault, folder, handoff, transportKey, [jwe])
    const before = await stateOf(runtime)
    expect(await codeOf(() => runtime.importFiles([handoff.bundle, material])), what).toBe('jose-refused')
    expect(await stateOf(runtime)).toBe(before)
  })

  it('jose itself opens a JWE with zip and with a member that nobody expects', async () => {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const jwe = await new CompactEncrypt(utf8('secret'))
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', zip: 'DEF', surprise: 'yes' })
      .encrypt(pair.publicKey)
    expect(fromUtf8((await compactDecrypt(jwe, pair.privateKey)).plaintext)).toBe('secret')
  })
})
