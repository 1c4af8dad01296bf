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
import { digest } from '../../shared/formats/bytes.ts'
import { hexGroups } from '../../shared/formats/fingerprint.ts'
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
  room.clock.advance(95 * DAY)
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
  opened?.close()
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
    expect(first).toMatchObject({ tenant: 'acme', state: 'deactivated', destroyed: false })
    expect(first?.blocked).toMatch(/^it may still have to sign until 2026-/)
    expect(second).toMatchObject({ state: 'active', blocked: expect.stringMatching(/^it is to sign until 2026-/) })
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
    expect([found.kind, found.practice, found.tenants]).toEqual(['rotate', true, 3])
    const acme = found.schedule.find(({ tenant }) => tenant === 'acme')
    const made = acme?.keys.filter(({ planned }) => planned) ?? []
    expect(acme?.keys.filter(({ planned }) => !planned)).toHaveLength(3)
    expect(made.map(({ kid, label }) => [kid, label.startsWith('acme-es256-')])).toEqual([['', true]])
    expect([acme?.verdict, acme?.why]).toEqual(['no outage', null])
    expect(acme?.states).toBeGreaterThan(1000)
    const times = made[0]?.times
    expect(acme?.until).toBe(times?.signUntil)
    // A day's cache, an hour that a cache on the way may keep it, five minutes between clocks; the other fetches at once.
    const after = acme?.relyingParties.map(({ relyingParty, announcedAt, knowsBy }) => [
      relyingParty,
      knowsBy - announcedAt,
    ])
    expect(after).toEqual([
      ['Gateway', 24 * HOUR + HOUR + 300],
      ['Portal', 300 + HOUR + 300],
    ])
    expect(acme?.relyingParties.map(({ signsFrom }) => signsFrom)).toEqual([times?.signFrom, times?.signFrom])
    expect(acme?.margin).toBe(14 * DAY - 25 * HOUR - 300)
  })

  it('who is needed, what will be done, and the digest of exactly this text', async () => {
    const found = await reviewed(ROTATE)
    expect(found.needs).toMatchObject({ threshold: 2, of: 3, alone: null, medium: false })
    expect(found.needs.people).toHaveLength(5)
    expect(found.steps.at(-1)).toMatchObject({ id: 'sign-off', who: 'everyone', quorum: true, noWayBack: false })
    expect(found.minutes).toBe(found.steps.reduce((sum, step) => sum + step.minutes, 0))
    expect(found.digest.hex).toEqual(hexGroups(digest(found.text)))
    expect(found.digest.words).toHaveLength(24)
    expect(found.lines).toContain('Tenants: all')
    expect((await reviewed(`${JSON.stringify(ROTATE)} `)).digest).not.toEqual(found.digest)
  })

  it('says what the engine says where nothing is due', async () => {
    expect(messages(await reviewed({ kind: 'rotate', tenants: 'all', endingWithin: '1d' }))).toEqual([
      'No tenant of the plan needs a new key: every schedule reaches its horizon.',
    ])
  })

  it('new tenants: their first keys, and the rule that a policy breaks', async () => {
    const found = await reviewed({ kind: 'onboard', tenants: [tenantPlan('initech')] })
    expect([found.problems, found.tenants, found.schedule[0]?.keys.every(({ planned }) => planned)]).toEqual([
      [],
      1,
      true,
    ])
    const policy = { propagationTime: '1h' }
    expect(messages(await reviewed({ kind: 'onboard', tenants: [tenantPlan('initech', { policy })] }))).toEqual([
      expect.stringContaining('Announce keys for 1 day'),
    ])
    expect(messages(await reviewed({ kind: 'onboard', tenants: [tenantPlan('acme')] }))).toEqual([
      'The vault has a tenant acme already.',
    ])
  })

  it('a schedule that was in order when it was made: a relying party that learns too slowly is named, and refuses the plan', async () => {
    // Registering what is true is never refused; the next keys are.
    const own = genesis.room()
    await own.onboard(tenantPlan('acme', { relyingParties: [{ name: 'Gateway', cache: '12h' }] }))
    own.clock.advance(95 * DAY)
    const vault = await own.open(['emmy'])
    try {
      const person = vault.present.get('emmy')
      if (!person) throw new Error('Emmy did not open it')
      const tenant = vault.state.tenants.get('acme')
      if (!tenant) throw new Error('Acme is not there')
      tenant.relyingParties.push({ name: 'Slow', cacheSeconds: 20 * DAY, refreshesOnUnknownKid: false })
      const view = { vault, folder: own.vault, by: person, openedAt: own.clock.now() }
      const handlers = planHandlers(contextFor({ view, now: own.clock.now }))
      const found = await reviewed({ kind: 'rotate', tenants: ['acme'], endingWithin: '300d' }, handlers)
      expect(messages(found)).toEqual([
        expect.stringMatching(/^Tenant acme: a relying party may reject its tokens\. .*Slow/),
      ])
      expect(found.schedule[0]).toMatchObject({ verdict: 'outage', why: expect.stringContaining('Slow') })
      expect(found.schedule[0]?.margin).toBeLessThan(0)
    } finally {
      vault.close()
    }
  })

  it('an emergency: the keys it reaches are marked, replacements stand beside them, and what is accepted is said', async () => {
    const { keys } = await (await looking()).choices({})
    const kid = keys.find(({ state }) => state === 'active')?.kid ?? ''
    const found = await reviewed({ kind: 'emergency', scope: { key: kid }, reason: 'The host was stolen' })
    expect(found.problems).toEqual([])
    const [acme] = found.schedule
    expect(acme?.keys.find((key) => key.kid === kid)?.compromisedAt).toBe(room.clock.now())
    expect(acme?.keys.filter(({ planned }) => planned).map(({ times }) => times.signFrom)).toContain(room.clock.now())
    expect([acme?.verdict, acme?.why]).toEqual(['no outage', expect.stringContaining('Accepted in an emergency')])
    expect(acme?.why).not.toContain(kid)
  })

  it('an amendment: the schedule with the new policy; several lines are no reason for an emergency', async () => {
    const found = await reviewed({
      kind: 'amend',
      reason: 'Agreed',
      changes: [{ tenant: 'acme', policy: { accessTokenLifetime: '30m' } }, { offboard: 'globex' }],
    })
    expect([found.problems, found.schedule.map(({ tenant }) => tenant)]).toEqual([[], ['acme']])
    const wrong = await reviewed({ kind: 'emergency', scope: { tenant: 'acme' }, reason: 'One\nTwo' })
    expect(messages(wrong)).toEqual([expect.stringContaining('one line')])
  })

  it('genesis needs no vault: its own people are needed, and a list that is not in order is named', async () => {
    const handlers = planHandlers(contextFor())
    const found = await reviewed(GENESIS, handlers)
    expect([found.problems, found.practice, found.needs.of]).toEqual([[], true, 3])
    const [first, ...rest] = GENESIS.people
    const twice = { ...GENESIS, people: [{ ...first, name: rest[0]?.name }, ...rest] }
    expect((await reviewed(twice, handlers)).problems).toEqual([
      { place: 'people', message: 'One person stands on the list twice. One person has one role.' },
    ])
  })

  it('anything else without a vault says that one must be opened', async () => {
    expect(messages(await reviewed(ROTATE, planHandlers(contextFor())))).toEqual([
      expect.stringMatching(/^No vault is open/),
    ])
  })

  it('a plan that cannot be read: every problem with its place, and nothing is claimed of it', async () => {
    const found = await reviewed(
      '{"kind":"onboard","tenants":[{"tenant":"Acme","name":"A","issuer":"https://a.example","policy":{"horizn":1}}]}',
    )
    expect(found.problems.map(({ place }) => place).sort()).toEqual(['tenants[0].policy.horizn', 'tenants[0].tenant'])
    expect([found.kind, found.steps, found.schedule, found.minutes]).toEqual([null, [], [], 0])
    expect((await reviewed('{"kind":')).problems).toEqual([
      { place: '', message: expect.stringContaining('ends too early') },
    ])
  })

  it.each(samples)('the sample %s is reviewed without failing, and no command is named', async (name) => {
    const found = await reviewed(readFileSync(join(SAMPLES, name), 'utf8'))
    expect(CEREMONY_KINDS).toContain(found.kind)
    for (const { message } of found.problems) expect(message).not.toMatch(/--|"(?:key|vault|ceremony|tenant|issuer) /)
  })

  it('what one person does alone is theirs, whoever looks', async () => {
    const found = await reviewed({ kind: 'passphrase', person: 'ada' })
    expect([found.problems, found.needs.alone, found.needs.people.map(({ id }) => id)]).toEqual([[], 'ada', ['ada']])
    expect(messages(await reviewed({ kind: 'passphrase', person: 'nobody' }))).toEqual([
      'nobody is not a person of this vault.',
    ])
  })

  it('a file that is to be read before: without a medium it says so, and with one whether it is there', async () => {
    const plan = { kind: 'intake', runtime: 'eu-one', receipts: 'receipts.keyrite' }
    expect(messages(await reviewed(plan))).toEqual([expect.stringMatching(/^No medium was chosen yet\. .*transfer/)])
    const found = await reviewed(plan, await looking('emmy', { medium: room.media }))
    expect([found.needs.medium, messages(found)]).toEqual([
      true,
      [expect.stringMatching(/runtime eu-one|receipts\.keyrite/)],
    ])
  })

  it('a clock behind the vault is said before anything is promised', async () => {
    const found = await reviewed(ROTATE, await looking('emmy', { now: () => room.clock.now() - 300 * DAY }))
    expect([messages(found), found.schedule]).toEqual([[expect.stringContaining('clock')], []])
  })

  it('reviewing changes nothing', async () => {
    const before = room.content()
    await reviewed(ROTATE)
    opened?.close()
    opened = null
    expect(room.content()).toEqual(before)
  })
})

