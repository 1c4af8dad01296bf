import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compactVerify, createLocalJWKSet, type JSONWebKeySet } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { confirmationFor } from '../../electron/ceremony/destroy.ts'
import { verifyFiles } from '../../electron/evidence/verify.ts'
import type { TenantService } from '../../electron/issuer/service.ts'
import type { Algorithm } from '../../shared/domain/algorithms.ts'
import { copiesOf } from '../../shared/domain/ledger.ts'
import { keysOf, type VaultKey } from '../../shared/domain/state.ts'
import type { Code } from '../../shared/errors.ts'
import { parseRecord } from '../../shared/formats/record.ts'
import { failure, filesOf, type Genesis, makeGenesis, type Room, type RunOptions, tenantPlan } from './fixtures.ts'

const DAY = 86_400
const HOUR = 3600
const VECTORS = join(import.meta.dirname, '../vectors/import')
const PASSWORD = 'import canary 4471'
const STATEMENT = 'Made in 2019 on the machine of the old issuer; its administrators can read it.'

let genesis: Genesis
beforeAll(async () => {
  genesis = await makeGenesis()
})
afterAll(() => genesis.remove())

type File = { file: string; format: string; spec: string }

/** A room with key files on its medium. */
function room(...files: string[]): Room {
  const made = genesis.room()
  mkdirSync(made.media, { recursive: true })
  for (const file of files) copyFileSync(join(VECTORS, file), join(made.media, file))
  return made
}

const plan = (keys: File[], tenant: object = {}, more: object = {}) => ({
  kind: 'import-key',
  tenant: { ...tenantPlan('legacy', { specs: ['RS256'] }), ...tenant },
  keys,
  statement: STATEMENT,
  ...more,
})
const RSA: File = { file: 'rsa-pkcs8.pem', format: 'pem', spec: 'RS256' }
const EC: File = { file: 'ec-pkcs8.pem', format: 'pem', spec: 'ES256' }

/** Somebody types the password of every file. */
const typing = (password = PASSWORD): RunOptions & { asked: string[] } => {
  const asked: string[] = []
  return {
    asked,
    ports: (ports) => ({
      ...ports,
      desk: {
        ...ports.desk,
        secret: async (what) => {
          asked.push(what)
          return password
        },
      },
    }),
  }
}

const importedOf = (keys: readonly VaultKey[]) => keys.filter((key) => key.imported)

