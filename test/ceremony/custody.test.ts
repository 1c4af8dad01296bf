import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { abortCeremony } from '../../electron/ceremony/abort.ts'
import { resumeCeremony } from '../../electron/ceremony/runner.ts'
import { verifyFiles } from '../../electron/evidence/verify.ts'
import type { UnlockedPerson } from '../../electron/vault/people.ts'
import { readPeople, writePeople } from '../../electron/vault/people-store.ts'
import { unlockPeople, Vault } from '../../electron/vault/vault.ts'
import { copiesOf } from '../../shared/domain/ledger.ts'
import { openCeremony } from '../../shared/domain/state.ts'
import type { Code } from '../../shared/errors.ts'
import { parsePlan } from '../../shared/formats/plan.ts'
import {
  failure,
  filesOf,
  type Genesis,
  makeGenesis,
  PASSPHRASES,
  PEOPLE,
  PRESENT,
  type Room,
  tenantPlan,
} from './fixtures.ts'

/** Deriving keys is not what is tested here; fault-10-kdf.test.ts does that. */
vi.mock('../../electron/vault/kdf.ts', () => import('../faults/harness/cheap-kdf.ts'))

/** A change of people (vault.md, "Quorum"): always a new quorum secret, and nobody's share is lost on the way. */

const DAI = { id: 'dai', name: 'Dai Tanaka', role: 'custodian' } as const
const SECRET = 'canary passphrase of dai 7194'
const without = (id: string) => PEOPLE.filter((person) => person.id !== id).map((person) => ({ ...person }))
const custody = (people: object[], more: object = {}) => ({
  kind: 'custody',
  reason: 'Clara left the company',
  threshold: 2,
  people,
  ...more,
})
/** Clara leaves, Dai takes her place. */
const REPLACE = custody([...without('clara'), DAI])
const ON_MEDIUM = custody([...without('clara'), { ...DAI, share: 'medium' }])
const EVERYONE = PEOPLE.map(({ id }) => id)

let genesis: Genesis
let ready: Room
let room: Room

beforeAll(async () => {
  genesis = await makeGenesis()
  ready = genesis.room()
  await ready.onboard(tenantPlan('acme'))
}, 120_000)
afterAll(() => genesis.remove())
beforeEach(() => {
  room = ready.copy(genesis.folder())
  room.secrets.set('passphrase-dai', SECRET)
})

/** People of a vault, by their passphrases as they are now. */
async function unlocked(at: Room, passphrases: Record<string, string>): Promise<Map<string, UnlockedPerson>> {
  return unlockPeople(readPeople(at.vault), new Map(Object.entries(passphrases)))
}

/** The room with Dai among those who can be there. */
async function withDai(at: Room): Promise<Room> {
  const people = at.people as Map<string, UnlockedPerson>
  for (const [id, person] of await unlocked(at, { dai: SECRET })) people.set(id, person)
  return at
}

const verified = async (at: Room, ceremony: string) => {
  const [anchor] = filesOf(at.media).filter((name) => name.startsWith('trust-anchor-'))
  const report = await verifyFiles([join(at.records, ceremony)], join(at.media, anchor ?? ''), at.clock.now())
  expect(report.files.filter((file) => file.standing !== 'verified' && file.kind !== 'checksums')).toEqual([])
  expect(report.files.every((file) => file.ok)).toBe(true)
}

/** A quorum that can make keys shows that the sealed keys open. */
async function works(at: Room, present: readonly string[]): Promise<void> {
  await at.run({ kind: 'onboard', tenants: [tenantPlan('later')] }, { present })
  expect((await at.withVault(({ tail }) => tail, present)) === null).toBe(true)
}

