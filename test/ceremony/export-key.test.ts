import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compactDecrypt, importJWK, importPKCS8 } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { confirmationFor } from '../../electron/ceremony/destroy.ts'
import { resumeCeremony } from '../../electron/ceremony/runner.ts'
import { readKeyFile } from '../../electron/keys/import.ts'
import { copiesOf } from '../../shared/domain/ledger.ts'
import { keysOf, type VaultState } from '../../shared/domain/state.ts'
import type { Code } from '../../shared/errors.ts'
import { digest, fromUtf8 } from '../../shared/formats/bytes.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import { parsePlan } from '../../shared/formats/plan.ts'
import { failure, filesOf, type Genesis, makeGenesis, type Room, type RunOptions, tenantPlan } from './fixtures.ts'

const DAY = 86_400
const PASSWORD = 'export canary 8112'

/** Whoever runs the existing issuer: knows nothing of Keyrite but the file. */
const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const secretJwk = pair.privateKey.export({ format: 'jwk' })
const publicJwk = pair.publicKey.export({ format: 'jwk' })
const FINGERPRINT = thumbprint(publicJwk as never)

let genesis: Genesis
let ready: Room
let kids: string[]
beforeAll(async () => {
  genesis = await makeGenesis()
  ready = genesis.room()
  const { state } = await ready.onboard(tenantPlan('acme'), tenantPlan('globex', { specs: ['RS256'] }))
  kids = ['acme', 'globex'].flatMap((tenant) => keysOf(state, tenant)[0]?.kid ?? [])
  writeFileSync(join(ready.media, 'recipient.json'), JSON.stringify(publicJwk))
})
afterAll(() => genesis.remove())

const room = () => ready.copy(genesis.folder())
const plan = (change: object = {}) => ({
  kind: 'export-key',
  keys: [kids[0]],
  format: 'pkcs8',
  recipient: 'recipient.json',
  fingerprint: FINGERPRINT,
  holder: 'Operators of the login issuer',
  reason: 'User logins stay there',
  ...change,
})
const typing: RunOptions = {
  ports: (ports) => ({ ...ports, desk: { ...ports.desk, secret: async () => PASSWORD } }),
}
const exportsIn = (at: Room) => filesOf(at.media).filter((name) => name.startsWith('export-'))
const fileOf = (at: Room) => readFileSync(join(at.media, exportsIn(at)[0] ?? ''), 'utf8')

/** Opens an export as its recipient would, with the jose library alone. */
async function open(jwe: string): Promise<{ header: Record<string, unknown>; content: string; bytes: Uint8Array }> {
  const { plaintext, protectedHeader } = await compactDecrypt(jwe, await importJWK(secretJwk, 'ECDH-ES'))
  return { header: { ...protectedHeader }, content: Buffer.from(plaintext).toString('latin1'), bytes: plaintext }
}
const publicOf = (state: VaultState, kid: string | undefined) => state.keys.get(kid ?? '')?.jwk

