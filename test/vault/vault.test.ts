import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createVault, type NewVault } from '../../electron/vault/create.ts'
import { checkPassphrase } from '../../electron/vault/people.ts'
import { readPeople, writePeople } from '../../electron/vault/people-store.ts'
import type { Quorum } from '../../electron/vault/quorum.ts'
import { dbPath, Vault } from '../../electron/vault/vault.ts'
import { headOf, verifyVault } from '../../electron/vault/verify.ts'
import { asKeyriteError, isKeyriteError } from '../../shared/errors.ts'
import { signApproval } from '../../shared/formats/approval.ts'
import { digest } from '../../shared/formats/bytes.ts'
import type { PeopleFile } from '../../shared/formats/people-file.ts'
import {
  actOf,
  addKey,
  CEREMONY,
  CREATED,
  checkpoint,
  contentOf,
  makePractice,
  newEpoch,
  PASSPHRASES,
  PEOPLE,
  type Practice,
  RSA_4096_PKCS8,
  rsaShaped,
  THRESHOLD,
} from './practice.ts'

let practice: Practice
const LATER = CREATED + 3600

beforeAll(async () => {
  practice = await makePractice()
})
afterAll(() => practice.remove())

const open = (folder: string, ...ids: string[]) =>
  Vault.openFor(folder, ids.length === 0 ? practice.present : practice.only(...ids))
const filesOf = (folder: string) =>
  Object.fromEntries(readdirSync(folder).map((name) => [name, digest(readFileSync(join(folder, name)))]))
const deviation = (happened: string) =>
  ({ type: 'deviation', ceremony: CEREMONY, expected: 'nothing', happened, action: 'noted' }) as const

describe('creating a vault', () => {
  const wanted = (folder: string, change: Partial<NewVault> = {}): NewVault => ({
    folder,
    name: 'Rehearsal',
    practice: true,
    people: PEOPLE,
    threshold: THRESHOLD,
    passphrases: PASSPHRASES,
    at: CREATED,
    actor: 'grace',
    first: () => [],
    ...change,
  })
  const others = PEOPLE.filter(({ id }) => id !== 'emmy')

  it.each([
    ['usage-invalid', 'a name that does not end in .vault', 'new', {}],
    ['people-invalid', 'a threshold of one', 'new.vault', { threshold: 1 }],
    ['people-invalid', 'more custodians needed than there are', 'new.vault', { threshold: 4 }],
    ['people-invalid', 'no compliance officer', 'new.vault', { people: others }],
    ['passphrase-missing', 'a person without a passphrase', 'new.vault', { passphrases: new Map([['ada', 'x']]) }],
    [
      'passphrase-weak',
      'a weak passphrase',
      'new.vault',
      { passphrases: new Map([...PASSPHRASES, ['ada', 'password']]) },
    ],
  ])('%s: %s; no folder and nothing half-built is left', async (code, _why, name, change) => {
    const parent = dirname(practice.folder)
    const before = readdirSync(parent)
    await expect(createVault(wanted(join(parent, name), change))).rejects.toMatchObject({ code })
    expect(readdirSync(parent)).toEqual(before)
  })

  it('vault-exists: a vault is never overwritten', async () => {
    const folder = practice.copy()
    const before = filesOf(folder)
    await expect(createVault(wanted(folder))).rejects.toMatchObject({ code: 'vault-exists' })
    expect(filesOf(folder)).toEqual(before)
  })

  it('holds exactly the encrypted file and the list of people, and neither tells a name in the clear but people.json', () => {
    expect(readdirSync(practice.folder).sort()).toEqual(['people.json', 'vault.db'])
    const db = readFileSync(dbPath(practice.folder))
    for (const word of ['acme', 'SQLite format', 'CREATE TABLE', 'vault-created', practice.kids.small])
      expect(db.includes(word), word).toBe(false)
    for (const secret of Object.values(practice.secrets)) expect(db.includes(Buffer.from(secret))).toBe(false)
  })
})