describe('somebody leaves and somebody joins', () => {
  it('deals, proves and activates; the leaver has no access, the newcomer has, and the record verifies', async () => {
    const { result, state } = await room.run(REPLACE)
    expect(state).toMatchObject({ epoch: 2, pending: null, former: ['clara'] })
    expect(Object.keys(state.people).sort()).toEqual(['ada', 'blaise', 'dai', 'emmy', 'grace'])
    const file = readPeople(room.vault)
    expect(Object.keys(file.people).sort()).toEqual(['ada', 'blaise', 'dai', 'emmy', 'grace'])
    expect(file.pending).toEqual({})
    for (const { fileKeys, shares } of Object.values(file.people)) {
      expect(Object.keys(fileKeys)).toHaveLength(1)
      expect(Object.keys(shares).every((epoch) => epoch === '2')).toBe(true)
    }
    await withDai(room)
    expect(await room.verify()).toMatchObject({ epoch: 2, tail: null })
    await verified(room, result.ceremony)
    await works(room, ['ada', 'dai', 'emmy', 'grace'])
    await expect(room.open(['clara'])).rejects.toMatchObject({ code: 'vault-people-changed' })
  })

  it('the leaver opens nothing of the new file, not with an older people.json either', async () => {
    const old = readPeople(room.vault)
    await room.run(REPLACE)
    const clara = await unlockPeople(old, new Map([['clara', PASSPHRASES.get('clara') ?? '']]))
    writePeople(room.vault, old)
    await expect(Vault.openFor(room.vault, clara)).rejects.toMatchObject({ code: 'vault-damaged' })
  })

  it('a leaver who was there signs the record too', async () => {
    const { result } = await room.run(REPLACE, { present: EVERYONE })
    const record = JSON.parse(readFileSync(join(room.records, result.ceremony, 'record.json'), 'utf8'))
    expect(Object.keys(record.signatures).sort()).toEqual(['ada', 'blaise', 'clara', 'dai', 'emmy', 'grace'])
    await verified(room, result.ceremony)
  })

  it('the whole list at once: another administrator, other names, another threshold', async () => {
    room.secrets.set('passphrase-hedy', 'canary passphrase of hedy 7194')
    const people = [
      { id: 'ada', name: 'Ada King', role: 'custodian' },
      { id: 'blaise', name: 'Blaise Pascal', role: 'custodian' },
      { id: 'clara', name: 'Clara Immerwahr', role: 'custodian' },
      DAI,
      { id: 'emmy', name: 'Emmy Noether', role: 'compliance' },
      { id: 'hedy', name: 'Hedy Lamarr', role: 'administrator' },
    ]
    const { result, state } = await room.run(custody(people, { threshold: 3 }), { present: EVERYONE })
    expect(state.former).toEqual(['grace'])
    await verified(room, result.ceremony)
    await withDai(room)
    const missing = await failure(
      room.run({ kind: 'onboard', tenants: [tenantPlan('later')] }, { present: ['ada', 'blaise'] }),
    )
    expect(missing.code).toBe('quorum-missing')
    await works(room, ['ada', 'clara', 'dai', 'emmy'])
  })

  it('the ledger shows the shares of the epoch before for every key that existed then, and for no later key', async () => {
    await room.run(REPLACE)
    await withDai(room)
    const { state } = await room.run({ kind: 'onboard', tenants: [tenantPlan('later')] })
    const [before, after] = ['acme', 'later'].map((tenant) =>
      [...state.keys.values()].find((key) => key.tenant === tenant),
    )
    if (!before || !after) throw new Error('no key')
    expect(copiesOf(state, before)).toContainEqual(
      expect.objectContaining({ id: 'shares:1', status: 'open', holder: expect.stringContaining('clara') }),
    )
    expect(copiesOf(state, after).some(({ id }) => id.startsWith('shares:'))).toBe(false)
  })
})

describe('plans that are refused leave everything as it was', () => {
  it.each<[string, Code, object]>([
    [
      'one person, two roles (fault 12)',
      'people-invalid',
      custody([...without('clara'), { ...DAI, name: 'ada lovelace' }]),
    ],
    ['one id twice', 'people-invalid', custody([...PEOPLE, { ...DAI, id: 'ada' }])],
    ['too few custodians for the threshold', 'people-invalid', custody([...without('clara')], { threshold: 3 })],
    ['nobody to witness', 'people-invalid', custody([...without('emmy'), DAI])],
    [
      'a share for somebody who is no custodian',
      'people-invalid',
      custody([...without('emmy'), { ...PEOPLE[3], share: 'medium' }]),
    ],
  ])('%s: %s', async (_what, code, plan) => {
    await room.refused(plan, code)
  })

  it('an id of somebody who left is never given to another person', async () => {
    await room.run(REPLACE)
    await withDai(room)
    const clara = { id: 'clara', name: 'Clara Schumann', role: 'custodian' }
    await room.refused(custody([...without('clara'), DAI, clara]), 'people-invalid')
  })

  it("a newcomer with somebody else's passphrase: passphrase-weak, and nobody is named", async () => {
    room.secrets.set('passphrase-dai', PASSPHRASES.get('emmy') ?? '')
    const error = await failure(room.run(REPLACE))
    expect(error).toMatchObject({ code: 'passphrase-weak' })
    expect(error.message).not.toContain('emmy')
    expect((await room.state()).pending).toBeNull()
  })
})