describe('export-key', () => {
  it('PKCS#8: one JWE that the recipient opens with a library it has; the key is the one of the vault', async () => {
    const at = room()
    const { result, state } = await at.run(plan())
    expect(result.ceremony).toMatch(/^X-/)
    expect(result.steps.map(({ step }) => step)).toEqual([
      'check-machine',
      'check-plan',
      'compare-recipient',
      'export-keys',
    ])
    const { header, content } = await open(fileOf(at))
    expect(header).toMatchObject({
      alg: 'ECDH-ES',
      enc: 'A256GCM',
      typ: 'keyrite-practice-export',
      kid: FINGERPRINT,
      vault: state.vaultId,
      export: '1',
      format: 'pkcs8',
    })
    await importPKCS8(content, 'ES256')
    expect(createPublicKey(content).export({ format: 'jwk' })).toEqual(publicOf(state, kids[0]))
    expect(await at.verify()).toMatchObject({ tail: null })
  })

  it('a private JWK Set of several keys, each with its kid and algorithm', async () => {
    const at = room()
    const { state } = await at.run(plan({ keys: kids, format: 'jwks' }))
    const { keys } = JSON.parse((await open(fileOf(at))).content)
    expect(keys.map((key: { kid: string; alg: string; use: string }) => [key.kid, key.alg, key.use])).toEqual([
      [kids[0], 'ES256', 'sig'],
      [kids[1], 'RS256', 'sig'],
    ])
    for (const jwk of keys)
      expect(createPublicKey(createPrivateKey({ key: jwk, format: 'jwk' })).export({ format: 'jwk' })).toEqual(
        publicOf(state, jwk.kid),
      )
  })

  it('PFX, under a password that only the recipient and whoever typed it know', async () => {
    const at = room()
    const { state } = await at.run(plan({ keys: [kids[1]], format: 'pfx' }), typing)
    const { bytes } = await open(fileOf(at))
    const read = await readKeyFile(bytes, { file: 'x', format: 'pfx', spec: 'RS256' }, async () => PASSWORD)
    expect(read.jwk).toEqual(publicOf(state, kids[1]))
    const { plan: _, ...ceremony } = [...state.ceremonies.values()].at(-1) ?? { plan: '' }
    expect(JSON.stringify(ceremony)).not.toContain(PASSWORD)
  })

  it('a PFX without a password to give stops before anything is intended', async () => {
    const at = room()
    const error = await failure(at.run(plan({ format: 'pfx' })))
    expect(error.code).toBe('passphrase-missing')
    expect((await at.state()).exports).toEqual([])
    expect(exportsIn(at)).toEqual([])
  })

  it('stays in the copy ledger for ever, and closes only by the word of its holder', async () => {
    const at = room()
    const [kid = ''] = kids
    const { state } = await at.run(plan())
    const key = state.keys.get(kid)
    if (!key) throw new Error('no key')
    expect(key.exported).toEqual([1])
    expect(state.exports).toMatchObject([
      { number: 1, kids: [kid], recipient: FINGERPRINT, file: { name: exportsIn(at)[0], digest: digest(fileOf(at)) } },
    ])
    const copy = () => copiesOf(state, key).find(({ id }) => id === 'export:1')
    expect(copy()).toMatchObject({ status: 'open', holder: 'Operators of the login issuer' })
    at.clock.advance(120 * DAY)
    const said = { copy: 'export:1', by: 'grace', statement: 'The login issuer forgot it.' }
    const destroy = { kind: 'destroy', keys: [kid], reason: 'Retired', attestations: [said] }
    const after = (await at.run(destroy, { confirm: [confirmationFor([kid])] })).state
    expect(copiesOf(after, after.keys.get(kid) ?? key).find(({ id }) => id === 'export:1')?.status).toBe('attested')
    expect(after.keys.get(kid)?.exported).toEqual([1])
  })

  it('the fingerprint is compared by voice against the plan: a mismatch exports nothing', async () => {
    const at = room()
    await at.refused(plan({ fingerprint: digest('misheard') }), 'comparison-failed')
    const work = at.run(plan(), {
      ports: (ports) => ({
        ...ports,
        desk: { ...ports.desk, compare: () => Promise.reject(Object.assign(new Error('no'), {})) },
      }),
    })
    await expect(work).rejects.toThrow()
    expect((await at.state()).exports).toEqual([])
    expect(exportsIn(at)).toEqual([])
  })

  const RECIPIENTS: [string, unknown, Code][] = [
    ['a private key', secretJwk, 'format-invalid'],
    [
      'another curve',
      generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' }),
      'format-invalid',
    ],
    ['a key for signatures', { ...publicJwk, use: 'sig' }, 'format-invalid'],
    ['two keys', { keys: [publicJwk, publicJwk] }, 'format-invalid'],
    ['a point off the curve', { ...publicJwk, x: publicJwk.y, y: publicJwk.x }, 'key-refused'],
  ]
  it.each(RECIPIENTS)('a recipient file that holds %s is refused, and everything stays', async (_, content, code) => {
    const at = room()
    writeFileSync(join(at.media, 'recipient.json'), JSON.stringify(content))
    await at.refused(plan(), code)
  })

  it('a JWK Set with the one key of the recipient will do', async () => {
    const at = room()
    writeFileSync(join(at.media, 'recipient.json'), JSON.stringify({ keys: [{ ...publicJwk, kid: 'x', use: 'enc' }] }))
    await at.run(plan())
    expect((await open(fileOf(at))).header['kid']).toBe(FINGERPRINT)
  })

  it('compromised and destroyed keys, unknown ones, and two in one PEM are refused', async () => {
    const at = room()
    await at.refused(plan({ keys: kids }), 'plan-invalid')
    await at.refused(plan({ keys: [kids[0], kids[0]], format: 'jwks' }), 'plan-invalid')
    await at.refused(plan({ keys: [digest('nothing')] }), 'key-unknown')
    await at.run({ kind: 'emergency', scope: { key: kids[0] }, reason: 'stolen' })
    await at.refused(plan(), 'ceremony-conflict')
    await at.run(
      { kind: 'destroy', keys: [kids[0]], reason: 'stolen' },
      { confirm: [confirmationFor([kids[0] ?? ''])] },
    )
    await at.refused(plan(), 'ceremony-conflict')
  })

  it('intent first: an interrupted export is an open copy, and resuming takes its file back and makes one', async () => {
    const at = room()
    const stopped = new Error('power cut')
    const work = at.run(plan(), {
      ports: (ports) => ({
        ...ports,
        media: {
          ...ports.media,
          writeExport: async (...all) => {
            await ports.media.writeExport(...all)
            throw stopped
          },
        },
      }),
    })
    await expect(work).rejects.toBe(stopped)
    const [torn = ''] = exportsIn(at)
    const [kid = ''] = kids
    const before = await at.state()
    expect(before.exports).toMatchObject([{ number: 1, file: null }])
    const key = before.keys.get(kid)
    expect(key && copiesOf(before, key).find(({ id }) => id === 'export:1')).toMatchObject({
      status: 'open',
      evidence: 'Interrupted: its file may have been written',
    })
    copyFileSync(join(at.media, torn), join(at.media, 'kept'))
    await at.withVault((vault) =>
      resumeCeremony(at.ports(), vault, parsePlan, { confirm: [], acceptTail: true } as never),
    )
    expect(existsSync(join(at.media, torn)) && exportsIn(at).length > 1).toBe(false)
    const after = await at.state()
    expect(after.exports).toHaveLength(1)
    expect(after.exports[0]?.file?.name).toBe(exportsIn(at)[0])
    expect((await open(fileOf(at))).header['export']).toBe('1')
  })

  it('no export opens for anybody else, and none shows a private half', async () => {
    const at = room()
    await at.run(plan({ keys: kids, format: 'jwks' }))
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
    await expect(compactDecrypt(fileOf(at), await importJWK(other, 'ECDH-ES'))).rejects.toThrow()
    const { content } = await open(fileOf(at))
    const { d } = JSON.parse(content).keys[0]
    for (const name of filesOf(at.base)) expect(fromSafe(join(at.base, name))).not.toContain(d)
  })
})

const fromSafe = (path: string): string => {
  try {
    return fromUtf8(new Uint8Array(readFileSync(path)))
  } catch {
    return readFileSync(path).toString('latin1')
  }
}
