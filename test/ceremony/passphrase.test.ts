import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { resumeCeremony } from '../../electron/ceremony/runner.ts'
import { verifyFiles } from '../../electron/evidence/verify.ts'
import { readPeople, writePeople } from '../../electron/vault/people-store.ts'
import { Vault } from '../../electron/vault/vault.ts'
import { passphraseCopies } from '../../shared/domain/ledger-people.ts'
import type { Code } from '../../shared/errors.ts'
import { inventorySchema } from '../../shared/formats/inventory.ts'
import { peekStatement } from '../../shared/formats/jws.ts'
import { parsePlan } from '../../shared/formats/plan.ts'
import { failure, filesOf, type Genesis, makeGenesis, PASSPHRASES, PRESENT, type Room, tenantPlan } from './fixtures.ts'

/** `passphrase`: one person changes theirs, alone. */

/** Argon2id itself is tested in fault-10-kdf.test.ts; what stands in for it normalises alike. */
vi.mock('../../electron/vault/kdf.ts', () => import('../faults/harness/cheap-kdf.ts'))

const PLAN = { kind: 'passphrase', person: 'ada' }
/** Composed letters, a ligature and a full-width digit: its Unicode forms differ. */
const NEXT = 'Übermut \uFB01ndet Ångström \uFF17 mal'
const OLD = PASSPHRASES.get('ada') ?? ''

let genesis: Genesis
let room: Room

beforeAll(async () => {
  genesis = await makeGenesis()
}, 120_000)
afterAll(() => genesis.remove())
beforeEach(() => {
  room = genesis.room()
  room.secrets.set('new-passphrase-ada', NEXT)
})

const alone = { present: ['ada'] }
const openAs = (at: Room, id: string, passphrase: string) => Vault.open(at.vault, new Map([[id, passphrase]]))
const anchorOf = (at: Room) => join(at.media, filesOf(at.media).find((name) => name.startsWith('trust-anchor-')) ?? '')

describe('one person, without a quorum', () => {
  it('the new passphrase opens, in every Unicode form (fault 11); the old one does not; the keys stay', async () => {
    const before = readPeople(room.vault).people['ada']?.identity
    const { state } = await room.run(PLAN, alone)
    for (const form of ['NFC', 'NFD', 'NFKC']) (await openAs(room, 'ada', NEXT.normalize(form))).close()
    expect(await failure(openAs(room, 'ada', OLD))).toMatchObject({ code: 'passphrase-wrong' })
    const { identity } = readPeople(room.vault).people['ada'] ?? {}
    expect([identity?.encryption, identity?.signing]).toEqual([before?.encryption, before?.signing])
    expect(identity?.kdf).toEqual({ ...before?.kdf, salt: expect.not.stringMatching(before?.kdf.salt ?? '') })
    expect(state.epoch).toBe(1)
    expect(passphraseCopies(state)).toEqual([expect.objectContaining({ status: 'open', holder: 'ada' })])
  })

  it('its record is signed by that person alone, is consistent and no more, and says that nobody else approved', async () => {
    const { result } = await room.run(PLAN, alone)
    const folder = join(room.records, result.ceremony)
    const { record, signatures, closing } = JSON.parse(readFileSync(join(folder, 'record.json'), 'utf8'))
    expect([Object.keys(signatures), closing.approvals]).toEqual([['ada'], []])
    expect(record.steps.at(-1).observed).toContain('stay open copies')
    const report = await verifyFiles([folder], anchorOf(room), room.clock.now())
    expect(report.files.filter(({ ok }) => !ok)).toEqual([])
    const found = report.files.find(({ kind }) => kind === 'record')
    expect(found).toMatchObject({ standing: 'consistent', remarks: [expect.stringContaining('alone')] })
  })

  it('leaves a tail that the next quorum accepts, and not before; then the root has signed it', async () => {
    await room.run(PLAN, alone)
    expect((await room.withVault(({ tail }) => tail))?.from).toBeGreaterThan(1)
    const next = { kind: 'onboard', tenants: [tenantPlan('acme')] }
    await room.refused(next, 'vault-tail')
    await room.run(next, { acceptTail: true })
    expect(await room.verify()).toMatchObject({ tail: null })
  })

  it('twice in a row, without a quorum in between', async () => {
    await room.run(PLAN, alone)
    room.secrets.set('new-passphrase-blaise', `${NEXT} again`)
    await room.run({ ...PLAN, person: 'blaise' }, { present: ['blaise'] })
    await room.verify()
  })

  it('the share still opens: a quorum with that person makes keys', async () => {
    await room.run(PLAN, alone)
    await room.run({ kind: 'onboard', tenants: [tenantPlan('acme')] }, { acceptTail: true, present: PRESENT })
    await room.verify()
  })
})

