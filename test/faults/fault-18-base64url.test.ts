import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { base64url, CompactSign, compactVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { writeLines } from '../../electron/files/lines.ts'
import { fromBase64url, toBase64url, utf8 } from '../../shared/formats/bytes.ts'
import { canonicalText } from '../../shared/formats/json.ts'
import { openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import {
  codeOf,
  entryOf,
  makeHandoff,
  makeRuntime,
  makeTenant,
  makeVault,
  rawBundle,
  signSlots,
  stateOf,
} from '../issuer/fixtures.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Another spelling of the same bytes: one of the unused bits of the last character set (RFC 4648 section 3.5). */
function respell(text: string): string {
  const last = ALPHABET.indexOf(text.at(-1) ?? 'A')
  return `${text.slice(0, -1)}${ALPHABET[last ^ 1]}`
}

const SPELLINGS: [string, (text: string) => string][] = [
  ['non-zero trailing bits', respell],
  ['padding', (text) => `${text}${'='.repeat((4 - (text.length % 4)) % 4)}`],
  ['white space', (text) => `${text.slice(0, 5)} ${text.slice(5)}`],
  ['a line feed', (text) => `${text.slice(0, 5)}\n${text.slice(5)}`],
  ['a character too many', (text) => `${text}AAA`.slice(0, Math.ceil(text.length / 4) * 4 + 1)],
]

describe('fault 18, non-canonical base64url', () => {
  it('every byte string has exactly one spelling', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const text = toBase64url(bytes)
        expect(text).toBe(Buffer.from(bytes).toString('base64url'))
        expect([...fromBase64url(text)]).toEqual([...bytes])
        if (text.length % 4 !== 0) expect(() => fromBase64url(respell(text))).toThrow('canonical')
      }),
    )
  })

  it.each([['AB'], ['AAF'], ['A'], ['AA=='], ['AA+A'], ['AA/A'], ['A A'], ['AA\n'], ['ÄA']])(
    '%j is refused',
    (text) => {
      expect(() => fromBase64url(text)).toThrow('canonical')
    },
  )

  it('jose itself accepts other spellings of a signature, with trailing bits, padding and white space', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const jws = await new CompactSign(utf8('{}')).setProtectedHeader({ alg: 'ES256' }).sign(privateKey)
    await expect(compactVerify(respell(jws), publicKey)).resolves.toBeDefined()
    expect(base64url.decode('AB')).toEqual(base64url.decode('AA'))
  })

  it.each(SPELLINGS)('a trust anchor whose signature has %s is refused', async (_what, change) => {
    const { anchor } = await makeVault()
    const [header, payload, signature = ''] = anchor.jws.split('.')
    expect(await codeOf(() => openTrustAnchor(`${header}.${payload}.${change(signature)}`))).toBe('jose-refused')
  })

  it.each(SPELLINGS)('a bundle whose manifest has %s is refused, the runtime unchanged', async (_what, change) => {
    const vault = await makeVault()
    const { runtime, folder } = await makeRuntime(vault)
    const before = await stateOf(runtime)
    const good = await makeHandoff(vault, folder, [])
    const jws = readFileSync(good.bundle, 'utf8').trimEnd()
    const [header, payload, signature = ''] = jws.split('.')
    const path = `${folder}/respelled.keyrite`
    writeFileSync(path, `${header}.${payload}.${change(signature)}\n`)
    expect(['jose-refused', 'format-invalid']).toContain(await codeOf(() => runtime.importFiles([path])))
    expect(await stateOf(runtime)).toBe(before)
    writeLines(`${path}.good`, [jws])
    expect((await runtime.importFiles([`${path}.good`])).outcome).toBe('imported')
  })

  it('inside a bundle: a set, a public key or a kid in another spelling is refused', async () => {
    const vault = await makeVault()
    const line = await signSlots(vault, entryOf(makeTenant('acme')))
    const [slot] = line.slots
    const [key] = line.keys
    const text = canonicalText(line)
    const cases = [
      [text.replaceAll(slot?.set ?? '', respell(slot?.set ?? '')), 'jose-refused'],
      [text.replaceAll(key?.kid ?? '', respell(key?.kid ?? '')), 'format-invalid'],
      [canonicalText(line).replace(/"x":"([^"]+)"/, (_all, x) => `"x":"${respell(x)}"`), 'format-invalid'],
    ] as const
    for (const [spoiled, code] of cases) {
      const { runtime, folder } = await makeRuntime(vault)
      const before = await stateOf(runtime)
      const { bundle } = await rawBundle(vault, folder, [spoiled])
      expect(await codeOf(() => runtime.importFiles([bundle]))).toBe(code)
      expect(await stateOf(runtime)).toBe(before)
    }
  })
})
