import { generatePrimeSync } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Vault } from '../../electron/vault/vault.ts'
import type { PublicJwk } from '../../shared/domain/algorithms.ts'
import { addKey, CREATED, checkpoint, makePractice, PASSPHRASES, type Practice } from '../vault/practice.ts'
import { keyrite } from './run.ts'

let practice: Practice
let folder: string
let kids: string[]

const prime = (): bigint => {
  const found = generatePrimeSync(1024, { bigint: true })
  return found >> 1022n === 3n ? found : prime()
}
const rsa = (n: bigint): PublicJwk => ({
  kty: 'RSA',
  n: Buffer.from(n.toString(16), 'hex').toString('base64url'),
  e: 'AQAB',
})

/** A practice vault into which two keys with a common prime were written, past every check at generation. */
beforeAll(async () => {
  practice = await makePractice()
  folder = practice.copy()
  const vault = await Vault.openFor(folder, practice.present)
  const [p, q, r] = [prime(), prime(), prime()]
  kids = []
  for (const n of [p * q, q * r])
    kids.push(await addKey(vault, 'RS256', { jwk: rsa(n), secret: new Uint8Array(100) }, CREATED + 600))
  await checkpoint(vault, CREATED + 700)
  vault.close()
})
afterAll(() => practice.remove())

it('key audit: exit 3, naming every key that shares a factor; one passphrase of anybody is enough', async () => {
  const passphrases = join(dirname(folder), 'passphrases')
  mkdirSync(passphrases)
  writeFileSync(join(passphrases, 'emmy'), PASSPHRASES.get('emmy') ?? '', { mode: 0o600 })
  const where = ['--vault', folder, '--passphrases', passphrases]
  const ran = await keyrite(['key', 'audit', ...where, '--json'])
  expect(ran.status).toBe(3)
  const { ok, data } = JSON.parse(ran.stdout)
  expect([ok, data.keys]).toEqual([false, 4])
  const sharing = data.findings.filter((one: { findings: string[] }) => /shares a prime/.test(one.findings.join(' ')))
  expect(sharing.map((one: { kid: string }) => one.kid).filter((kid: string) => kids.includes(kid))).toEqual(kids)
  const words = await keyrite(['key', 'audit', ...where])
  expect([words.status, words.stderr]).toEqual([3, ''])
  for (const kid of kids) expect(words.stdout).toContain(kid)
})
