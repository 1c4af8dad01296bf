import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type App, createApp } from '../../electron/app/app.ts'
import type { Notice } from '../../shared/contract/contract.ts'
import type { Sitting } from '../../shared/contract/sitting.ts'
import { fromHexGroups } from './hex.ts'
import { answerAll, call, comeIn, type Otherwise, refused, settled, type Table } from './table.ts'

/** desktop.md, "Ceremony runner": one step at a time, nothing lost by stopping, and nothing unlocked that outlives it. */

const room = mkdtempSync(join(tmpdir(), 'keyrite-sitting-'))
const home = join(room, 'home')
const medium = join(room, 'medium')
const networks: string[] = []
const notices: Notice[] = []
const now = () => Math.floor(Date.now() / 1000) + clock.ahead
const clock = { ahead: 0 }
const people = new Map<string, string>()
let app: App
let folder = ''

const NAMES = ['Ada Okafor', 'Bruno Keller', 'Chiara Rossi', 'Dai Suzuki', 'Emil Novak'] as const
const GENESIS = {
  kind: 'genesis',
  vault: 'Harbour',
  practice: true,
  threshold: 3,
  people: [
    ...NAMES.map((name) => ({ id: name.split(' ')[0]?.toLowerCase(), name, role: 'custodian' })),
    { id: 'goran', name: 'Goran Petrov', role: 'administrator' },
    { id: 'farah', name: 'Farah Haddad', role: 'compliance' },
  ],
}
const tenant = (id: string) => ({
  tenant: id,
  name: id.toUpperCase(),
  issuer: `https://id.${id}.example`,
  policy: { signingAlgorithms: ['ES256'] },
})
const ONBOARD = { kind: 'onboard', tenants: [tenant('acme'), tenant('fabrikam')] }

const table = (otherwise?: Otherwise): Table => ({
  app,
  people,
  chosen: people as Map<string, string>,
  now,
  heard: fromHexGroups,
  ...(otherwise && { otherwise }),
})

const sit = (plan: object) =>
  call(app, 'sit', { doing: 'hold', folder: folder || null, plan: JSON.stringify(plan), overrides: [] })

async function hold(plan: object, otherwise?: Otherwise, who?: readonly string[]): Promise<Sitting> {
  await sit(plan)
  await comeIn({ app, people }, who)
  await call(app, 'begin', {})
  return answerAll(table(otherwise))
}

const look = () => call(app, 'openVault', { folder, person: 'goran', passphrase: people.get('goran') ?? '' })

beforeAll(async () => {
  mkdirSync(medium, { recursive: true })
  app = await createApp({
    home,
    practice: false,
    shell: 'browser',
    now,
    networks: () => [...networks],
    idleAfter: 3600,
  })
  app.subscribe((notice) => notices.push(notice))
  await call(app, 'chooseMedium', { folder: medium })
  const born = await hold(GENESIS)
  expect(born.problem).toBeNull()
  folder = born.vault.folder
})

afterAll(async () => {
  await app.close()
  rmSync(room, { recursive: true, force: true })
})

describe('a genesis at the screen', () => {
  it('leaves a vault, its record and the trust anchor on the medium', async () => {
    const sitting = await call(app, 'sitting', {})
    expect(sitting).toMatchObject({ phase: 'finished', kind: 'genesis', question: null })
    expect(sitting?.steps.every(({ status }) => status === 'done')).toBe(true)
    expect(existsSync(join(folder, 'people.json'))).toBe(true)
    expect(existsSync(join(sitting?.result?.record ?? '', 'record.json'))).toBe(true)
    expect(sitting?.files.map(({ name }) => name)).toEqual([expect.stringMatching(/^trust-anchor-.*\.keyrite$/)])
    expect(people.size).toBe(7)
    expect(new Set(people.values()).size).toBe(7)
  })

  it('shows a generated passphrase only while its owner looks at it', async () => {
    const shown = notices.flatMap((one) =>
      one.tell === 'sitting' && one.sitting?.question?.ask === 'secret' ? [one.sitting.question] : [],
    )
    expect(shown.filter(({ generated }) => generated.length > 0).every(({ stage }) => stage === 'show')).toBe(true)
    const later = JSON.stringify(
      notices.slice(
        notices.findLastIndex((one) => one.tell === 'sitting' && one.sitting?.question?.ask === 'secret') + 1,
      ),
    )
    for (const passphrase of people.values()) expect(later).not.toContain(passphrase)
  })

  it('is refused where that vault is', async () => {
    await call(app, 'rise', {})
    const failure = await refused(app, 'sit', {
      doing: 'hold',
      folder: null,
      plan: JSON.stringify(GENESIS),
      overrides: [],
    })
    expect(failure.code).toBe('vault-exists')
  })
})

