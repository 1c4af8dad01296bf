import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openShare, sealShare } from '../../electron/vault/people.ts'
import { readPeople } from '../../electron/vault/people-store.ts'
import { checkShare, combineShares, dealShares, type Share } from '../../electron/vault/sharing.ts'
import { Vault } from '../../electron/vault/vault.ts'
import { isKeyriteError, type KeyriteError } from '../../shared/errors.ts'
import { type Bytes, concat, digest, utf8 } from '../../shared/formats/bytes.ts'
import type { Roster } from '../../shared/formats/roster.ts'
import { actOf, makePractice, type Practice } from '../vault/practice.ts'

/** Fault 9: M-1 shares, duplicate, foreign, stale-epoch, corrupt share, x = 0 [named, no oracle]. */

const VAULT = '11111111-1111-4111-8111-111111111111'
const CUSTODIANS = ['ada', 'blaise', 'clara', 'dorothy', 'emil'] as const

type Dealt = { secret: Bytes; shares: Share[]; roster: Roster }

async function deal({ vaultId = VAULT, epoch = 1, threshold = 3, count = 5, secret = random() } = {}): Promise<Dealt> {
  const people = CUSTODIANS.slice(0, count)
  const { shares, commitments, secretCommitment } = await dealShares(secret, people, { vaultId, epoch, threshold })
  const roster: Roster = {
    vaultId,
    practice: true,
    epoch,
    threshold,
    people: [],
    shares: commitments,
    secretCommitment,
  }
  return { secret, shares, roster }
}

const random = (): Bytes => new Uint8Array(randomBytes(32))

async function failure(attempt: () => unknown): Promise<KeyriteError> {
  try {
    await attempt()
  } catch (error) {
    if (isKeyriteError(error)) return error
    throw error
  }
  throw new Error('it was accepted')
}

/** The field of AES (FIPS 197 section 4.2), written independently of the library. */
function times(a: number, b: number): number {
  let product = 0
  for (let bit = 0, term = a; bit < 8; bit++) {
    if ((b >> bit) & 1) product ^= term
    term = (term << 1) ^ (term & 0x80 ? 0x11b : 0)
  }
  return product
}
const inverse = (a: number): number => {
  for (let b = 1; b < 256; b++) if (times(a, b) === 1) return b
  throw new Error('zero has no inverse')
}
/** The value at `x` of the polynomial through these points (Lagrange). */
function interpolate(points: readonly { x: number; y: number }[], x: number): number {
  return points.reduce((sum, { x: xi, y }) => {
    const basis = points.reduce((p, { x: xj }) => (xj === xi ? p : times(p, times(x ^ xj, inverse(xi ^ xj)))), 1)
    return sum ^ times(y, basis)
  }, 0)
}
const at = (share: Share, index: number) => ({ x: share.bytes[32] ?? 0, y: share.bytes[index] ?? 0 })

/** What the roster says of shares made by hand; the same digests as Keyrite writes. */
const committed = (roster: Roster, share: Share) =>
  digest(
    concat(
      utf8(JSON.stringify(['keyrite share 1', roster.vaultId, roster.epoch, share.person, roster.threshold])),
      share.bytes,
    ),
  )
const committedSecret = (roster: Roster, secret: Uint8Array) =>
  digest(
    concat(utf8(JSON.stringify(['keyrite quorum secret 1', roster.vaultId, roster.epoch, roster.threshold])), secret),
  )

