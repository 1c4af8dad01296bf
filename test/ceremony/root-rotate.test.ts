import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { verifyFiles } from '../../electron/evidence/verify.ts'
import { openRuntime } from '../../electron/issuer/runtime.ts'
import { p256Public, statementSigner } from '../../electron/vault/people.ts'
import { readPeople, writePeople } from '../../electron/vault/people-store.ts'
import type { Vault } from '../../electron/vault/vault.ts'
import { hexGroups, thumbprint } from '../../shared/formats/fingerprint.ts'
import { openTrustAnchor, signTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import {
  failure,
  filesOf,
  type Genesis,
  makeGenesis,
  PRESENT,
  type Room,
  type TestRuntime,
  tenantPlan,
} from './fixtures.ts'

/** `root-rotate`: the sealed successor takes over, and both roots sign. */

vi.mock('../../electron/vault/kdf.ts', () => import('../faults/harness/cheap-kdf.ts'))

const rotation = (compromised = false) => ({ kind: 'root-rotate', reason: 'Five years have passed', compromised })

let genesis: Genesis
let ready: Room
let room: Room
let runtime: TestRuntime

beforeAll(async () => {
  genesis = await makeGenesis()
  ready = genesis.room()
  await ready.onboard(tenantPlan('acme'))
  const made = await ready.runtime()
  await ready.handoff(made)
  await made.runtime.close()
}, 120_000)
afterAll(() => genesis.remove())
beforeEach(async () => {
  room = ready.copy(genesis.folder())
  runtime = { id: 'eu-one', dir: join(room.base, 'eu-one'), runtime: await reopened(room) }
})

const reopened = (at: Room) => openRuntime({ dir: join(at.base, 'eu-one'), clock: at.clock })
const named = (at: Room, type: string) => filesOf(at.media).filter((name) => name.startsWith(`${type}-`))
/** The trust anchor files before the rotation and after it. */
const oldAnchor = (at: Room): string => join(at.media, named(ready, 'trust-anchor')[0] ?? '')
const newAnchor = (at: Room): string => {
  const before = named(ready, 'trust-anchor')
  return join(at.media, named(at, 'trust-anchor').find((name) => !before.includes(name)) ?? '')
}
const succession = (at: Room): string => join(at.media, named(at, 'succession')[0] ?? '')
const rootOf = async (at: Room) => (await openTrustAnchor((await at.state()).anchor)).key.kid

describe('the successor takes over', () => {
  it('is the root from then on; the old rows are gone, a new successor is sealed, and all of history verifies', async () => {
    const before = await room.state()
    const { state } = await room.run(rotation())
    const anchor = await openTrustAnchor(state.anchor)
    expect(anchor.key.kid).toBe(before.successor)
    expect(anchor.successor).toBe(state.successor)
    expect(state.successor).not.toBe(before.successor)
    const old = (await openTrustAnchor(before.anchor)).key.kid
    expect([...state.sealed.keys()].filter((id) => id.endsWith(old))).toEqual([])
    expect(state.sealed.has(`key:${state.successor}`)).toBe(true)
    expect(readPeople(room.vault).anchor).toBe(state.anchor)
    expect(await room.verify()).toMatchObject({ tail: null, epoch: 1 })
    await room.run({ kind: 'onboard', tenants: [tenantPlan('later')] })
    await room.verify()
  })

  it('twice, with a new quorum secret in between', async () => {
    await room.run(rotation())
    const people = (await room.withVault(({ roster }) => roster.people)).map(({ id, name, role }) => ({
      id,
      name,
      role,
    }))
    await room.run(
      { kind: 'custody', reason: 'A new secret', threshold: 2, people },
      { present: people.map(({ id }) => id) },
    )
    await room.run(rotation())
    expect(await room.verify()).toMatchObject({ tail: null, epoch: 2 })
  })

  it('records of before and after verify from either trust anchor with the succession, and without it only from their own', async () => {
    const { result } = await room.run(rotation())
    const [first] = filesOf(room.records)
    const records = ['onboard', 'rotate'].map((_, index) =>
      join(room.records, index === 0 ? (first?.split('/')[0] ?? '') : result.ceremony),
    )
    const standing = async (paths: string[], anchor: string) =>
      (await verifyFiles(paths, anchor, room.clock.now())).files
        .filter(({ kind }) => kind === 'record')
        .map((file) => file.standing)
    for (const anchor of [oldAnchor(room), newAnchor(room)])
      expect(await standing([...records, succession(room)], anchor)).toEqual(['verified', 'verified'])
    expect(await standing(records, oldAnchor(room))).toEqual(['verified', 'failed'])
    expect(await standing(records, newAnchor(room))).toEqual(['failed', 'verified'])
  })

  it('an old record is written again byte for byte', async () => {
    const { writtenOf } = await import('../../electron/ceremony/record.ts')
    const before = await room.withVault((vault) => JSON.stringify(writtenOf(vault, 'O-2026-002').record))
    await room.run(rotation())
    expect(await room.withVault((vault) => JSON.stringify(writtenOf(vault, 'O-2026-002').record))).toBe(before)
  })
})

describe('runtimes', () => {
  it('one that took the succession imports the next handoff, and keeps the new root when it is opened again', async () => {
    await room.run(rotation())
    expect(await runtime.runtime.takeSuccession(succession(room))).toMatchObject({
      changed: true,
      root: await rootOf(room),
    })
    await room.intake(runtime)
    await room.handoff(runtime)
    await runtime.runtime.close()
    const again = { ...runtime, runtime: await reopened(room) }
    expect(again.runtime.config.rootKid).toBe(await rootOf(room))
    expect(await again.runtime.takeSuccession(succession(room))).toMatchObject({ changed: false })
    await again.runtime.close()
  })

  it('one that did not take it refuses the next handoff', async () => {
    await room.run(rotation())
    await room.intake(runtime)
    expect(await failure(room.handoff(runtime))).toMatchObject({ code: 'signature-invalid' })
    await runtime.runtime.close()
  })

  it('after a suspected compromise the word of the old root is not enough; the fingerprint is', async () => {
    await room.run(rotation(true))
    expect(await failure(runtime.runtime.takeSuccession(succession(room)))).toMatchObject({ code: 'comparison-failed' })
    const wrong = hexGroups(runtime.runtime.config.rootKid).join(' ')
    expect(await failure(runtime.runtime.repin(newAnchor(room), wrong))).toMatchObject({ code: 'comparison-failed' })
    const right = hexGroups(await rootOf(room)).join(' ')
    for (const file of [newAnchor(room), succession(room)]) await runtime.runtime.repin(file, right)
    await room.intake(runtime)
    await room.handoff(runtime)
    await runtime.runtime.close()
  })

  it('a verifier with the old trust anchor follows no succession after a suspected compromise', async () => {
    const { result } = await room.run(rotation(true))
    const paths = [join(room.records, result.ceremony), succession(room)]
    const from = async (anchor: string) =>
      Object.fromEntries(
        (await verifyFiles(paths, anchor, room.clock.now())).files.map(({ kind, standing }) => [kind, standing]),
      )
    expect(await from(oldAnchor(room))).toMatchObject({ record: 'failed', succession: 'consistent' })
    expect(await from(newAnchor(room))).toMatchObject({ record: 'verified', succession: 'verified' })
    await runtime.runtime.close()
  })

  it('a succession to a root that the pinned one does not name is refused', async () => {
    const other = ready.copy(genesis.folder())
    await other.run(rotation())
    await other.run(rotation())
    const second = named(other, 'succession').map((name) => join(other.media, name))
    const refused = await Promise.allSettled(second.map((path) => runtime.runtime.takeSuccession(path)))
    expect(refused.some((one) => one.status === 'rejected')).toBe(true)
    await runtime.runtime.close()
  })
})

describe('what a lone insider could forge', () => {
  const forged = async (vaultId: string, successor: string) => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const jwk = p256Public(publicKey)
    const claims = { vaultId, name: 'Test vault', practice: true, root: jwk, successor, iat: room.clock.now() }
    return signTrustAnchor(claims, statementSigner(thumbprint(jwk), privateKey))
  }

  it('another trust anchor in people.json: vault-history-broken', async () => {
    const { vaultId, successor } = await room.state()
    const file = readPeople(room.vault)
    writePeople(room.vault, { ...file, anchor: await forged(vaultId, successor) })
    expect(await failure(room.open())).toMatchObject({ code: 'vault-history-broken' })
  })

  it('a root-rotated event of their own: no quorum approved it, and both roots did not sign', async () => {
    const { vaultId, roster, successor } = await room.state()
    const anchor = await forged(vaultId, successor)
    await room.withVault(
      (vault) => {
        vault.commit(
          [
            {
              type: 'ceremony-started',
              ceremony: 'T-2026-099',
              kind: 'root-rotate',
              planDigest: thumbprint(vault.anchor.root),
              plan: '{}',
              present: ['emmy'],
              clock: null,
              headCard: null,
            },
            {
              type: 'root-rotated',
              succession: { old: anchor, next: anchor, anchor },
              compromised: false,
              successor: thumbprint(vault.anchor.root),
              roster,
              agreements: {},
              acceptances: {},
              sealed: {},
              removed: [],
            },
          ],
          room.clock.now(),
          'emmy',
        )
      },
      ['emmy'],
    )
    expect(await failure(room.open())).toMatchObject({ code: 'vault-history-broken' })
  })
})

it('a power cut at any moment leaves the old root or the new one, complete', async () => {
  const cuts: Room[] = []
  await room.run(rotation(), {
    vault: (vault) => {
      const commit = vault.commit.bind(vault)
      vault.commit = (...given) => {
        cuts.push(room.copy(genesis.folder()))
        commit(...given)
        cuts.push(room.copy(genesis.folder()))
      }
      return vault
    },
  })
  const before = (await ready.state()).anchor
  const after = (await room.state()).anchor
  for (const cut of cuts) {
    const vault: Vault = await cut.open(PRESENT)
    expect([before, after]).toContain(vault.anchor.jws)
    vault.close()
    await cut.verify()
  }
  expect(cuts.length).toBeGreaterThan(5)
})