describe('coming in', () => {
  it('takes the passphrase of each, as typed or as words', async () => {
    await look()
    await sit(ONBOARD)
    const words = (people.get('ada') ?? '').toUpperCase().replaceAll(' ', '   ')
    const sitting = await call(app, 'arrive', { person: 'ada', passphrase: words })
    expect(sitting.people.find(({ id }) => id === 'ada')?.hereSince).toBeTypeOf('number')
    expect(sitting.canBegin).toBe(false)
  })

  it('says that a wrong one changes nothing, and leaves somebody out after three', async () => {
    for (const time of [1, 2, 3]) {
      const failure = await refused(app, 'arrive', { person: 'emil', passphrase: 'other words than those' })
      expect(failure.code).toBe('passphrase-wrong')
      expect(failure.hint).toBe(
        time < 3 ? 'Nothing has changed; type it again.' : 'Emil Novak is left out of this ceremony.',
      )
      expect(JSON.stringify(failure)).not.toContain('other words')
    }
    const failure = await refused(app, 'arrive', { person: 'emil', passphrase: people.get('emil') })
    expect(failure.code).toBe('people-invalid')
  })

  it('does not begin with fewer than three custodians', async () => {
    await call(app, 'arrive', { person: 'bruno', passphrase: people.get('bruno') ?? '' })
    const failure = await refused(app, 'begin', {})
    expect(failure).toMatchObject({ code: 'quorum-missing', message: 'One more custodian needs to be here.' })
  })

  it('is over when it is paused, and everything unlocked is forgotten', async () => {
    const sitting = await call(app, 'pause', { why: 'asked' })
    expect(sitting).toMatchObject({ phase: 'paused', ceremony: null })
    expect((await refused(app, 'begin', {})).code).toBe('usage-invalid')
    await call(app, 'rise', {})
    expect(await call(app, 'sitting', {})).toBeNull()
  })
})

describe('an onboarding at the screen', () => {
  it('asks each custodian for their own passphrase at each approval, and takes no other', async () => {
    const problems: (string | null)[] = []
    let wrong = 0
    const sitting = await hold(ONBOARD, (question) => {
      if (question.ask !== 'approve') return null
      problems.push(question.problem)
      if (wrong++ > 0) return null
      return { give: 'approval', person: 'ada', passphrase: people.get('bruno') ?? '' }
    })
    expect(sitting.problem).toBeNull()
    expect(sitting.phase).toBe('finished')
    expect(problems).toContain(
      'That passphrase does not open what is sealed for Ada Okafor. Nothing has changed; type it again.',
    )
    await call(app, 'rise', {})
    const overview = await call(app, 'overview', {})
    expect(overview.tenants.map((one) => one.tenant)).toEqual(['acme', 'fabrikam'])
  })

  it('answers no question twice', async () => {
    await sit({ kind: 'inventory' })
    await comeIn({ app, people })
    await call(app, 'begin', {})
    const { question } = await settled(app)
    const answer = { give: 'plan', same: true } as const
    await call(app, 'answer', { question: question?.id ?? 0, answer })
    expect((await refused(app, 'answer', { question: question?.id ?? 0, answer })).code).toBe('usage-invalid')
    const next = await settled(app)
    expect((await refused(app, 'answer', { question: next.question?.id ?? 0, answer })).code).toBe('usage-invalid')
    expect((await settled(app)).question?.id).toBe(next.question?.id)
  })

  it('refuses a second sitting while one is under way', async () => {
    const failure = await refused(app, 'sit', { doing: 'hold', folder, plan: JSON.stringify(ONBOARD), overrides: [] })
    expect(failure.code).toBe('ceremony-open')
    await call(app, 'pause', { why: 'asked' })
    await settled(app)
    await call(app, 'rise', {})
  })
})