describe('Shamir sharing (1979) over the field of AES', () => {
  it.each([
    [0x57, 0x83, 0xc1],
    [0x57, 0x13, 0xfe],
    [0x53, 0xca, 0x01],
  ])('the field of these tests is that of FIPS 197: %i times %i is %i', (a, b, product) => {
    expect(times(a, b)).toBe(product)
  })

  it('shares lie on one polynomial of degree M-1 whose value at 0 is the secret, for every M and N up to 5', async () => {
    for (let count = 2; count <= 5; count++)
      for (let threshold = 2; threshold <= count; threshold++) {
        const { secret, shares } = await deal({ count, threshold })
        for (let index = 0; index < 32; index++) {
          const first = shares.slice(0, threshold).map((share) => at(share, index))
          expect(interpolate(first, 0)).toBe(secret[index])
          for (const share of shares) expect(interpolate(first, at(share, index).x)).toBe(at(share, index).y)
        }
      }
  })

  it('shares made by hand from a known polynomial combine to its value at 0', async () => {
    const secret = Uint8Array.from({ length: 32 }, (_, index) => index * 7) as Bytes
    const slope = (index: number) => (index * 11 + 3) & 0xff
    const share = (person: string, x: number): Share => ({
      person,
      bytes: Uint8Array.from({ length: 33 }, (_, i) => (i === 32 ? x : (secret[i] ?? 0) ^ times(slope(i), x))) as Bytes,
    })
    const shares = [share('ada', 1), share('blaise', 255)]
    const bare: Roster = { ...(await deal()).roster, threshold: 2 }
    const roster: Roster = {
      ...bare,
      shares: shares.map((one) => ({ person: one.person, x: one.bytes[32] ?? 0, commitment: committed(bare, one) })),
      secretCommitment: committedSecret(bare, secret),
    }
    expect(await combineShares(shares, roster)).toEqual(secret)
  })

  it('any M shares, in any order, give the secret', async () => {
    const { secret, shares, roster } = await deal()
    const chosen = fc.shuffledSubarray(shares, { minLength: 3, maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(chosen, async (some) => {
        expect(await combineShares(some, roster)).toEqual(secret)
      }),
      { numRuns: 60 },
    )
  })

  it('every x is in 1..255 and stands once; the same secret is never dealt alike', async () => {
    const secret = random()
    const seen = new Set<string>()
    for (let round = 0; round < 50; round++) {
      const { shares } = await deal({ secret })
      const xs = shares.map((share) => share.bytes[32] ?? 0)
      expect(new Set(xs).size).toBe(5)
      for (const x of xs) expect(x).toBeGreaterThan(0)
      for (const share of shares) seen.add(Buffer.from(share.bytes).toString('hex'))
    }
    expect(seen.size).toBe(250)
  })

  it('M-1 shares say nothing: for every value of a byte of the secret there is a share that completes it', async () => {
    const { shares } = await deal()
    const known = shares.slice(0, 2).map((share) => at(share, 0))
    const x = [1, 2, 3].find((one) => known.every((point) => point.x !== one)) ?? 0
    const reached = new Set(Array.from({ length: 256 }, (_, y) => interpolate([...known, { x, y }], 0)))
    expect(reached.size).toBe(256)
  })
})

describe('the strict wrapper', () => {
  it.each([
    [0, '3 more custodians need to approve.'],
    [1, '2 more custodians need to approve.'],
    [2, 'One more custodian needs to approve.'],
  ])('%i of 3 shares: quorum-missing', async (count, message) => {
    const { shares, roster } = await deal()
    expect(await failure(() => combineShares(shares.slice(0, count), roster))).toMatchObject({
      code: 'quorum-missing',
      message,
    })
  })

  it('one custodian twice: share-invalid, naming the custodian', async () => {
    const { shares, roster } = await deal()
    const twice = [shares[0], shares[1], shares[1]].flatMap((share) => share ?? [])
    expect(await failure(() => combineShares(twice, roster))).toMatchObject({
      code: 'share-invalid',
      message: expect.stringContaining('blaise'),
    })
  })

  /** What can be wrong with Blaise's share. */
  const WRONG: [string, (good: Share, dealt: Dealt) => Share | Promise<Share>][] = [
    ['of another vault', async () => pick(await deal({ vaultId: '22222222-2222-4222-8222-222222222222' }))],
    [
      'of an older epoch',
      async ({ bytes }, { secret }) => ({ ...pick(await deal({ epoch: 2, secret })), bytes: swapX(bytes) }),
    ],
    ['of another dealing of the same secret', async (_good, { secret }) => pick(await deal({ secret }))],
    ['of another custodian', (_good, { shares }) => ({ person: 'blaise', bytes: shares[2]?.bytes ?? random() })],
    ['corrupt in its first bit', ({ bytes }) => blaise(flip(bytes, 0, 0x80))],
    ['corrupt in its last bit', ({ bytes }) => blaise(flip(bytes, 31, 1))],
    ['with another x', ({ bytes }) => blaise(swapX(bytes))],
    [
      'with an x of 0, which would dictate the secret',
      ({ bytes }) => blaise(concat(bytes.subarray(0, 32), new Uint8Array(1))),
    ],
    ['without bytes', () => blaise(new Uint8Array(0))],
    ['one byte short', ({ bytes }) => blaise(bytes.slice(0, 32))],
    ['one byte long', ({ bytes }) => blaise(concat(bytes, new Uint8Array(1)))],
    ['of zeros', () => blaise(new Uint8Array(33))],
  ]
  const blaise = (bytes: Bytes): Share => ({ person: 'blaise', bytes })
  const pick = ({ shares }: Dealt): Share => shares[1] ?? blaise(random())
  const flip = (bytes: Bytes, index: number, mask: number): Bytes => {
    const copy = bytes.slice()
    copy[index] = (copy[index] ?? 0) ^ mask
    return copy
  }
  const swapX = (bytes: Bytes) => flip(bytes, 32, (bytes[32] ?? 0) === 1 ? 2 : 1)

  it.each(WRONG)('a share %s: share-invalid, naming whose it is and nothing else', async (_what, make) => {
    const dealt = await deal()
    const { shares, roster } = dealt
    const good = pick(dealt)
    const bad = await make(good, dealt)
    const given = [shares[0], bad, shares[2]].flatMap((share) => share ?? [])
    const error = await failure(() => combineShares(given, roster))
    expect(error).toMatchObject({
      code: 'share-invalid',
      message: 'The share of blaise is not the one that the roster names.',
    })
    // No oracle: the same words for every way of being wrong, no cause, and the custodian alone gets the same answer.
    expect(error.cause).toBeUndefined()
    expect((await failure(() => checkShare(bad, roster))).message).toBe(error.message)
    expect(() => checkShare(good, roster)).not.toThrow()
  })

  it('a share of somebody who is no custodian: share-invalid, naming them', async () => {
    const { shares, roster } = await deal()
    const [a, b, c] = shares
    const stranger = { person: 'mallory', bytes: c?.bytes ?? random() }
    const error = await failure(() =>
      combineShares(
        [a, b, stranger].flatMap((share) => share ?? []),
        roster,
      ),
    )
    expect(error).toMatchObject({ code: 'share-invalid', message: expect.stringContaining('mallory') })
  })

  it('two custodians with the same share: share-invalid, even where a roster names both', async () => {
    const { shares, roster } = await deal({ threshold: 2, count: 2 })
    const [a] = shares
    if (!a) throw new Error('no share')
    const copy = { person: 'blaise', bytes: a.bytes }
    expect(await failure(() => combineShares([a, copy], roster))).toMatchObject({ code: 'share-invalid' })
    const naming = (share: Share) => ({
      person: share.person,
      x: share.bytes[32] ?? 0,
      commitment: committed(roster, share),
    })
    const bad: Roster = { ...roster, shares: [naming(a), naming(copy)] }
    expect(await failure(() => combineShares([a, copy], bad))).toMatchObject({
      code: 'share-invalid',
      message: 'Two custodians gave the same share.',
    })
  })

  it('an x of 0 is refused even where a roster names it', async () => {
    const { shares, roster } = await deal({ threshold: 2, count: 2 })
    const [a] = shares
    if (!a) throw new Error('no share')
    const zero = blaise(concat(random(), new Uint8Array(1)))
    const bad: Roster = {
      ...roster,
      shares: [...roster.shares.slice(0, 1), { person: 'blaise', x: 0, commitment: committed(roster, zero) }],
    }
    expect(await failure(() => combineShares([a, zero], bad))).toMatchObject({
      code: 'share-invalid',
      message: 'The share of blaise is not the one that the roster names.',
    })
  })

  it('shares that fit their commitments but not the secret: share-invalid', async () => {
    const { shares, roster } = await deal()
    const bad = { ...roster, secretCommitment: committedSecret(roster, random()) }
    expect(await failure(() => combineShares(shares, bad))).toMatchObject({
      code: 'share-invalid',
      message: 'The shares do not belong together.',
    })
  })

  it('no failure says anything of the secret or of a share', async () => {
    const { shares, roster, secret } = await deal()
    const spelled = [secret, ...shares.map((share) => share.bytes)].flatMap((bytes) => {
      const buffer = Buffer.from(bytes)
      return [buffer.toString('hex'), buffer.toString('base64url'), [...bytes].join(',')]
    })
    const bad = shares.map((share) => ({ ...share, bytes: flip(share.bytes, 3, 4) }))
    const error = await failure(() => combineShares(bad, roster))
    const told = `${error.message} ${error.stack} ${JSON.stringify(error)}`
    for (const spelling of spelled) expect(told.includes(spelling.slice(0, 16))).toBe(false)
  })
})

describe('in a vault', () => {
  let practice: Practice
  beforeAll(async () => {
    practice = await makePractice()
  })
  afterAll(() => practice.remove())

  it.each<[string, (jwe: string) => string]>([
    ['cut', (jwe) => jwe.slice(0, -8)],
    ['of an old epoch', (jwe) => jwe],
  ])('a sealed share that is %s does not open: share-invalid, naming the custodian', async (what, change) => {
    const vault = await Vault.openFor(practice.copy(), practice.present)
    const entry = readPeople(vault.folder).people.ada
    const ada = vault.present.get('ada')
    if (!entry || !ada) throw new Error('Ada is not here')
    const epoch = what === 'cut' ? 1 : 2
    const moved = { ...entry, shares: { [String(epoch)]: change(entry.shares['1'] ?? '') } }
    expect(await failure(() => openShare(vault.anchor, ada, moved, epoch))).toMatchObject({
      code: 'share-invalid',
      message: 'The share of ada does not open.',
    })
    expect(await failure(() => openShare(vault.anchor, ada, entry, 7))).toMatchObject({ code: 'share-invalid' })
    vault.close()
  })

  it('a share sealed to one custodian opens for nobody else, and not in another vault', async () => {
    const vault = await Vault.openFor(practice.copy(), practice.present)
    const [ada, clara] = ['ada', 'clara'].map((id) => vault.present.get(id))
    const person = vault.roster.people.find(({ id }) => id === 'ada')
    const entry = readPeople(vault.folder).people.ada
    if (!ada || !clara || !person || !entry) throw new Error('somebody is missing')
    const share = { person: 'ada', bytes: new Uint8Array(33).fill(9) }
    const jwe = await sealShare(vault.anchor, share, 1, person.encryption)
    const holding = { ...entry, shares: { 1: jwe } }
    expect((await openShare(vault.anchor, ada, holding, 1)).bytes).toEqual(share.bytes)
    expect(await failure(() => openShare(vault.anchor, clara, holding, 1))).toMatchObject({ code: 'share-invalid' })
    const elsewhere = { vaultId: VAULT, practice: true }
    expect(await failure(() => openShare(elsewhere, ada, holding, 1))).toMatchObject({ code: 'share-invalid' })
    const production = { vaultId: vault.anchor.vaultId, practice: false }
    expect(await failure(() => openShare(production, ada, holding, 1))).toMatchObject({ code: 'share-invalid' })
    vault.close()
  })

  it('a quorum of one: nothing is combined', async () => {
    const vault = await Vault.openFor(practice.copy(), practice.only('ada', 'emmy'))
    expect(await failure(() => vault.approve(actOf('export')))).toMatchObject({ code: 'quorum-missing' })
    vault.close()
  })
})
