import { type ChildProcess, spawn } from 'node:child_process'
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { CHECKED_BYTES, EXIT, outputLooksRandom, pairMatches } from '../../electron/keys/checks.ts'
import { type GeneratorProcess, generateKeys, startGenerator } from '../../electron/keys/generator.ts'
import { KEY_SPEC_NAMES, type KeySpec, type PublicJwk } from '../../shared/domain/algorithms.ts'
import { lintKey } from '../../shared/domain/lint.ts'
import { CODES } from '../../shared/errors.ts'
import { findingOfCertificate } from '../../shared/formats/x509.ts'

/** A port that starts the real child and remembers it. */
function watched(start: () => GeneratorProcess = () => startGenerator()) {
  const children: ChildProcess[] = []
  return {
    children,
    start: () => {
      const child = start() as ChildProcess & GeneratorProcess
      children.push(child)
      return child
    },
    allEnded: () => children.every((child) => child.exitCode !== null || child.signalCode !== null),
  }
}

/** A child that misbehaves: it runs this program instead of the real one. */
const script = (program: string) => (): GeneratorProcess =>
  spawn(process.execPath, ['-e', program], { stdio: ['pipe', 'pipe', 'ignore'], env: {} })

function pair(): { pkcs8: string; jwk: PublicJwk } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64url')
  return { pkcs8, jwk: publicKey.export({ format: 'jwk' }) as PublicJwk }
}

const answer = (...keys: object[]) =>
  script(`console.log(${JSON.stringify(JSON.stringify({ node: 'x', openssl: 'y', keys }))})`)

const job = (tenant: string, ...specs: KeySpec[]) => ({ tenant, specs })

describe('making keys in fresh processes', () => {
  it('every spec, in the order asked for, each pair fitting together', async () => {
    const made = await generateKeys([job('acme', ...KEY_SPEC_NAMES)])
    const { keys, generator } = made.get('acme') ?? { keys: [] }
    expect(keys.map(({ spec }) => spec)).toEqual(KEY_SPEC_NAMES)
    for (const { spec, pkcs8, jwk } of keys) {
      expect(lintKey(spec, jwk), spec).toEqual([])
      const key = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' })
      expect(createPublicKey(key).export({ format: 'jwk' }), spec).toEqual(jwk)
      expect(key.asymmetricKeyType, spec).not.toBe('rsa-pss')
    }
    expect(generator).toEqual({ node: process.versions.node, openssl: process.versions.openssl, process: 'fresh' })
  }, 60_000)

  it('each tenant has a process of its own, and progress counts tenants', async () => {
    const port = watched()
    const progress: string[] = []
    const tenants = ['a', 'b', 'c', 'd', 'e']
    const made = await generateKeys(
      tenants.map((tenant) => job(tenant, 'ES256', 'Ed25519')),
      { parallel: 2, start: port.start, onProgress: (done, total) => progress.push(`${done}/${total}`) },
    )
    expect([...made.keys()].sort()).toEqual(tenants)
    expect(new Set(port.children.map(({ pid }) => pid)).size).toBe(tenants.length)
    expect(progress).toEqual(['1/5', '2/5', '3/5', '4/5', '5/5'])
    const all = [...made.values()].flatMap(({ keys }) => keys.map(({ jwk }) => JSON.stringify(jwk)))
    expect(new Set(all).size).toBe(tenants.length * 2)
  })

  it('no more processes at a time than asked for', async () => {
    const port = watched()
    let most = 0
    const start = () => {
      most = Math.max(most, 1 + port.children.filter(({ exitCode }) => exitCode === null).length)
      return port.start()
    }
    await generateKeys(
      ['a', 'b', 'c', 'd'].map((tenant) => job(tenant, 'ES256')),
      { parallel: 2, start },
    )
    expect(most).toBe(2)
  })

  it('makes a certificate for each RSA key that is to have one, and for no other', async () => {
    const wanted = { issuer: 'https://acme.example.com', from: 1_772_323_200, to: 1_780_000_000 }
    const specs: KeySpec[] = ['RS256', 'ES256', 'PS256', 'RS256']
    const made = await generateKeys([{ tenant: 'acme', specs, certificates: [wanted, null, wanted, null] }])
    const { keys } = made.get('acme') ?? { keys: [] }
    expect(keys.map(({ x5c }) => x5c !== undefined)).toEqual([true, false, true, false])
    for (const key of keys) if (key.x5c) expect(await findingOfCertificate(key.x5c, key, wanted)).toBeNull()
  })

  it.each([
    ['none', {}],
    ['another', { x5c: ['AAAA'] }],
  ])('a process that answers with %s in place of a certificate has failed', async (_, given) => {
    const wanted = { issuer: 'https://acme.example.com', from: 1_772_323_200, to: 1_780_000_000 }
    const start = answer({ spec: 'ES256', ...pair(), ...given })
    const job = { tenant: 'acme', specs: ['ES256'] as const, certificates: [wanted] }
    await expect(generateKeys([job], { start })).rejects.toMatchObject({
      code: 'generator-failed',
      message: expect.stringContaining('certificate'),
    })
  })

  it('a certificate that nobody asked for is refused', async () => {
    const start = answer({ spec: 'ES256', ...pair(), x5c: ['AAAA'] })
    await expect(generateKeys([job('acme', 'ES256')], { start })).rejects.toMatchObject({
      code: 'generator-failed',
      message: expect.stringContaining('certificate'),
    })
  })

  it('no jobs need no process', async () => {
    expect((await generateKeys([])).size).toBe(0)
  })

  it('the arguments and the environment of the process hold no keys and nothing of ours', async (ctx) => {
    if (process.platform !== 'linux') return ctx.skip('reads /proc')
    const seen: string[] = []
    await generateKeys([job('secret-tenant-name', 'ES256')], {
      start: () => {
        const child = startGenerator() as ChildProcess & GeneratorProcess
        for (const what of ['cmdline', 'environ']) seen.push(readFileSync(`/proc/${child.pid}/${what}`, 'utf8'))
        expect(child.spawnargs).toHaveLength(2)
        return child
      },
    })
    expect(seen[0]).toMatch(/generate-child\.ts\0$/)
    expect(seen.join()).not.toMatch(/secret-tenant-name|pkcs8|PATH=/)
  })
})

