import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { AppContext } from '../../electron/app/context.ts'
import { planHandlers } from '../../electron/app/plan/handlers.ts'
import type { Vault } from '../../electron/vault/vault.ts'
import { choices as choicesSchema, type Review, review as reviewSchema } from '../../shared/contract/plan.ts'
import { CEREMONY_KINDS } from '../../shared/domain/events.ts'
import { DAY, HOUR } from '../../shared/domain/policy.ts'
import { KeyriteError } from '../../shared/errors.ts'
import { GENESIS, type Genesis, makeGenesis, type Room, tenantPlan } from '../ceremony/fixtures.ts'

/** Plans behind the screens: what forms choose from, what a review says, and the files that plans are kept in. */

const SAMPLES = join(import.meta.dirname, '../../docs/plans')
const samples = readdirSync(SAMPLES).filter((name) => name.endsWith('.json'))

let genesis: Genesis
let room: Room
let opened: Vault | null = null
beforeAll(async () => {
  genesis = await makeGenesis()
  room = genesis.room()
  const relyingParties = [
    { name: 'Gateway', cache: '24h' },
    { name: 'Portal', cache: '12h', refreshOnUnknownKid: true },
  ]
  await room.onboard(tenantPlan('acme', { relyingParties }), tenantPlan('globex'))
  const reserved = { tenant: 't-7f3k', issuer: 'https://t-7f3k.example.com', reserved: true }
  await room.run({ kind: 'onboard', tenants: [{ ...reserved, policy: { signingAlgorithms: ['ES256'] } }] })
  room.clock.advance(80 * DAY)
}, 60_000)
afterEach(() => {
  opened?.close()
  opened = null
})
afterAll(() => genesis.remove())

function contextFor(over: Partial<AppContext> = {}): AppContext {
  return {
    shell: 'browser',
    home: room.base,
    now: room.clock.now,
    elapsed: room.clock.now,
    networks: () => [],
    tell: () => {},
    practice: null,
    view: null,
    medium: null,
    camera: false,
    ...over,
  }
}

/** The app with the vault open to look at, by one person alone. */
async function looking(by = 'emmy', over: Partial<AppContext> = {}) {
  opened = await room.open([by])
  opened.shareFolders = []
  const person = opened.present.get(by)
  if (!person) throw new Error(`${by} did not open it`)
  const view = { vault: opened, folder: room.vault, by: person, openedAt: room.clock.now() }
  return planHandlers(contextFor({ view, ...over }))
}

async function reviewed(plan: object | string, handlers?: ReturnType<typeof planHandlers>): Promise<Review> {
  const text = typeof plan === 'string' ? plan : JSON.stringify(plan, null, 2)
  return reviewSchema.parse(await (handlers ?? (await looking())).reviewPlan({ text }))
}

const ROTATE = { kind: 'rotate', tenants: 'all', endingWithin: '200d' }
const messages = ({ problems }: Review) => problems.map(({ message }) => message)

describe('choices', () => {
  it('everything that a plan can name, with why a key cannot be destroyed now', async () => {
    const given = choicesSchema.parse(await (await looking()).choices({}))
    expect(given.tenants.map(({ tenant, reserved, keys }) => [tenant, reserved, keys])).toEqual([
      ['acme', false, 3],
      ['globex', false, 3],
      ['t-7f3k', true, 3],
    ])
    expect(given.keys).toHaveLength(9)
    const [first, second] = given.keys
    expect(first).toMatchObject({ tenant: 'acme', state: 'active', destroyed: false })
    expect(first?.blocked).toMatch(/^it is to sign until 2026-/)
    expect(second).toMatchObject({ state: 'pre-activation', blocked: expect.stringMatching(/^it is to sign from/) })
    expect(given.people).toHaveLength(5)
    expect([given.threshold, given.specs.includes('ES256'), given.importFormats.includes('pfx')]).toEqual([
      2,
      true,
      true,
    ])
  })

  it('without a vault: the fixed lists alone', async () => {
    const given = choicesSchema.parse(await planHandlers(contextFor()).choices({}))
    expect([given.tenants, given.keys, given.people, given.files, given.threshold]).toEqual([[], [], [], [], 0])
    expect(given.specs.length).toBeGreaterThan(3)
  })
})

describe('the review of a plan', () => {
  it('a rotation: keys there are and keys it makes, the verdict, and when each relying party knows the new key', async () => {
    const found = await reviewed(ROTATE)
    expect(found.problems).toEqual([])
    expect([found.kind, found.practice, found.tenants]).toEqual(['rotate', true, 0])
  })

  it('says what the engine says where nothing is due', async () => {
    expect(messages(await reviewed({ kind: 'rotate', tenants: ['acme'] }))).toEqual([
      'No tenant of the plan needs a new key: every schedule reaches its horizon.',
    ])
  })
})