describe('refused, and everything is as it was', () => {
  it.each<[string, Code, object, string[]]>([
    ['others are there too', 'ceremony-conflict', PLAN, PRESENT],
    ['somebody else is there', 'passphrase-missing', PLAN, ['blaise']],
    ['a stranger', 'people-invalid', { ...PLAN, person: 'mallory' }, ['ada']],
  ])('%s: %s', async (_what, code, plan, present) => {
    await room.refused(plan, code, { present })
  })

  it.each([
    ['weak', 'password'],
    ['the one in use', OLD],
    ["somebody else's", PASSPHRASES.get('grace') ?? ''],
    [
      "somebody else's in another Unicode form",
      (PASSPHRASES.get('grace') ?? '').normalize('NFD').replace('7', '\uFF17'),
    ],
  ])(
    'a passphrase that is %s: passphrase-weak; the old one stays, and the ceremony goes on with another',
    async (_what, given) => {
      room.secrets.set('new-passphrase-ada', given)
      const error = await failure(room.run(PLAN, alone))
      expect(error.code).toBe('passphrase-weak')
      expect(error.message).not.toMatch(/grace|7194/)
      expect(readPeople(room.vault).pending).toEqual({})
      room.secrets.set('new-passphrase-ada', NEXT)
      room.clock.advance(60)
      await room.withVault(
        (vault) => resumeCeremony(room.ports(), vault, parsePlan, { confirm: [], acceptTail: false }),
        ['ada'],
      )
      ;(await openAs(room, 'ada', NEXT)).close()
    },
  )
})

it('a power cut at any moment leaves the old passphrase or the new one, never none and never both', async () => {
  const cuts: Room[] = []
  const keep = () => {
    const copy = room.copy(genesis.folder())
    cuts.push(copy)
  }
  await room.run(PLAN, {
    ...alone,
    vault: (vault) => {
      const commit = vault.commit.bind(vault)
      vault.commit = (...given) => {
        keep()
        commit(...given)
        keep()
      }
      return vault
    },
  })
  expect(cuts.length).toBeGreaterThan(5)
  for (const cut of cuts) {
    const opened: string[] = []
    for (const passphrase of [OLD, NEXT])
      await openAs(cut, 'ada', passphrase).then(
        (vault) => {
          opened.push(passphrase)
          vault.close()
        },
        (error) => expect(error).toMatchObject({ code: 'passphrase-wrong' }),
      )
    expect(opened).toHaveLength(1)
  }
}, 60_000)

it('the inventory names the old passphrase, and whose shares the epochs before had', async () => {
  await room.run(PLAN, alone)
  const people = (await room.withVault(({ roster }) => roster.people)).map(({ id, name, role }) => ({ id, name, role }))
  const all = people.map(({ id }) => id)
  await room.run({ kind: 'custody', reason: 'A new secret', threshold: 2, people }, { acceptTail: true, present: all })
  const { state } = await room.run({ kind: 'inventory' })
  const taken = peekStatement(state.inventories.at(-1)?.statement ?? '', inventorySchema, 'inventory')
  expect(taken.passphrases).toEqual([expect.objectContaining({ holder: 'ada', status: 'open' })])
  expect(taken.pastEpochs).toEqual([{ epoch: 1, holders: ['ada', 'blaise', 'clara'], opens: [] }])
})

describe('what a lone insider could forge', () => {
  it('another salt or cost in people.json, or the old entry put back: vault-people-changed, naming the person', async () => {
    const old = readPeople(room.vault)
    await room.run(PLAN, alone)
    const file = readPeople(room.vault)
    const [now, then] = [file.people['ada'], old.people['ada']]
    if (!now || !then) throw new Error('nobody')
    const salted = { ...now, identity: { ...now.identity, kdf: { ...now.identity.kdf, salt: 'A'.repeat(22) } } }
    for (const ada of [then, salted]) {
      writePeople(room.vault, { ...file, people: { ...file.people, ada } })
      expect(await failure(room.open(['blaise']))).toMatchObject({
        code: 'vault-people-changed',
        message: expect.stringContaining('ada'),
      })
    }
  })
})

it('a change in the name of another person: the fold refuses it, and no quorum can accept one that they did not sign', async () => {
  const error = await failure(
    room.run(
      { ...PLAN, person: 'blaise' },
      {
        present: ['blaise'],
        vault: (vault) => {
          const commit = vault.commit.bind(vault)
          vault.commit = (events, ...rest) =>
            commit(
              events.map((event) => (event.type === 'passphrase-changed' ? { ...event, person: 'ada' } : event)),
              ...rest,
            )
          room.secrets.set('new-passphrase-blaise', NEXT)
          return vault
        },
      },
    ),
  )
  expect(error).toMatchObject({ code: 'vault-history-broken', message: expect.stringContaining('ada') })
})

it('a tail in which somebody did not sign what names them is not accepted', async () => {
  await room.run(PLAN, alone)
  await room.withVault(
    (vault) => vault.database.prepare("UPDATE events SET signature = NULL WHERE type = 'passphrase-changed'").run(),
    ['emmy'],
  )
  const next = { kind: 'onboard', tenants: [tenantPlan('acme')] }
  const error = await room.refused(next, 'vault-history-broken', { acceptTail: true })
  expect(error.message).toContain('did not sign it')
})
