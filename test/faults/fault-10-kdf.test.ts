import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { deriveKey, PRACTICE_COST, PRODUCTION_COST } from '../../electron/vault/kdf.ts'
import { readPeople } from '../../electron/vault/people-store.ts'
import { Vault } from '../../electron/vault/vault.ts'
import { digest, toBase64url, toHex, utf8 } from '../../shared/formats/bytes.ts'
import { kdfSchema } from '../../shared/formats/roster.ts'
import { makePractice, PASSPHRASES, type Practice } from '../vault/practice.ts'

/** Fault 10: KDF downgrade or bomb [refused before allocation]. Every derivation is a worker: none may be started. */

const started = vi.hoisted(() => ({ workers: 0 }))
vi.mock('node:worker_threads', async (original) => {
  const real = await original<typeof import('node:worker_threads')>()
  class Counted extends real.Worker {
    constructor(...args: ConstructorParameters<typeof real.Worker>) {
      started.workers++
      super(...args)
    }
  }
  return { ...real, default: { ...real, Worker: Counted }, Worker: Counted }
})

let practice: Practice
beforeAll(async () => {
  practice = await makePractice()
})
afterAll(() => practice.remove())
beforeEach(() => {
  started.workers = 0
})

const GIB = 1024 * 1024
const passphrases = (id: string) => new Map([[id, PASSPHRASES.get(id) ?? '']])

describe('the cost that a file asks for', () => {
  it.each<[string, string, unknown]>([
    ['downgrade: less than 64 MiB', 'memoryKiB', 64 * 1024 - 1],
    ['downgrade: 8 KiB', 'memoryKiB', 8],
    ['downgrade: no memory', 'memoryKiB', 0],
    ['downgrade: negative memory', 'memoryKiB', -65536],
    ['bomb: more than 1 GiB', 'memoryKiB', GIB + 1],
    ['bomb: 1 PiB', 'memoryKiB', GIB * GIB],
    ['a fraction', 'memoryKiB', 65536.5],
    ['a text', 'memoryKiB', '65536'],
    ['null', 'memoryKiB', null],
    ['downgrade: two passes', 'passes', 2],
    ['downgrade: no pass', 'passes', 0],
    ['bomb: eleven passes', 'passes', 11],
    ['bomb: 10^9 passes', 'passes', 1_000_000_000],
    ['two lanes', 'lanes', 2],
    ['no lane', 'lanes', 0],
    ['downgrade: argon2i', 'algorithm', 'argon2i'],
    ['downgrade: pbkdf2', 'algorithm', 'pbkdf2'],
    ['downgrade: a short salt', 'salt', 'AAAAAAAAAAA'],
    ['an empty salt', 'salt', ''],
    ['a long salt', 'salt', 'A'.repeat(1000)],
    ['something more', 'secret', 'x'],
  ])('%s: kdf-refused before any derivation starts, and nothing is changed', async (_what, member, value) => {
    const folder = practice.copy()
    const path = join(folder, 'people.json')
    const file = JSON.parse(readFileSync(path, 'utf8'))
    // Somebody else's entry: the whole file is refused, not only the one who types a passphrase.
    file.people.clara.identity.kdf[member] = value
    writeFileSync(path, JSON.stringify(file))
    const before = readdirSync(folder).map((name) => digest(readFileSync(join(folder, name))))
    for (const id of ['clara', 'ada']) {
      const attempt = Vault.open(folder, passphrases(id))
      await expect(attempt).rejects.toMatchObject({ code: 'kdf-refused', message: expect.stringContaining('clara') })
    }
    expect(started.workers).toBe(0)
    expect(readdirSync(folder).map((name) => digest(readFileSync(join(folder, name))))).toEqual(before)
  })

  it.each([
    ['the whole cost removed', 'kdf'],
    ['the whole person removed', 'identity'],
  ])('%s: kdf-refused before any derivation starts', async (_what, member) => {
    const folder = practice.copy()
    const path = join(folder, 'people.json')
    const file = JSON.parse(readFileSync(path, 'utf8'))
    delete (member === 'kdf' ? file.people.ada.identity : file.people.ada)[member]
    writeFileSync(path, JSON.stringify(file))
    await expect(Vault.open(folder, passphrases('ada'))).rejects.toMatchObject({ code: 'kdf-refused' })
    expect(started.workers).toBe(0)
  })

  it('a number that no double holds: vault-damaged before any derivation starts', async () => {
    const folder = practice.copy()
    const path = join(folder, 'people.json')
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll('"memoryKiB":65536', '"memoryKiB":1e300'))
    await expect(Vault.open(folder, passphrases('ada'))).rejects.toMatchObject({ code: 'vault-damaged' })
    expect(started.workers).toBe(0)
  })

  it('the same vault unchanged derives exactly once, for the one who typed a passphrase', async () => {
    const vault = await Vault.open(practice.copy(), passphrases('ada'))
    vault.close()
    expect(started.workers).toBe(1)
  })

  it('a cost changed within its bounds gives another key: passphrase-wrong, never a wrong answer', async () => {
    const folder = practice.copy()
    const path = join(folder, 'people.json')
    const file = JSON.parse(readFileSync(path, 'utf8'))
    file.people.ada.identity.kdf.passes = 4
    writeFileSync(path, JSON.stringify(file))
    await expect(Vault.open(folder, passphrases('ada'))).rejects.toMatchObject({ code: 'passphrase-wrong' })
  })

  it('the bounds themselves are allowed, and both costs that Keyrite uses are within them', () => {
    const salt = toBase64url(new Uint8Array(16))
    const base = { algorithm: 'argon2id', lanes: 1, salt }
    for (const cost of [PRACTICE_COST, PRODUCTION_COST, { memoryKiB: GIB, passes: 10 }])
      expect(kdfSchema.safeParse({ ...base, ...cost }).success).toBe(true)
    expect(PRODUCTION_COST).toEqual({ memoryKiB: 256 * 1024, passes: 3 })
    expect(PRACTICE_COST).toEqual({ memoryKiB: 64 * 1024, passes: 3 })
    for (const entry of Object.values(readPeople(practice.folder).people))
      expect(entry.identity.kdf).toMatchObject({ algorithm: 'argon2id', ...PRACTICE_COST, lanes: 1 })
  })
})