describe('what stops a ceremony', () => {
  it('a network that comes up is recorded, and the ceremony goes on another time', async () => {
    const stopped = await hold({ kind: 'inventory' }, (question, { steps }) => {
      if (question.ask !== 'begin' || steps.filter(({ status }) => status === 'done').length < 2) return null
      networks.push('eth0')
      return 'stop'
    })
    expect(stopped.phase).toBe('running')
    await expect.poll(async () => (await settled(app)).phase, { timeout: 10_000 }).toBe('paused')
    const { problem } = await settled(app)
    expect(problem?.message).toBe('A network came up. The ceremony is paused and recorded.')
    await call(app, 'rise', {})
    const { openCeremony } = await call(app, 'overview', {})
    expect(openCeremony).toMatchObject({ kind: 'inventory', done: 2 })
    networks.splice(0)
  })

  it('and is gone on with where it stood, once a quorum accepts what happened', async () => {
    await call(app, 'sit', { doing: 'resume', folder, overrides: [] })
    await comeIn({ app, people })
    await call(app, 'begin', {})
    let events: string[] = []
    const sitting = await answerAll(
      table((question) => {
        if (question.ask === 'approve' && question.events.length > 0) events = question.events
        return null
      }),
    )
    expect(sitting).toMatchObject({ phase: 'finished', problem: null })
    expect(events.length).toBeGreaterThan(1)
    const record = readFileSync(join(sitting.result?.record ?? '', 'record.json'), 'utf8')
    expect(record).toContain('A network interface came up: eth0.')
    await call(app, 'rise', {})
  })

  it('it is closed with a reason by those who are here, and what it made is erased', async () => {
    const before = await call(app, 'overview', {})
    const stopped = await hold({ kind: 'onboard', tenants: [tenant('contoso')] }, (question, { steps }) =>
      question.ask === 'begin' && steps.some(({ id, status }) => id === 'make-keys' && status === 'done')
        ? 'stop'
        : null,
    )
    expect(stopped.phase).toBe('running')
    await call(app, 'closeCeremony', { reason: 'The customer withdrew.' })
    const sitting = await answerAll(table())
    expect(sitting).toMatchObject({ phase: 'closed', problem: null })
    expect(sitting.result?.erased).toBeGreaterThan(0)
    await call(app, 'rise', {})
    expect((await call(app, 'overview', {})).openCeremony).toBeNull()
    expect(before.openCeremony).toBeNull()
  })

  it('a clock that jumps stops it', async () => {
    const sitting = await hold({ kind: 'inventory' }, (question, { steps }) => {
      if (question.ask === 'begin' && steps.some(({ status }) => status === 'done')) clock.ahead = 7200
      return null
    })
    clock.ahead = 0
    expect(sitting).toMatchObject({ phase: 'failed', problem: { code: 'clock-refused' } })
    expect(sitting.problem?.hint).not.toContain('"ceremony')
    await call(app, 'rise', {})
    const { openCeremony } = await call(app, 'overview', {})
    expect(openCeremony?.kind).toBe('inventory')
    await call(app, 'sit', { doing: 'close', folder, reason: 'The clock jumped.', overrides: [] })
    await comeIn({ app, people })
    await call(app, 'begin', {})
    expect(await answerAll(table())).toMatchObject({ phase: 'closed' })
    await call(app, 'rise', {})
  })

  it('nobody at the keyboard for too long: everything unlocked is forgotten', async () => {
    const other = await createApp({
      home: join(room, 'other'),
      practice: false,
      shell: 'browser',
      idleAfter: 1,
      networks: () => [],
    })
    await call(other, 'chooseMedium', { folder: medium })
    await call(other, 'sit', { doing: 'hold', folder: null, plan: JSON.stringify(GENESIS), overrides: [] })
    await expect.poll(async () => (await call(other, 'sitting', {}))?.phase, { timeout: 5000 }).toBe('paused')
    await other.close()
  })
})