describe('a plan for many', () => {
  it('1,000 tenants, each with a schedule of its own: bounded, everybody else has their turn, 200 are shown', async () => {
    const tenants = Array.from({ length: 1000 }, (_, number) =>
      tenantPlan(`many-${number}`, { relyingParties: [{ name: 'Gateway', cache: `${3600 + number}s` }] }),
    )
    const handlers = await looking()
    const begun = performance.now()
    let longest = 0
    let last = begun
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last)
      last = performance.now()
    }, 5)
    const found = await reviewed({ kind: 'onboard', tenants }, handlers)
    clearInterval(timer)
    const took = performance.now() - begun
    expect([found.problems, found.tenants, found.schedule.length]).toEqual([[], 1000, 200])
    expect(took).toBeLessThan(30_000)
    expect(longest).toBeLessThan(took / 2)
  })
})

describe('plans as files', () => {
  const TEXT = '{ "kind": "inventory" }\n'
  const failed = (work: () => unknown) => {
    try {
      work()
    } catch (error) {
      return error instanceof KeyriteError ? error.code : error
    }
    return 'it did not fail'
  }

  it('are kept in the home folder under a name of their own, byte for byte, and never overwritten', async () => {
    const handlers = planHandlers(contextFor())
    expect(await handlers.savePlan({ name: 'june', text: TEXT })).toEqual({ name: 'june.json' })
    expect(readFileSync(join(room.base, 'plans/june.json'), 'utf8')).toBe(TEXT)
    expect(failed(() => handlers.savePlan({ name: 'june.json', text: 'other' }))).toBe('file-exists')
    expect(await handlers.loadPlan({ place: 'home', name: 'june.json' })).toEqual({ text: TEXT })
    expect(await handlers.plans({})).toMatchObject({ plans: [{ place: 'home', name: 'june.json' }] })
  })

  it('lie on the medium too; other files there are no plans', async () => {
    const medium = join(room.base, 'stick')
    mkdirSync(join(medium, 'folder.json'), { recursive: true })
    for (const name of ['plan.json', 'bundle.keyrite', '.hidden.json']) writeFileSync(join(medium, name), TEXT)
    const handlers = planHandlers(contextFor({ medium }))
    const { plans } = await handlers.plans({})
    expect(plans.filter(({ place }) => place === 'medium').map(({ name }) => name)).toEqual(['plan.json'])
    expect(await handlers.loadPlan({ place: 'medium', name: 'plan.json' })).toEqual({ text: TEXT })
    symlinkSync(join(medium, 'plan.json'), join(medium, 'link.json'))
    expect(failed(() => handlers.loadPlan({ place: 'medium', name: 'link.json' }))).toBe('file-refused')
    writeFileSync(join(medium, 'picture.json'), Uint8Array.of(0xff, 0xfe, 0x00))
    expect(failed(() => handlers.loadPlan({ place: 'medium', name: 'picture.json' }))).toBe('plan-invalid')
  })

  it.each(['../june.json', 'a/b.json', '.json', 'nul\0.json', ''])('no name leads out of the folder: %j', (name) => {
    const handlers = planHandlers(contextFor())
    expect(failed(() => handlers.loadPlan({ place: 'home', name }))).toBe('usage-invalid')
    expect(failed(() => handlers.savePlan({ name, text: TEXT }))).toBe('usage-invalid')
    expect(existsSync(join(room.base, 'b.json'))).toBe(false)
  })

  it('without a medium there is none to read from', () => {
    expect(failed(() => planHandlers(contextFor()).loadPlan({ place: 'medium', name: 'plan.json' }))).toBe(
      'medium-failed',
    )
  })
})