describe('import-key', () => {
  it('onboards a tenant whose first key is the imported one; generated keys follow it; it is marked for ever', async () => {
    const at = room(RSA.file)
    const { result, state } = await at.run(plan([RSA]))
    expect(result.steps.map(({ step }) => step)).toEqual(['check-machine', 'read-keys', 'take-keys'])
    expect(result.ceremony).toMatch(/^M-/)
    const keys = keysOf(state, 'legacy')
    expect(keys.map((key) => key.times.propagation)).toEqual(['none (imported key)', 'full', 'full'])
    const [first, next] = keys
    expect(first).toMatchObject({
      generator: null,
      imported: { file: RSA.file, format: 'pem', statement: STATEMENT },
      label: expect.stringMatching(/-imported$/),
    })
    expect(next).toMatchObject({ imported: null, generator: { process: 'fresh' } })
    expect(next?.times.signFrom).toBe(first?.times.signUntil)
    for (const { observed } of result.steps.slice(1)) expect(observed).toContain('imported: independence not attested')
    expect(await at.verify()).toMatchObject({ tail: null })
  })

  it('it gets no certificate where the policy asks for them: those are made with keys; the keys after it have one', async () => {
    const at = room(RSA.file)
    const { state } = await at.run(plan([RSA], { policy: { x509: true } }))
    expect(keysOf(state, 'legacy').map(({ x5c }) => x5c !== undefined)).toEqual([false, true, true])
    expect(await at.verify()).toMatchObject({ tail: null })
  })

  it('its origin is an open copy until somebody attests its end', async () => {
    const at = room(RSA.file)
    const { state } = await at.run(plan([RSA]))
    const [key] = importedOf(keysOf(state, 'legacy'))
    if (!key) throw new Error('nothing was imported')
    expect(copiesOf(state, key).find((copy) => copy.id === `origin:${key.kid}`)).toMatchObject({
      status: 'open',
      what: expect.stringContaining(RSA.file),
    })
    at.clock.advance(200 * DAY)
    const said = { copy: `origin:${key.kid}`, by: 'grace', statement: 'The old issuer is wiped.' }
    const destroy = { kind: 'destroy', keys: [key.kid], reason: 'Retired', attestations: [said] }
    const after = await at.run(destroy, { confirm: [confirmationFor([key.kid])] })
    const ended = after.state.keys.get(key.kid)
    expect(copiesOf(after.state, ended ?? key).find((copy) => copy.id.startsWith('origin:'))?.status).toBe('attested')
  })

  it('the record verifies from public keys alone and says what was imported', async () => {
    const at = room(RSA.file)
    const { result } = await at.run(plan([RSA]))
    const { files } = await verifyFiles(
      [result.recordFolder],
      join(at.media, filesOf(at.media).find((name) => name.startsWith('trust-anchor-')) ?? ''),
      at.clock.now(),
    )
    expect(files.filter(({ ok }) => !ok)).toEqual([])
    const { record } = parseRecord(readFileSync(join(result.recordFolder, 'record.json')))
    expect(record.steps.at(-1)?.observed).toContain(STATEMENT)
  })

  it('takes one key for each algorithm, from any format; an algorithm without one is announced before it signs', async () => {
    const files = ['rsa-openssl3.pfx', 'ec.jwk']
    const at = room(...files)
    const asked = typing()
    const { state } = await at.run(
      plan(
        [
          { file: 'rsa-openssl3.pfx', format: 'pfx', spec: 'RS256' },
          { file: 'ec.jwk', format: 'jwk', spec: 'ES256' },
        ],
        { policy: { signingAlgorithms: ['RS256-3072', 'ES256', 'Ed25519'] } },
      ),
      asked,
    )
    expect(asked.asked).toEqual(['password of rsa-openssl3.pfx'])
    const keys = keysOf(state, 'legacy')
    expect(importedOf(keys).map((key) => key.spec)).toEqual(['RS256', 'ES256'])
    expect(keys.filter((key) => key.spec === 'RS256-3072')).toHaveLength(2)
    const [announced] = keys.filter((key) => key.spec === 'Ed25519')
    expect(announced?.times).toMatchObject({ propagation: 'full' })
    expect((announced?.times.signFrom ?? 0) - (announced?.times.announceAt ?? 0)).toBe(14 * DAY)
  })

  it('signFor lets a static key go sooner than a key made here', async () => {
    const at = room(RSA.file)
    const { state } = await at.run(plan([RSA], {}, { signFor: '20d' }))
    const [first] = importedOf(keysOf(state, 'legacy'))
    expect((first?.times.signUntil ?? 0) - (first?.times.signFrom ?? 0)).toBe(20 * DAY)
  })

  const REFUSED: [string, string[], object, Code][] = [
    ['a weak modulus', ['weak-1024.pem'], plan([{ ...RSA, file: 'weak-1024.pem' }]), 'key-refused'],
    ['a weak exponent', ['weak-e3.pem'], plan([{ ...RSA, file: 'weak-e3.pem' }]), 'key-refused'],
    ['another kind of key', ['ec-pkcs8.pem'], plan([{ ...RSA, file: 'ec-pkcs8.pem' }]), 'key-refused'],
    [
      'halves of two keys',
      ['rsa-mismatch.jwk'],
      plan([{ ...RSA, file: 'rsa-mismatch.jwk', format: 'jwk' }]),
      'key-refused',
    ],
    ['an old cipher', ['rsa-legacy.pfx'], plan([{ ...RSA, file: 'rsa-legacy.pfx', format: 'pfx' }]), 'format-invalid'],
    ['a file that is missing', [], plan([RSA]), 'file-missing'],
    [
      'one key for two algorithms',
      [RSA.file],
      plan([RSA, { ...RSA, spec: 'PS256' }], { policy: { signingAlgorithms: ['RS256', 'PS256'] } }),
      'key-refused',
    ],
    ['two keys for one algorithm', [RSA.file], plan([RSA, RSA]), 'plan-invalid'],
    [
      'a key for no algorithm of the tenant',
      [RSA.file],
      plan([RSA], { policy: { signingAlgorithms: ['ES256'] } }),
      'plan-invalid',
    ],
    [
      'a first algorithm that nobody could sign with',
      [RSA.file],
      plan([RSA], { policy: { signingAlgorithms: ['ES256', 'RS256'] } }),
      'plan-invalid',
    ],
    ['less signing than a successor needs', [RSA.file], plan([RSA], {}, { signFor: '13d' }), 'plan-invalid'],
    ['more signing than a key made here', [RSA.file], plan([RSA], {}, { signFor: '91d' }), 'plan-invalid'],
    ['an issuer with a port', [RSA.file], plan([RSA], { issuer: 'https://a.example.com:1' }), 'issuer-url-invalid'],
  ]
  it.each(REFUSED)('%s is refused, and everything stays byte for byte', async (_, files, given, code) => {
    await room(...files).refused(given, code, typing())
  })

  it('a wrong password is refused before the ceremony starts, and is asked for again', async () => {
    const at = room('rsa-encrypted.pem')
    const given = plan([{ ...RSA, file: 'rsa-encrypted.pem' }])
    const error = await at.refused(given, 'passphrase-wrong', typing('wrong 1234'))
    expect(error.message).not.toContain('wrong 1234')
    const { state } = await at.run(given, typing())
    expect(importedOf(keysOf(state, 'legacy'))).toHaveLength(1)
  })

  it('a link, or a file that is too large, is refused', async () => {
    const at = room(RSA.file)
    symlinkSync(RSA.file, join(at.media, 'link.pem'))
    await at.refused(plan([{ ...RSA, file: 'link.pem' }]), 'file-refused')
    writeFileSync(join(at.media, 'big.pem'), 'x'.repeat(70_000))
    await at.refused(plan([{ ...RSA, file: 'big.pem' }]), 'file-too-large')
  })

  it('a key that the vault has already is refused, naming whose it is', async () => {
    const at = room(RSA.file)
    await at.run(plan([RSA]))
    const again = plan([RSA], { tenant: 'second', issuer: 'https://second.example.com' })
    expect((await at.refused(again, 'key-refused')).message).toContain('legacy')
  })

  it('a key that was destroyed in this vault never comes back', async () => {
    const at = room(RSA.file)
    const { state } = await at.run(plan([RSA]))
    const [key] = importedOf(keysOf(state, 'legacy'))
    const kid = key?.kid ?? ''
    at.clock.advance(200 * DAY)
    await at.run({ kind: 'destroy', keys: [kid], reason: 'Retired' }, { confirm: [confirmationFor([kid])] })
    await at.refused(plan([RSA], { tenant: 'second', issuer: 'https://second.example.com' }), 'tombstone-hit')
  })
})