describe('a machine that is not ready', () => {
  const plan = JSON.stringify({ ...GENESIS, vault: 'Production', practice: false })

  it('holds no production ceremony without a reason for each thing, whatever the screen says', async () => {
    const failure = await refused(app, 'sit', { doing: 'hold', folder: null, plan, overrides: [] })
    expect(failure.code).toBe('environment-unsafe')
    expect(await call(app, 'sitting', {})).toBeNull()
    const [first] = (await call(app, 'readiness', {})).checks.filter(({ state }) => state !== 'pass')
    const one = [{ check: first?.id, reason: 'Looked at it by hand.' }]
    expect((await refused(app, 'sit', { doing: 'hold', folder: null, plan, overrides: one })).code).toBe(
      'environment-unsafe',
    )
  })

  it('what was found is recorded as the engine finds it, with the reason', async () => {
    const { checks } = await call(app, 'readiness', {})
    const failing = checks.filter(({ state }) => state !== 'pass')
    const overrides = failing.map(({ id }) => ({ check: id, reason: `Accepted: ${id}` }))
    expect(failing.length).toBeGreaterThan(0)
    const sitting = await call(app, 'sit', { doing: 'hold', folder: null, plan, overrides })
    expect(sitting).toMatchObject({ phase: 'gathering', practice: false, noted: failing.length })
    await call(app, 'pause', { why: 'asked' })
    await call(app, 'rise', {})
    // In practice the same reasons are taken, and they stand in the record.
    await look()
    await call(app, 'sit', { doing: 'hold', folder, plan: JSON.stringify({ kind: 'inventory' }), overrides })
    await comeIn({ app, people })
    await call(app, 'begin', {})
    const held = await answerAll(table())
    expect(held).toMatchObject({ phase: 'finished', noted: 0 })
    const record = JSON.parse(readFileSync(join(held.result?.record ?? '', 'record.json'), 'utf8'))
    const deviations: { happened: string; action: string }[] = record.record.deviations
    for (const { id, found } of failing)
      expect(deviations).toContainEqual(
        expect.objectContaining({ happened: found.slice(0, 400), action: `Went on. Accepted: ${id}` }),
      )
    await call(app, 'rise', {})
  })
})

describe('after a sitting', () => {
  it('whoever looked before looks again at once, so that its pages can be printed where it ended', async () => {
    await look()
    const held = await hold({ kind: 'inventory' })
    expect(held.phase).toBe('finished')
    expect((await call(app, 'record', { ceremony: held.result?.ceremony ?? '' })).files.length).toBeGreaterThan(3)
    await call(app, 'rise', {})
  })
})

describe('a vault that is open to look at', () => {
  it('is closed when nobody does anything, and what was unlocked is forgotten', async () => {
    const heard: string[] = []
    const other = await createApp({ home, practice: false, shell: 'browser', idleAfter: 1, networks: () => [], now })
    other.subscribe(({ tell }) => heard.push(tell))
    await call(app, 'closeVault', {})
    await call(other, 'openVault', { folder, person: 'ada', passphrase: people.get('ada') ?? '' })
    await expect.poll(() => heard, { timeout: 5000 }).toContain('view-closed')
    expect((await refused(other, 'overview', {})).code).toBe('vault-missing')
    await other.close()
    await look()
  })

  it('is closed when the lid is shut, and a sitting pauses', async () => {
    await sit({ kind: 'inventory' })
    expect(await call(app, 'pause', { why: 'lid' })).toMatchObject({ phase: 'paused' })
    await call(app, 'rise', {})
    expect((await refused(app, 'overview', {})).code).toBe('vault-missing')
    expect(await call(app, 'pause', { why: 'lid' })).toBeNull()
    await look()
  })

  it('is left alone while a ceremony is under way: nothing else is done in this window', async () => {
    await sit({ kind: 'inventory' })
    for (const method of ['overview', 'records', 'buildEvidence', 'closeVault'] as const)
      expect((await refused(app, method, {})).code).toBe('ceremony-open')
    await call(app, 'pause', { why: 'asked' })
    await call(app, 'rise', {})
    expect((await call(app, 'overview', {})).folder).toBe(folder)
  })
})

describe('a rehearsal', () => {
  it('holds the same script in a vault that is made up, and leaves the real one as it was', async () => {
    const before = await call(app, 'overview', {})
    await call(app, 'sit', { doing: 'rehearse', folder, plan: JSON.stringify({ kind: 'rotate', tenants: ['acme'] }) })
    await call(app, 'begin', {})
    const sitting = await answerAll(table())
    expect(sitting).toMatchObject({ phase: 'finished', practice: true, problem: null })
    await call(app, 'rise', {})
    expect((await call(app, 'overview', {})).events).toBe(before.events)
    expect(existsSync(sitting.vault.folder)).toBe(false)
  })
})