describe('any one person can view', () => {
  it.each(PEOPLE.map(({ id, role }) => [id, role]))('%s, %s, opens the vault alone and sees all of it', async (id) => {
    const whole = await open(practice.copy())
    const expected = contentOf(whole)
    whole.close()
    const vault = await Vault.open(practice.copy(), new Map([[id, PASSPHRASES.get(id) ?? '']]))
    expect(contentOf(vault)).toBe(expected)
    expect(vault.tail).toBeNull()
    expect([...vault.present.keys()]).toEqual([id])
    vault.close()
  })

  it('a look changes nothing on the medium', async () => {
    const folder = practice.copy()
    const before = filesOf(folder)
    const vault = await open(folder, 'emmy')
    await verifyVault(vault)
    vault.close()
    expect(filesOf(folder)).toEqual(before)
  })

  it.each([
    [
      'passphrase-wrong',
      'a wrong passphrase, naming the person',
      new Map([['ada', 'correct horse battery of eve']]),
      /ada/,
    ],
    ['passphrase-wrong', "another person's passphrase", new Map([['ada', PASSPHRASES.get('clara') ?? '']]), /ada/],
    ['passphrase-missing', 'no passphrase', new Map<string, string>(), /passphrase/],
    ['passphrase-missing', 'only a passphrase of a stranger', new Map([['mallory', 'x']]), /passphrase/],
  ])('%s: %s', async (code, _why, passphrases, message) => {
    const folder = practice.copy()
    const before = filesOf(folder)
    await expect(Vault.open(folder, passphrases)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    })
    expect(filesOf(folder)).toEqual(before)
  })

  it('vault-missing: no folder, or a folder without the encrypted file', async () => {
    await expect(open(join(dirname(practice.folder), 'none.vault'))).rejects.toMatchObject({ code: 'vault-missing' })
  })
})