/** A relying party that holds the static key set of the old issuer, and refetches only when its cache is over. */
class Verifier {
  readonly #cache: number
  readonly #fetch: () => Promise<JSONWebKeySet>
  #held: { at: number; set: JSONWebKeySet }

  constructor(cache: number, held: { at: number; set: JSONWebKeySet }, fetch: () => Promise<JSONWebKeySet>) {
    this.#cache = cache
    this.#held = held
    this.#fetch = fetch
  }

  async verifies(jws: string, now: number): Promise<boolean> {
    if (now - this.#held.at >= this.#cache) this.#held = { at: now, set: await this.#fetch() }
    return compactVerify(jws, createLocalJWKSet(this.#held.set)).then(
      () => true,
      () => false,
    )
  }
}

async function sign(service: TenantService, algorithm: Algorithm, now: number): Promise<{ jws: string; kid: string }> {
  const signer = await service.signer(algorithm, now)
  if (!signer) throw new Error(`nobody signs at ${now}`)
  const header = Buffer.from(JSON.stringify({ alg: signer.alg, kid: signer.kid })).toString('base64url')
  const input = `${header}.${Buffer.from('{}').toString('base64url')}`
  return { jws: `${input}.${signer.sign(input)}`, kid: signer.kid }
}

describe('from static to generated, no relying party meets a token that it cannot verify', () => {
  it.each([
    ['at once', 0],
    ['eight days late, after the successor was to be announced', 8],
  ])(
    'when the bundle reaches the runtime %s',
    async (_, lateDays) => {
      const at = room(EC.file)
      const runtime = await at.runtime()
      try {
        const cache = 12 * HOUR
        const tenant = { relyingParties: [{ name: 'gateway', cache: '12h' }] }
        const { state } = await at.run(
          plan([EC], { ...tenant, policy: { signingAlgorithms: ['ES256'] } }, { signFor: '16d' }),
        )
        const [old, next] = keysOf(state, 'legacy')
        if (!old || !next) throw new Error('no keys')
        const staticSet: JSONWebKeySet = { keys: [{ ...old.jwk, use: 'sig', alg: 'ES256', kid: old.kid }] }
        await at.run({ kind: 'handoff', runtime: 'eu-one', tenants: 'all', validFor: '20d' })
        at.clock.advance(lateDays * DAY)
        await runtime.runtime.importFiles(at.written)
        const service = async () => {
          const found = await runtime.runtime.find('legacy.example.com', '')
          if (!found) throw new Error('not served')
          return found
        }
        const start = at.clock.now()
        const fetch = async () => ({ keys: [...(await service()).published(at.clock.now()).keys] }) as JSONWebKeySet
        const parties = [0, 1, cache / 2, cache - 1].map(
          (age) => new Verifier(cache, { at: start - age, set: staticSet }, fetch),
        )
        const signedBy = new Set<string>()
        let failures = 0
        while (at.clock.now() < old.times.extendUntil + 10 * DAY) {
          const now = at.clock.now()
          const { jws, kid } = await sign(await service(), 'ES256', now)
          signedBy.add(kid)
          for (const party of parties) if (!(await party.verifies(jws, now))) failures++
          at.clock.advance(4 * HOUR)
          await runtime.runtime.tick()
        }
        expect(failures).toBe(0)
        expect(signedBy.has(old.kid) && signedBy.has(next.kid)).toBe(true)
      } finally {
        await runtime.runtime.close()
      }
    },
    60_000,
  )

  it('a bundle that comes too late for that is refused: the successor would not be known when the static key must stop', async () => {
    const at = room(EC.file)
    const { runtime } = await at.runtime()
    try {
      await at.run(plan([EC], { policy: { signingAlgorithms: ['ES256'] } }, { signFor: '16d' }))
      await at.run({ kind: 'handoff', runtime: 'eu-one', tenants: 'all', validFor: '20d' })
      at.clock.advance(10 * DAY)
      expect((await failure(runtime.importFiles(at.written))).code).toBe('bundle-late')
    } finally {
      await runtime.close()
    }
  })
})

it('the medium is left as it was found: what comes in is not removed by Keyrite', async () => {
  const at = room(RSA.file)
  const error = await failure(at.run(plan([{ ...RSA, file: 'nowhere.pem' }])))
  expect(error.code).toBe('file-missing')
  expect(Object.keys(at.content())).toContain(`media/${RSA.file}`)
})