describe('Argon2id', () => {
  it('gives the known answer of the reference implementation (argon2id, v 19, m 65536, t 2, p 1)', async () => {
    const kdf = {
      algorithm: 'argon2id',
      memoryKiB: 65536,
      passes: 2,
      lanes: 1,
      salt: toBase64url(utf8('somesalt')),
    } as const
    expect(toHex(await deriveKey('password', kdf))).toBe(
      '09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7',
    )
  })

  it('at what a production vault costs, runs one derivation at a time and leaves the event loop free', async () => {
    const kdf = {
      algorithm: 'argon2id',
      memoryKiB: PRODUCTION_COST.memoryKiB,
      passes: 1,
      lanes: 1,
      salt: toBase64url(new Uint8Array(16)),
    } as const
    let ticks = 0
    const timer = setInterval(() => ticks++, 5)
    const first = deriveKey('one', kdf)
    const second = deriveKey('two', kdf)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(started.workers).toBe(1)
    const keys = await Promise.all([first, second])
    clearInterval(timer)
    expect(started.workers).toBe(2)
    expect(new Set(keys.map((key) => toHex(key))).size).toBe(2)
    expect(ticks).toBeGreaterThan(10)
  })

  it('of practice vaults, as many at a time as one production derivation needs memory for; the rest waits', async () => {
    const kdf = { algorithm: 'argon2id', ...PRACTICE_COST, lanes: 1, salt: toBase64url(new Uint8Array(16)) } as const
    const fit = PRODUCTION_COST.memoryKiB / PRACTICE_COST.memoryKiB
    const all = Array.from({ length: fit + 1 }, (_, index) => deriveKey(`one ${index}`, kdf))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(started.workers).toBe(fit)
    expect(new Set((await Promise.all(all)).map((key) => toHex(key))).size).toBe(fit + 1)
    expect(started.workers).toBe(fit + 1)
  })
})