describe('checkPassphrase', () => {
  it.each([
    'abandon ability able about above absent',
    'zoo zone zebra youth young year',
    'sixteen letters!',
    'Ein längerer eigener Satz',
  ])('accepts %s', (passphrase) => expect(checkPassphrase('ada', passphrase)).toBeUndefined())

  it.each([
    ['', 'empty'],
    ['fifteen letters', 'fifteen characters'],
    ['aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'one character repeated'],
    ['abcdefgabcdefgabcdefg', 'seven different characters'],
    ['\u{1F600}'.repeat(12), 'twelve emoji count as twelve characters, not as UTF-16 units'],
    ['e\u0301'.repeat(15), 'combining marks do not make it longer'],
  ])('refuses %j (%s), without repeating it', (passphrase) => {
    let failure: unknown
    try {
      checkPassphrase('ada', passphrase)
    } catch (error) {
      failure = error
    }
    expect(isKeyriteError(failure, 'passphrase-weak')).toBe(true)
    expect(isKeyriteError(failure) && passphrase !== '' && failure.message.includes(passphrase)).toBe(false)
  })
})

describe('nobody alone can make, use, export or destroy a private key', () => {
  it('M custodians open exactly the private keys that were sealed', async () => {
    const vault = await open(practice.copy(), 'ada', 'clara')
    const act = actOf('export')
    const opened = await vault.withQuorum(act, await vault.approve(act), async (quorum) => [
      quorum.unseal(practice.kids.small),
      quorum.unseal(practice.kids.large),
    ])
    expect(opened.map((bytes) => Buffer.from(bytes))).toEqual(
      [practice.secrets.small, practice.secrets.large].map((bytes) => Buffer.from(bytes)),
    )
    vault.close()
  })

  it('the combined secret is dropped when the act is over, also when the act fails', async () => {
    const vault = await open(practice.copy(), 'ada', 'blaise')
    const act = actOf('export')
    const kept: Quorum[] = []
    await vault.withQuorum(act, await vault.approve(act), async (quorum) => void kept.push(quorum))
    await expect(
      vault.withQuorum(act, await vault.approve(act), async (quorum) => {
        kept.push(quorum)
        throw new Error('stop')
      }),
    ).rejects.toThrow('stop')
    expect(kept).toHaveLength(2)
    for (const quorum of kept)
      expect(() => quorum.unseal(practice.kids.small)).toThrow(expect.objectContaining({ code: 'decryption-failed' }))
    vault.close()
  })

  it.each([
    [['ada'], 'One more custodian'],
    [['emmy', 'grace'], '2 more custodians'],
    [['clara', 'emmy', 'grace'], 'One more custodian'],
  ])('quorum-missing: %s cannot approve', async (ids, message) => {
    const folder = practice.copy()
    const before = filesOf(folder)
    const vault = await open(folder, ...ids)
    await expect(vault.approve(actOf('export'))).rejects.toMatchObject({
      code: 'quorum-missing',
      message: expect.stringContaining(message),
    })
    vault.close()
    expect(filesOf(folder)).toEqual(before)
  })

  describe('approvals that do not count', () => {
    const approvalBy = async (vault: Vault, id: string, step = 'export', change = {}) => {
      const { vaultId } = vault.anchor
      const { ceremony, planDigest, objects } = actOf('export')
      const approval = { vaultId, epoch: vault.roster.epoch, ceremony, planDigest, step, objects, ...change }
      const person = vault.present.get(id)
      if (!person) throw new Error(`${id} is not here`)
      return signApproval(approval, true, person.signer)
    }
    const forged = (jws: string) => `${jws.slice(0, -4)}${jws.slice(-4) === 'AAAA' ? 'BBBB' : 'AAAA'}`

    it.each<[string, string, (vault: Vault) => Promise<string[]>]>([
      ['quorum-missing', 'none', async () => []],
      ['quorum-missing', 'one', async (v) => [await approvalBy(v, 'ada')]],
      [
        'quorum-missing',
        'the same custodian twice',
        async (v) => [await approvalBy(v, 'ada'), await approvalBy(v, 'ada')],
      ],
      [
        'signature-invalid',
        'a compliance officer',
        async (v) => [await approvalBy(v, 'ada'), await approvalBy(v, 'emmy')],
      ],
      [
        'signature-invalid',
        'an administrator',
        async (v) => [await approvalBy(v, 'ada'), await approvalBy(v, 'grace')],
      ],
      [
        'signature-invalid',
        'another step',
        async (v) => [await approvalBy(v, 'ada'), await approvalBy(v, 'blaise', 'destroy')],
      ],
      [
        'signature-invalid',
        'other objects',
        async (v) => [await approvalBy(v, 'ada'), await approvalBy(v, 'blaise', 'export', { objects: digest('else') })],
      ],
      [
        'signature-invalid',
        'another plan',
        async (v) => [
          await approvalBy(v, 'ada'),
          await approvalBy(v, 'blaise', 'export', { planDigest: digest('else') }),
        ],
      ],
      [
        'signature-invalid',
        'another epoch',
        async (v) => [await approvalBy(v, 'ada'), await approvalBy(v, 'blaise', 'export', { epoch: 2 })],
      ],
      [
        'signature-invalid',
        'another vault',
        async (v) => [
          await approvalBy(v, 'ada'),
          await approvalBy(v, 'blaise', 'export', { vaultId: '00000000-0000-4000-8000-000000000000' }),
        ],
      ],
      [
        'signature-invalid',
        'a forged one',
        async (v) => [await approvalBy(v, 'ada'), forged(await approvalBy(v, 'blaise'))],
      ],
    ])('%s: %s', async (code, _why, make) => {
      const vault = await open(practice.copy())
      let reached = false
      const attempt = vault.withQuorum(actOf('export'), await make(vault), async () => {
        reached = true
      })
      await expect(attempt).rejects.toMatchObject({ code })
      expect(reached).toBe(false)
      vault.close()
    })

    it('quorum-missing: custodians who approved elsewhere but are not present', async () => {
      const all = await open(practice.copy())
      const approvals = [await approvalBy(all, 'ada'), await approvalBy(all, 'blaise')]
      all.close()
      const vault = await open(practice.copy(), 'ada', 'emmy')
      await expect(vault.withQuorum(actOf('export'), approvals, async () => 1)).rejects.toMatchObject({
        code: 'quorum-missing',
        message: expect.stringContaining('blaise'),
      })
      vault.close()
    })
  })

  it('each custodian can prove the own share, and nobody else has one', async () => {
    const vault = await open(practice.copy())
    for (const id of ['ada', 'blaise', 'clara']) await expect(vault.proveShare(id)).resolves.toBeUndefined()
    for (const id of ['emmy', 'grace'])
      await expect(vault.proveShare(id)).rejects.toMatchObject({ code: 'share-invalid' })
    vault.close()
  })
})

describe('committing: every change is one transaction', () => {
  const unchanged = async (code: string, attempt: (vault: Vault) => unknown) => {
    const folder = practice.copy()
    const vault = await open(folder)
    const before = contentOf(vault)
    let failure: unknown
    try {
      attempt(vault)
    } catch (error) {
      failure = error
    }
    expect(failure).toBeDefined()
    expect(asKeyriteError(failure).code).toBe(code)
    expect(contentOf(vault)).toBe(before)
    vault.close()
    const again = await open(folder)
    expect(contentOf(again)).toBe(before)
    again.close()
  }

  it('clock-refused: a time before the newest event', () =>
    unchanged('clock-refused', (vault) => vault.commit([deviation('early')], vault.state.lastAt - 1, 'grace')))

  it('quorum-missing: somebody who is not present cannot act', () =>
    unchanged('quorum-missing', (vault) => vault.commit([deviation('absent')], LATER, 'mallory')))

  it.each([
    ['internal', 'longer than any event', 'x'.repeat(2001)],
    ['internal', 'empty', ''],
    ['internal', 'a lone surrogate', '\ud800'],
  ])(
    '%s: an event that could not be read back (%s) is never written, so that the vault still opens',
    (code, _what, text) =>
      unchanged(code, (vault) => vault.commit([deviation('fine'), deviation(text)], LATER, 'grace')),
  )

  it('vault-history-broken: an event that cannot follow is never written, and of those before it nothing stays in the state', async () => {
    const vault = await open(practice.copy())
    const before = structuredClone(vault.state)
    const { state } = vault
    const stranger = { type: 'ceremony-aborted', ceremony: 'G-1999-001', reason: 'none' } as const
    await expect(async () => vault.commit([deviation('fine'), stranger], LATER, 'grace')).rejects.toMatchObject({
      code: 'vault-history-broken',
    })
    expect(vault.state).toEqual(before)
    expect(vault.state).toBe(state)
    vault.close()
    await unchanged('vault-history-broken', (one) => one.commit([deviation('fine'), stranger], LATER, 'grace'))
  })

  it('a failing statement rolls the whole batch back', async () => {
    const folder = practice.copy()
    const vault = await open(folder)
    const before = contentOf(vault)
    const bad = new Map([['key:x', null as unknown as Uint8Array]])
    expect(() => vault.commit([deviation('fine')], LATER, 'grace', { put: bad })).toThrow(/NOT NULL/)
    expect(contentOf(vault)).toBe(before)
    vault.commit([deviation('after')], LATER, 'grace')
    vault.close()
    const again = await open(folder)
    expect(contentOf(again)).toMatch(/^10 events/)
    again.close()
  })
})

describe('sealed keys', () => {
  it('a sealed RSA-4096 key fits one page: no row of a sealed key overflows', async () => {
    const vault = await open(practice.copy())
    for (let count = 0; count < 4; count++)
      await addKey(
        vault,
        'RS256-4096',
        { jwk: rsaShaped(), secret: new Uint8Array(randomBytes(RSA_4096_PKCS8)) },
        LATER,
      )
    const db = vault.database
    const long = db.prepare('SELECT count(*) AS n FROM sealed WHERE length(blob) >= ?').get(RSA_4096_PKCS8)
    expect(long).toEqual({ n: 5 })
    expect(db.prepare("SELECT pageno FROM dbstat WHERE name = 'sealed' AND pagetype = 'overflow'").all()).toEqual([])
    vault.close()
  })

  it('every private key has a data key and a wrap of its own: no two rows begin alike', async () => {
    const vault = await open(practice.copy())
    const rows = vault.database
      .prepare<[], { start: string }>('SELECT hex(substr(blob, 1, 12)) AS start FROM sealed')
      .all()
    expect(rows).toHaveLength(8)
    expect(new Set(rows.map((row) => row.start)).size).toBe(8)
    vault.close()
  })

  it("the wrap of one key does not open another's row", async () => {
    const folder = practice.copy()
    const vault = await open(folder)
    const { small, large } = practice.kids
    const wrap = vault.database.prepare<[string], { blob: Buffer }>('SELECT blob FROM sealed WHERE id = ?')
    const other = wrap.get(`wrap:${large}`)?.blob ?? Buffer.alloc(0)
    vault.database.prepare('UPDATE sealed SET blob = ? WHERE id = ?').run(other, `wrap:${small}`)
    const act = actOf('export')
    const attempt = vault.withQuorum(act, await vault.approve(act), async (quorum) => quorum.unseal(small))
    await expect(attempt).rejects.toMatchObject({ code: 'decryption-failed' })
    vault.close()
  })
})

/** Runs one quorum act of the custodians present. */
async function act<T>(vault: Vault, step: string, work: (quorum: Quorum) => Promise<T>): Promise<T> {
  const wanted = actOf(step)
  return vault.withQuorum(wanted, await vault.approve(wanted), work)
}

const sealedRows = (vault: Vault) =>
  new Map(
    vault.database
      .prepare<[], { id: string; blob: string }>('SELECT id, hex(blob) AS blob FROM sealed')
      .all()
      .map((row) => [row.id, row.blob]),
  )

/** Both lists of people at once, as they stand between extending and pruning. */
const merged = (before: PeopleFile, after: PeopleFile): PeopleFile => ({
  ...before,
  people: Object.fromEntries(
    Object.entries(before.people).map(([id, entry]) => [
      id,
      {
        ...entry,
        fileKeys: { ...entry.fileKeys, ...after.people[id]?.fileKeys },
        shares: { ...entry.shares, ...after.people[id]?.shares },
      },
    ]),
  ),
})

describe('a new epoch always draws a new secret', () => {
  const activate = (vault: Vault) => newEpoch(vault, LATER)

  it('re-wraps every data key, leaves the keys as they are, replaces every share, and opens and verifies afterwards', async () => {
    const folder = practice.copy()
    const vault = await open(folder)
    const [before, file, roster] = [sealedRows(vault), readPeople(folder), vault.roster]
    await activate(vault)
    const after = sealedRows(vault)
    expect([...after.keys()].sort()).toEqual([...before.keys()].sort())
    for (const [id, blob] of after) expect(blob === before.get(id), id).toBe(id.startsWith('key:'))
    expect(vault.roster).toMatchObject({ epoch: 2, threshold: THRESHOLD, people: roster.people })
    for (const share of vault.roster.shares)
      expect(roster.shares.map((old) => old.commitment)).not.toContain(share.commitment)
    expect(vault.roster.secretCommitment).not.toBe(roster.secretCommitment)

    const pruned = readPeople(folder)
    for (const { id, role } of PEOPLE) {
      expect(Object.keys(pruned.people[id]?.shares ?? {})).toEqual(role === 'custodian' ? ['2'] : [])
      expect(pruned.people[id]?.fileKeys).toEqual(file.people[id]?.fileKeys)
    }
    await checkpoint(vault, LATER)
    vault.close()

    const again = await open(folder, 'blaise', 'clara')
    expect(again.state.epoch).toBe(2)
    const opened = await act(again, 'export', async (quorum) => quorum.unseal(practice.kids.small))
    expect(Buffer.from(opened)).toEqual(Buffer.from(practice.secrets.small))
    expect(await verifyVault(again)).toMatchObject({ epoch: 2, checkpoints: 2, tail: null })
    again.close()
  })

  it('approvals of the old epoch count no more', async () => {
    const vault = await open(practice.copy())
    const old = await vault.approve(actOf('export'))
    await activate(vault)
    await expect(vault.withQuorum(actOf('export'), old, async () => 1)).rejects.toMatchObject({
      code: 'signature-invalid',
    })
    vault.close()
  })

  it('interrupted before its commit: the old epoch goes on, and the new shares are removed by tidy()', async () => {
    const [old, done] = [practice.copy(), practice.copy()]
    const vault = await open(done)
    await activate(vault)
    vault.close()
    const before = readFileSync(join(old, 'people.json'))
    writePeople(old, merged(readPeople(old), readPeople(done)))

    const again = await open(old)
    expect(again.state.epoch).toBe(1)
    await act(again, 'export', async (quorum) => quorum.unseal(practice.kids.small))
    again.tidy()
    expect(readFileSync(join(old, 'people.json')).equals(before)).toBe(true)
    again.close()
  })

  it('interrupted before its pruning: the new epoch stands, and the old shares are removed by tidy()', async () => {
    const [old, done] = [practice.copy(), practice.copy()]
    const vault = await open(done)
    await activate(vault)
    await checkpoint(vault, LATER)
    vault.close()
    const after = readFileSync(join(done, 'people.json'))
    writePeople(done, merged(readPeople(old), readPeople(done)))

    const again = await open(done)
    expect(again.state.epoch).toBe(2)
    await act(again, 'export', async (quorum) => quorum.unseal(practice.kids.small))
    again.tidy()
    expect(readFileSync(join(done, 'people.json')).equals(after)).toBe(true)
    again.close()
    const last = await open(done)
    last.close()
  })
})

describe('never re-keyed in place: a new file key means a new file', () => {
  const move = (vault: Vault) => vault.moveToNewFile(() => [deviation('moved')], LATER, 'grace')

  it('holds the same rows and the events named, under another key, without free pages; the old key opens nothing', async () => {
    const [folder, old] = [practice.copy(), practice.copy()]
    const vault = await open(folder)
    const [rows, seq, keyBefore] = [
      sealedRows(vault),
      vault.state.seq,
      Object.keys(readPeople(folder).people.ada?.fileKeys ?? {}),
    ]
    await move(vault)
    expect(sealedRows(vault)).toEqual(rows)
    expect(vault.state.seq).toBe(seq + 2)
    expect(vault.database.pragma('freelist_count', { simple: true })).toBe(0)
    vault.commit([deviation('after')], LATER, 'grace')
    await checkpoint(vault, LATER)
    vault.close()

    expect(readdirSync(folder).sort()).toEqual(['people.json', 'vault.db'])
    const keyAfter = Object.keys(readPeople(folder).people.ada?.fileKeys ?? {})
    expect(keyAfter).toHaveLength(1)
    expect(keyAfter).not.toEqual(keyBefore)
    const again = await open(folder, 'grace')
    expect(await verifyVault(again)).toMatchObject({ events: seq + 4, tail: null })
    again.close()

    writePeople(folder, readPeople(old))
    await expect(open(folder)).rejects.toMatchObject({ code: 'vault-damaged' })
  })

  it('vault-history-broken: an event that cannot follow is found before anything moves', async () => {
    const folder = practice.copy()
    const vault = await open(folder)
    const before = contentOf(vault)
    const stranger = { type: 'ceremony-aborted', ceremony: 'G-1999-001', reason: 'none' } as const
    await expect(vault.moveToNewFile(() => [stranger], LATER, 'grace')).rejects.toMatchObject({
      code: 'vault-history-broken',
    })
    expect(contentOf(vault)).toBe(before)
    await move(vault)
    vault.close()
    const again = await open(folder)
    expect(again.state.seq).toBe(11)
    again.close()
  })

  it('every person still opens it alone', async () => {
    const folder = practice.copy()
    const vault = await open(folder, 'grace')
    await move(vault)
    vault.close()
    for (const { id } of PEOPLE) {
      const one = await open(folder, id)
      one.close()
    }
  })

  it('interrupted before the rename: the old file goes on; tidy() removes the new file, its journal and its wraps', async () => {
    const [old, done] = [practice.copy(), practice.copy()]
    const vault = await open(done)
    await move(vault)
    vault.close()
    const before = readFileSync(join(old, 'people.json'))
    writePeople(old, merged(readPeople(old), readPeople(done)))
    writeFileSync(join(old, 'vault.db.next'), readFileSync(dbPath(done)).subarray(0, 9000))
    writeFileSync(join(old, 'vault.db.next-journal'), randomBytes(600))

    const again = await open(old)
    expect(again.state.seq).toBe(9)
    again.tidy()
    expect(readFileSync(join(old, 'people.json')).equals(before)).toBe(true)
    expect(readdirSync(old).sort()).toEqual(['people.json', 'vault.db'])
    await move(again)
    again.close()
    const last = await open(old)
    expect(last.state.seq).toBe(11)
    last.close()
  })

  it('interrupted before the pruning: the new file stands with both wraps; tidy() drops the old one', async () => {
    const [old, done] = [practice.copy(), practice.copy()]
    const vault = await open(done)
    await move(vault)
    vault.close()
    const after = readFileSync(join(done, 'people.json'))
    writePeople(done, merged(readPeople(old), readPeople(done)))
    const again = await open(done)
    again.tidy()
    again.close()
    expect(readFileSync(join(done, 'people.json')).equals(after)).toBe(true)
    const last = await open(done)
    last.close()
  })
})

describe('absence is proved on rows and on decrypted pages, never on encrypted bytes', () => {
  const rowsOf = ({ kids }: Practice) => [`key:${kids.small}`, `wrap:${kids.small}`]

  it('an erased key is in no row and no page, before and after the move to a new file', async () => {
    const vault = await open(practice.copy())
    const ids = rowsOf(practice)
    const marks = vault.marksOf(ids)
    expect(Object.keys(marks)).toEqual(ids)
    const event = { type: 'keys-destroyed', kids: [practice.kids.small], reason: 'retired', marks } as const
    vault.commit([{ ...event, kids: [...event.kids] }], LATER, 'grace', { remove: ids })
    expect(vault.proveAbsence(marks).rows).toBe(6)
    await vault.moveToNewFile(() => [], LATER, 'grace')
    const { rows, pages } = vault.proveAbsence(marks)
    expect(rows).toBe(6)
    expect(pages * 4096).toBe(readFileSync(dbPath(vault.folder)).length)
    vault.close()
  })

  it('vault-damaged: a row that is still there, and bytes that are still in a page under another name', async () => {
    const vault = await open(practice.copy())
    const [id = ''] = rowsOf(practice)
    const marks = vault.marksOf([id])
    for (const claimed of [marks, { 'key:elsewhere': marks[id] ?? '' }])
      expect(() => vault.proveAbsence(claimed)).toThrow(
        expect.objectContaining({ code: 'vault-damaged', message: expect.stringContaining('still in the vault') }),
      )
    vault.close()
  })
})

describe('a tail without a checkpoint is shown and must be accepted by the quorum before any quorum act', () => {
  const withTail = async () => {
    const folder = practice.copy()
    const vault = await open(folder)
    vault.commit([deviation('one'), deviation('two')], LATER, 'grace')
    expect(vault.tail).toBeNull()
    vault.close()
    return folder
  }

  it('is shown with its first and last event, also by verifyVault, and blocks every quorum act', async () => {
    const vault = await open(await withTail())
    expect(vault.tail).toEqual({ from: 10, to: 11 })
    expect((await verifyVault(vault)).tail).toEqual({ from: 10, to: 11 })
    expect(vault.describeTail()).toMatch(/10 to 11/)
    await expect(act(vault, 'export', async () => 1)).rejects.toMatchObject({ code: 'vault-tail' })
    vault.close()
  })

  it('one custodian alone cannot accept it', async () => {
    const folder = await withTail()
    const vault = await open(folder, 'ada', 'emmy', 'grace')
    const before = contentOf(vault)
    await expect(vault.acceptTail(LATER, 'grace')).rejects.toMatchObject({ code: 'quorum-missing' })
    expect(contentOf(vault)).toBe(before)
    expect(vault.tail).not.toBeNull()
    vault.close()
  })

  it('once accepted, quorum acts go on; a checkpoint then covers it for ever', async () => {
    const folder = await withTail()
    const vault = await open(folder)
    await vault.acceptTail(LATER, 'grace')
    expect(vault.tail).toBeNull()
    await act(vault, 'export', async (quorum) => quorum.unseal(practice.kids.small))
    await checkpoint(vault, LATER)
    vault.close()
    const again = await open(folder)
    expect(again.tail).toBeNull()
    expect(await verifyVault(again)).toMatchObject({ tail: null, checkpoints: 2 })
    again.close()
  })

  it('a crash after the acceptance shows only what came after the accepted part', async () => {
    const folder = await withTail()
    const vault = await open(folder)
    await vault.acceptTail(LATER, 'grace')
    vault.close()
    const again = await open(folder)
    expect(again.tail).toEqual({ from: 12, to: 12 })
    again.close()
  })

  it('a vault whose last event is a checkpoint has none; accepting then changes nothing', async () => {
    const vault = await open(practice.copy())
    expect(vault.tail).toBeNull()
    const before = contentOf(vault)
    await vault.acceptTail(LATER, 'grace')
    expect(contentOf(vault)).toBe(before)
    vault.close()
  })
})

describe('verify and head', () => {
  it('verifyVault counts what it checked', async () => {
    const vault = await open(practice.copy())
    expect(await verifyVault(vault)).toMatchObject({
      name: 'Rehearsal',
      practice: true,
      epoch: 1,
      events: 9,
      signatures: 8,
      approvals: 4,
      checkpoints: 1,
      sealed: 8,
      tail: null,
    })
    vault.close()
  })

  it('headOf gives the newest link, the checkpoint and the root in words', async () => {
    const vault = await open(practice.copy(), 'emmy')
    const head = await headOf(vault)
    expect(head).toMatchObject({ seq: 9, head: vault.state.head, root: vault.anchor.key.kid })
    expect(head.checkpoint).toBe(vault.state.checkpoint?.statement)
    expect(head.rootWords).toHaveLength(24)
    expect(head.signed).toMatchObject({ seq: 8, headHex: { length: 16 } })
    expect(basename(vault.folder)).toMatch(/\.vault$/)
    vault.close()
  })
})