describe('until all have proved their share, the old roster stays in force', () => {
  /** Stops before the proofs: Clara stays, but is not there. */
  const RESHARE = custody([...PEOPLE.map((person) => ({ ...person })), DAI])
  const resume = (present: readonly string[]) => {
    room.clock.advance(60)
    return room.withVault(
      (vault) => resumeCeremony(room.ports(), vault, parsePlan, { confirm: [], acceptTail: true }),
      present,
    )
  }

  it('quorum-missing names who is missing; what was proved is kept; the last one opens the way', async () => {
    const error = await failure(room.run(RESHARE))
    expect(error).toMatchObject({ code: 'quorum-missing', message: expect.stringContaining('clara') })
    const between = await room.state()
    expect(between.epoch).toBe(1)
    expect([...(between.proved.get(2)?.keys() ?? [])].sort()).toEqual(['ada', 'blaise', 'dai'])
    await withDai(room)
    const result = await resume([...EVERYONE, 'dai'])
    expect((await room.state()).epoch).toBe(2)
    await verified(room, result.ceremony)
    await works(room, ['clara', 'dai', 'emmy', 'grace'])
  })

  it('abort drops the pending shares, and the old roster goes on', async () => {
    await failure(room.run(RESHARE))
    expect(Object.keys(readPeople(room.vault).pending)).toHaveLength(6)
    await room.withVault((vault) =>
      abortCeremony(room.ports(), vault, { reason: 'Clara does not come', acceptTail: true }),
    )
    expect(readPeople(room.vault).pending).toEqual({})
    const state = await room.state()
    expect(state).toMatchObject({ epoch: 1, pending: null })
    expect(openCeremony(state)).toBeNull()
    await room.verify()
    await works(room, PRESENT)
    await expect(unlocked(room, { dai: SECRET })).rejects.toMatchObject({ code: 'passphrase-missing' })
  })

  it('a pending entry with a swapped public key is refused (fault 8)', async () => {
    await failure(room.run(RESHARE))
    const file = readPeople(room.vault)
    const [dai, ada] = [file.pending['dai'], file.people['ada']]
    if (!dai || !ada) throw new Error('nobody')
    const swapped = { ...dai, identity: { ...dai.identity, encryption: ada.identity.encryption } }
    writePeople(room.vault, { ...file, pending: { ...file.pending, dai: swapped } })
    await expect(room.open()).rejects.toMatchObject({
      code: 'vault-people-changed',
      message: expect.stringContaining('dai'),
    })
  })

  it('a newcomer opens nothing before the roster is in force', async () => {
    await failure(room.run(RESHARE))
    const people = await unlocked(room, { dai: SECRET })
    await expect(Vault.openFor(room.vault, people)).rejects.toMatchObject({ code: 'vault-people-changed' })
  })
})

it('fault 8: a public key swapped while the vault is open is found before dealing', async () => {
  const error = await failure(
    room.run(REPLACE, {
      vault: (vault) => {
        const file = readPeople(room.vault)
        const [ada, emmy] = [file.people['ada'], file.people['emmy']]
        if (!ada || !emmy) throw new Error('nobody')
        const swapped = { ...ada, identity: { ...ada.identity, encryption: emmy.identity.encryption } }
        // Between the opening and the dealing.
        const real = vault.dealNext.bind(vault)
        vault.dealNext = (next) => {
          writePeople(room.vault, { ...file, people: { ...file.people, ada: swapped } })
          return real(next)
        }
        return vault
      },
    }),
  )
  expect(error).toMatchObject({ code: 'vault-people-changed', message: expect.stringContaining('ada') })
})