describe('a process that fails leaves a clear error and nothing else', () => {
  it.each([
    ['dies at once', script('process.exit(9)'), /status 9/],
    ['is killed', script('process.kill(process.pid, "SIGKILL")'), /status null/],
    ['fails the output check', script(`process.exit(${EXIT.outputCheck})`), /output sanity check/],
    ['fails the pair check', script(`process.exit(${EXIT.pairCheck})`), /halves/],
    ['answers nothing', script(''), /unreadable/],
    ['answers rubbish', script('console.log("{]")'), /unreadable/],
    ['answers twice', script('console.log("{}"); console.log("{}")'), /unreadable/],
    ['answers more members', answer({ spec: 'ES256', ...pair(), extra: 1 }), /unreadable/],
    ['answers bytes that are no key', answer({ spec: 'ES256', ...pair(), pkcs8: 'AAAA' }), /unreadable/],
    ['answers base64 with padding', answer({ spec: 'ES256', ...pair(), pkcs8: 'AA==' }), /unreadable/],
    ['answers too much', script('process.stdout.write("x".repeat(1 << 20)); setInterval(() => {}, 1e3)'), /more than/],
    ['answers another spec', answer({ spec: 'Ed25519', ...pair() }), /other keys/],
    ['answers no key', answer(), /other keys/],
    ['answers one key too many', answer({ spec: 'ES256', ...pair() }, { spec: 'ES256', ...pair() }), /other keys/],
    ['answers two halves of different keys', answer({ spec: 'ES256', ...pair(), jwk: pair().jwk }), /not the one/],
    ['hangs', script('setInterval(() => {}, 1e3)'), /did not finish within 2000 ms/],
    ['does not exist', () => spawn('/nonexistent', { stdio: ['pipe', 'pipe', 'ignore'] }), /could not be started/],
  ])('%s', async (_, start, message) => {
    const port = watched(start)
    const failing = generateKeys([job('acme', 'ES256')], { start: port.start, timeoutMs: 2000 })
    await expect(failing).rejects.toMatchObject({ code: 'generator-failed', message: expect.stringMatching(message) })
    expect(port.children.every(({ exitCode, signalCode }) => exitCode !== null || signalCode !== null)).toBe(true)
  })

  it('a key of another spec under the right name is refused', async () => {
    const start = answer({ spec: 'ES384', ...pair() })
    await expect(generateKeys([job('acme', 'ES384')], { start })).rejects.toMatchObject({ code: 'generator-failed' })
  })

  it('a failure is never retried and ends the others; the keys made before are wiped', async () => {
    let count = 0
    const port = watched(() => {
      count++
      if (count === 1) return startGenerator()
      return count === 3 ? script('process.exit(1)')() : script('setInterval(() => {}, 1e3)')()
    })
    const wiped: Uint8Array[] = []
    const fill = Uint8Array.prototype.fill
    Uint8Array.prototype.fill = function (this: Uint8Array, ...args: Parameters<typeof fill>) {
      wiped.push(this)
      return fill.apply(this, args)
    } as typeof fill
    try {
      const jobs = ['a', 'b', 'c', 'd', 'e'].map((tenant) => job(tenant, 'ES256'))
      await expect(generateKeys(jobs, { parallel: 2, start: port.start })).rejects.toMatchObject({
        code: 'generator-failed',
      })
    } finally {
      Uint8Array.prototype.fill = fill
    }
    expect(port.children).toHaveLength(3)
    expect(port.allEnded()).toBe(true)
    // The PKCS#8 bytes of the one key that was made: 138 bytes for P-256, plain Uint8Array, all zeros now.
    const pkcs8 = wiped.filter((bytes) => !Buffer.isBuffer(bytes) && bytes.length === 138)
    expect(pkcs8).toHaveLength(1)
    for (const bytes of wiped) expect(bytes.every((byte) => byte === 0)).toBe(true)
  })

  it('abort ends all processes with "interrupted"', async () => {
    const port = watched(script('setInterval(() => {}, 1e3)'))
    const stop = new AbortController()
    const jobs = ['a', 'b', 'c'].map((tenant) => job(tenant, 'ES256'))
    const failing = generateKeys(jobs, { parallel: 2, start: port.start, signal: stop.signal })
    setTimeout(() => stop.abort(), 100)
    await expect(failing).rejects.toMatchObject({ code: 'interrupted', exit: CODES.interrupted.exit })
    expect(port.children).toHaveLength(2)
    expect(port.allEnded()).toBe(true)
    await expect(generateKeys(jobs, { start: port.start, signal: stop.signal })).rejects.toMatchObject({
      code: 'interrupted',
    })
    expect(port.children).toHaveLength(2)
  })

  it('a tenant named twice is refused before anything starts', async () => {
    const port = watched()
    const failing = generateKeys([job('a', 'ES256'), job('a', 'ES256')], { start: port.start })
    await expect(failing).rejects.toMatchObject({ code: 'plan-invalid' })
    expect(port.children).toHaveLength(0)
  })
})

describe('the checks of the generating process', () => {
  it('the output sanity check passes sound bytes', () => {
    for (let at = 0; at < 200; at++) expect(outputLooksRandom(randomBytes(CHECKED_BYTES))).toBe(true)
  })

  it.each([
    ['all zeros', new Uint8Array(CHECKED_BYTES)],
    ['a byte six times in a row', randomBytes(CHECKED_BYTES).fill(7, 1000, 1006)],
    ['the top bit never set', randomBytes(CHECKED_BYTES).map((byte) => byte & 0x7f)],
    ['a share of ones', randomBytes(CHECKED_BYTES).map((byte, at) => byte | (at % 4 === 0 ? 0x0f : 0))],
  ])('the output sanity check refuses %s', (_, bytes) => {
    expect(outputLooksRandom(bytes)).toBe(false)
  })

  it('pairwise consistency refuses halves of different keys', () => {
    const [a, b] = [pair(), pair()]
    expect(pairMatches('ES256', Buffer.from(a.pkcs8, 'base64url'), a.jwk)).toBe(true)
    expect(pairMatches('ES256', Buffer.from(a.pkcs8, 'base64url'), b.jwk)).toBe(false)
  })
})
