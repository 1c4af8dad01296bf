import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Genesis, makeGenesis, type Room, tenantPlan, writePassphrases } from '../ceremony/fixtures.ts'
import { answerOf, keyrite, type Ran } from './run.ts'

/** `keyrite tenant prove`: the rotation prover over a real vault, its exit codes, its words and its picture. */

let genesis: Genesis
let room: Room
let before: Record<string, string>
beforeAll(async () => {
  genesis = await makeGenesis(Math.floor(Date.now() / 1000) - 86_400)
  room = genesis.room()
  const relyingParties = [{ name: 'Acme gateway', cache: '12h' }]
  await room.onboard(tenantPlan('acme', { specs: ['Ed25519'], relyingParties }))
  writePassphrases(join(room.base, 'one'), ['emmy'])
  before = room.content()
})
afterAll(() => genesis.remove())

/** On a copy of its own: one process at a time has a vault open. Proving changes nothing. */
async function prove(...more: string[]): Promise<Ran> {
  const where = room.copy(genesis.folder())
  const ran = await keyrite([
    'tenant',
    'prove',
    ...more,
    '--vault',
    where.vault,
    '--passphrases',
    join(where.base, 'one'),
  ])
  expect(where.content()).toEqual(before)
  return ran
}

describe('no outage: exit 0', () => {
  it.concurrent('in words: the states explored, and what was granted', async () => {
    const { status, stdout, stderr } = await prove('acme')
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^acme: no outage\. [\d,]+ states explored: 3 keys, 1 relying party\.\n/)
    expect(stdout).toContain('clocks 5 minutes apart, answers 1 hour old, replicas 0 seconds behind')
  })

  it.concurrent('with --json: the proof, and a relying party that refreshes on an unknown key id beside the registered one', async () => {
    const picture = join(room.base, 'none.svg')
    const ran = await prove('acme', '--cache', '30d', '--refresh', '--svg', picture, '--json')
    expect([ran.status, answerOf(ran)]).toEqual([
      0,
      {
        ok: true,
        data: {
          tenant: 'acme',
          assumptions: { skew: 300, replicaLag: 0, maxAge: 3600, refetchPause: 300 },
          relyingParties: [
            { name: 'Acme gateway', cacheSeconds: 43_200, refreshesOnUnknownKid: false },
            { name: expect.stringContaining('30 days'), cacheSeconds: 2_592_000, refreshesOnUnknownKid: true },
          ],
          outcome: 'no outage',
          states: expect.any(Number),
          excepted: [],
        },
      },
    ])
    expect(existsSync(picture)).toBe(false)
  })
})

describe('a counterexample: exit 3', () => {
  it.concurrent('as a timeline on stdout and as a picture', async () => {
    const picture = join(room.base, 'proof.svg')
    const { status, stdout, stderr } = await prove('acme', '--cache', '14d', '--no-refresh', '--svg', picture)
    expect([status, stderr]).toEqual([3, `Drawn in ${picture}.\n`])
    expect(stdout).toMatch(/^acme: an outage is possible\. [\d,]+ states explored: 3 keys, 2 relying parties\.\n/)
    expect(stdout).toMatch(/^acme-ed25519-\d{4}-\d\d +-+=/m)
    expect(stdout).toMatch(/^\d {2}.* meets the token, does not find its key, and rejects it$/m)
    expect(stdout).toMatch(/The key signs 14 days after it was first published, but a relying/)
    expect(readFileSync(picture, 'utf8')).toMatch(/^<\?xml[\s\S]*is first published[\s\S]*<\/svg>\n$/)
  })

  it.concurrent('with --json: every instant of it; replicas far behind are enough', async () => {
    const ran = await prove('acme', '--replica-lag', '14d', '--json')
    const { ok, data } = answerOf(ran) as unknown as { ok: boolean; data: { counterexample: Record<string, unknown> } }
    expect([ran.status, ok]).toEqual([3, false])
    expect(data).toMatchObject({ outcome: 'outage', assumptions: { replicaLag: 14 * 86_400 } })
    expect(data.counterexample).toMatchObject({ relyingParty: 'Acme gateway', why: expect.stringContaining('14 days') })
    for (const name of ['publishedAt', 'switchAt', 'signedAt', 'verifiedAt', 'fetchedAt', 'setOf'])
      expect([name, Number.isInteger(data.counterexample[name])]).toEqual([name, true])
    expect(data.counterexample['cachedKids']).not.toContain(data.counterexample['kid'])
  })
})

describe('refusals', () => {
  it.concurrent.each([
    ['an unknown tenant', ['globex'], 5, 'tenant-unknown'],
    ['no duration', ['acme', '--cache', 'long'], 2, 'usage-invalid'],
    ['a relying party without a cache time', ['acme', '--refresh'], 2, 'usage-invalid'],
    ['no tenant', [], 2, 'usage-invalid'],
  ])('%s', async (_, args, exit, code) => {
    const ran = await prove(...args, '--json')
    expect([ran.status, answerOf(ran).error.code]).toEqual([exit, code])
  })
})

it('a picture is never written over another file', async () => {
  const picture = join(room.base, 'taken.svg')
  writeFileSync(picture, 'mine')
  const ran = await prove('acme', '--cache', '20d', '--svg', picture, '--json')
  expect([ran.status, answerOf(ran).error.code, readFileSync(picture, 'utf8')]).toEqual([5, 'file-exists', 'mine'])
})