describe('a share on its own medium', () => {
  const files = (at: Room) => (existsSync(at.shares) ? readdirSync(at.shares) : [])

  it('is a .share file and no entry of people.json; a quorum act takes it from there', async () => {
    const { result, state } = await room.run(ON_MEDIUM)
    expect(files(room)).toEqual([expect.stringMatching(/^share-[0-9a-f]{8}-\d{8}T\d{6}Z\.share$/)])
    expect(readPeople(room.vault).people['dai']?.shares).toEqual({})
    expect(state.holders).toMatchObject({ ada: 'vault', dai: 'medium' })
    await verified(room, result.ceremony)
    await withDai(room)
    await works(room, ['ada', 'dai', 'emmy', 'grace'])
  })

  it.each<[string, RegExp, (at: Room) => void]>([
    ['missing', /dai lies on their own medium/, (at) => rmSync(at.shares, { recursive: true })],
    [
      'of another vault',
      /dai is of another vault/,
      (at) => {
        const [name = ''] = files(at)
        const path = join(at.shares, name)
        const [header = '', ...rest] = readFileSync(path, 'utf8').split('.')
        const changed = JSON.parse(Buffer.from(header, 'base64url').toString())
        changed.vault = '22222222-2222-4222-8222-222222222222'
        writeFileSync(path, [Buffer.from(JSON.stringify(changed)).toString('base64url'), ...rest].join('.'))
      },
    ],
    [
      'cut',
      /dai does not open|dai lies on their own medium/,
      (at) => {
        const [name = ''] = files(at)
        const path = join(at.shares, name)
        writeFileSync(path, `${readFileSync(path, 'utf8').slice(0, -9)}\n`)
      },
    ],
  ])('%s: share-invalid, naming the person', async (_what, message, change) => {
    await room.run(ON_MEDIUM)
    await withDai(room)
    change(room)
    const plan = { kind: 'onboard', tenants: [tenantPlan('later')] }
    const error = await room.refused(plan, 'share-invalid', { present: ['ada', 'dai', 'emmy', 'grace'] })
    expect(error.message).toMatch(message)
  })

  it('of an epoch before: share-invalid, naming both epochs', async () => {
    await room.run(ON_MEDIUM)
    await withDai(room)
    const stale = genesis.folder()
    cpSync(room.shares, stale, { recursive: true })
    const again = custody([...without('clara'), { ...DAI, share: 'medium' }])
    await room.run(again, { present: ['ada', 'blaise', 'dai', 'emmy', 'grace'] })
    rmSync(room.shares, { recursive: true })
    cpSync(stale, room.shares, { recursive: true })
    const error = await failure(
      room.run({ kind: 'onboard', tenants: [tenantPlan('later')] }, { present: ['ada', 'dai', 'emmy', 'grace'] }),
    )
    expect(error).toMatchObject({ code: 'share-invalid', message: expect.stringMatching(/dai is of epoch 2.*epoch 3/) })
  })
})

describe('what a lone insider could forge', () => {
  const openAndClose = async (at: Room) => (await at.open()).close()
  const stop = new Error('the lights went out')
  /** A custody ceremony that stops right after its dealing was committed, and what an insider then writes. */
  const dealtThen = async (work: (vault: Vault) => void) => {
    await room
      .run(custody([...PEOPLE.map((person) => ({ ...person })), DAI]), {
        vault: (vault) => {
          vault.proveNext = () => Promise.reject(stop)
          return vault
        },
      })
      .catch((error) => expect(error).toBe(stop))
    await room.withVault(work, ['emmy'])
  }

  it('dealing by themselves: no quorum approved it', async () => {
    await room.withVault(
      (vault) => {
        const { state, roster } = vault
        const started = {
          type: 'ceremony-started',
          ceremony: 'C-2026-099',
          kind: 'custody',
          planDigest: roster.secretCommitment,
          plan: '{}',
          present: ['emmy'],
          clock: null,
          headCard: null,
        } as const
        const text = JSON.stringify({ ...roster, epoch: 2 })
        const dealt = {
          type: 'custody-dealt',
          epoch: 2,
          roster: text,
          custodians: state.holders,
          people: state.people,
        } as const
        vault.commit([{ ...started, present: ['emmy'] }, dealt], room.clock.now(), 'emmy')
      },
      ['emmy'],
    )
    expect(await failure(openAndClose(room))).toMatchObject({
      code: 'vault-history-broken',
      message: expect.stringContaining('no quorum approved it'),
    })
  })

  it('accepting in the name of the new custodians: claimed, and not given', async () => {
    await dealtThen((vault) => {
      const { state } = vault
      const [given] = [...state.ceremonies.values()].at(-1)?.approvals ?? []
      if (!given) throw new Error('no approval')
      const { step, objects, approvals } = given
      const ceremony = [...state.ceremonies.keys()].at(-1) ?? ''
      vault.commit([{ type: 'custody-accepted', ceremony, step, objects, approvals }], room.clock.now(), 'emmy')
    })
    expect(await failure(openAndClose(room))).toMatchObject({
      code: 'vault-history-broken',
      message: expect.stringContaining('new custodians'),
    })
  })

  it('putting the roster in force before all have proved their share: the fold refuses', async () => {
    await dealtThen((vault) => {
      const { state } = vault
      const { roster, agreements, people } = state
      const early = { type: 'epoch-activated', epoch: 2, roster, agreements, people, sealed: {} } as const
      expect(() => vault.commit([early], room.clock.now(), 'emmy')).toThrow(
        expect.objectContaining({ code: 'vault-history-broken', message: expect.stringContaining('proved') }),
      )
    })
    expect((await room.state()).epoch).toBe(1)
  })
})
