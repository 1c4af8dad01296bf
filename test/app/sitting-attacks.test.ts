import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type App, createApp } from '../../electron/app/app.ts'
import type { Sitting } from '../../shared/contract/sitting.ts'
import { fromHexGroups } from './hex.ts'
import { answerAll, call, comeIn, type Otherwise, settled } from './table.ts'

/** What is noted at the screens stands in the record of its own ceremony, whatever breaks off; and nothing is told that is not so. */

// Argon2id is met elsewhere; nothing here depends on its cost.
vi.mock('../../electron/vault/kdf.ts', () => import('../faults/harness/cheap-kdf.ts'))

const GENESIS = {
  kind: 'genesis',
  vault: 'Harbour',
  practice: true,
  threshold: 2,
  people: [
    { id: 'ada', name: 'Ada Okafor', role: 'custodian' },
    { id: 'bruno', name: 'Bruno Keller', role: 'custodian' },
    { id: 'goran', name: 'Goran Petrov', role: 'administrator' },
    { id: 'farah', name: 'Farah Haddad', role: 'compliance' },
  ],
}
const onboard = (id: string) => ({
  kind: 'onboard',
  tenants: [{ tenant: id, name: id, issuer: `https://id.${id}.example`, policy: { signingAlgorithms: ['ES256'] } }],
})
const NOTE = { expected: 'The door stays shut.', happened: 'The door stood open.', action: 'It was shut.' }

let room: string
let app: App
let folder: string
let networks: string[]
let people: Map<string, string>
let clock: { ahead: number }
const now = () => Math.floor(Date.now() / 1000) + clock.ahead
const utc = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')

const answers = (otherwise?: Otherwise): Promise<Sitting> =>
  answerAll({ app, people, chosen: people, now, heard: fromHexGroups, ...(otherwise && { otherwise }) })

async function start(plan: object, otherwise?: Otherwise): Promise<Sitting> {
  await call(app, 'sit', { doing: 'hold', folder: folder || null, plan: JSON.stringify(plan), overrides: [] })
  return begin(otherwise)
}

async function begin(otherwise?: Otherwise): Promise<Sitting> {
  await comeIn({ app, people })
  await call(app, 'begin', {})
  return answers(otherwise)
}

async function deviationsOf(ceremony: string): Promise<string[]> {
  const { moments } = await call(app, 'record', { ceremony })
  return moments.flatMap(({ what, title }) => (what === 'deviation' ? [title] : []))
}

beforeEach(async () => {
  room = mkdtempSync(join(tmpdir(), 'keyrite-sitting-'))
  folder = ''
  networks = []
  people = new Map()
  clock = { ahead: 0 }
  mkdirSync(join(room, 'medium'))
  const ports = { now, networks: () => [...networks], idleAfter: 3600 }
  app = await createApp({ home: join(room, 'home'), practice: false, shell: 'browser', ...ports })
  await call(app, 'chooseMedium', { folder: join(room, 'medium') })
  const born = await start(GENESIS)
  expect(born.problem).toBeNull()
  folder = born.vault.folder
  await call(app, 'rise', {})
  await call(app, 'openVault', { folder, person: 'goran', passphrase: people.get('goran') ?? '' })
})

afterEach(async () => {
  await app.close()
  rmSync(room, { recursive: true, force: true })
})

describe('a network that comes up', () => {
  it('while people sign the record, pauses the ceremony; nothing crashes', async () => {
    await start(onboard('acme'), ({ ask }) => (ask === 'agree' ? 'stop' : null))
    networks.push('wlan0')
    await expect.poll(async () => (await call(app, 'sitting', {}))?.phase, { timeout: 6000 }).toBe('paused')
  })

  it('while the machine is being checked, does not go unnoticed for the whole ceremony', async () => {
    const overrides = [{ check: 'printer' as const, reason: 'Looked at it by hand.' }]
    const sat = app.call('sit', { doing: 'hold', folder, plan: JSON.stringify({ kind: 'inventory' }), overrides })
    await new Promise((resolve) => setTimeout(resolve, 1))
    networks.push('eth0')
    const outcome = await sat
    expect(outcome.ok).toBe(true)
    await comeIn({ app, people })
    await app.call('begin', {})
    expect(await settled(app)).toMatchObject({ phase: 'paused', problem: { message: 'A network came up.' } })
  })

  it('before anything has begun, is not said to be recorded', async () => {
    await call(app, 'sit', { doing: 'hold', folder, plan: JSON.stringify({ kind: 'inventory' }), overrides: [] })
    networks.push('eth0')
    await expect.poll(async () => (await call(app, 'sitting', {}))?.phase, { timeout: 6000 }).toBe('paused')
    const { problem } = await settled(app)
    expect(`${problem?.message} ${problem?.lost}`).not.toContain('recorded')
  })
})

describe('a deviation that was noted', () => {
  it('is recorded when the ceremony pauses on a machine whose clock is behind', async () => {
    const watch: Otherwise = (question) => {
      if (question.ask !== 'time') return null
      const by = question.people.find(({ id }) => question.read.every((one) => one.by !== id))?.id ?? ''
      return { give: 'watch', by, utc: utc(now() + 1800) }
    }
    const { ceremony } = await start(onboard('acme'), (question, sitting) =>
      question.ask === 'begin' && sitting.steps.some(({ status }) => status === 'done')
        ? 'stop'
        : watch(question, sitting),
    )
    await call(app, 'note', NOTE)
    await call(app, 'pause', { why: 'asked' })
    const { phase, problem } = await settled(app)
    expect([phase, problem?.code]).toEqual(['paused', 'ceremony-paused'])
    await call(app, 'rise', {})
    expect(await deviationsOf(ceremony ?? '')).toContain(NOTE.happened)
  })

  it('is not lost when the step that should have recorded it fails', async () => {
    const at = await start(onboard('acme'), ({ ask }) => (ask === 'initial' ? 'stop' : null))
    if (at.question?.ask !== 'initial') throw new Error('No initials are asked for.')
    await call(app, 'note', NOTE)
    clock.ahead = 3600
    const initials = at.question.initials[0]?.initials ?? ''
    await call(app, 'answer', { question: at.question.id, answer: { give: 'initials', initials } })
    expect((await settled(app)).phase).toBe('failed')
    clock.ahead = 0
    await call(app, 'rise', {})
    await call(app, 'sit', { doing: 'resume', folder, overrides: [] })
    expect((await begin()).phase).toBe('finished')
    expect(await deviationsOf(at.ceremony ?? '')).toContain(NOTE.happened)
  })

  it('never stands in the record of another ceremony that is open', async () => {
    const { ceremony } = await start(onboard('acme'), (question, { steps }) =>
      question.ask === 'begin' && steps.some(({ status }) => status === 'done') ? 'stop' : null,
    )
    await call(app, 'pause', { why: 'asked' })
    await settled(app)
    await call(app, 'rise', {})
    const plan = JSON.stringify(onboard('fabrikam'))
    const outcome = await app.call('sit', { doing: 'hold', folder, plan, overrides: [] })
    expect(outcome.ok).toBe(true)
    await comeIn({ app, people })
    await call(app, 'note', NOTE)
    await call(app, 'begin', {})
    expect(await settled(app)).toMatchObject({ phase: 'failed', ceremony: null, problem: { code: 'ceremony-open' } })
    await call(app, 'rise', {})
    expect(await deviationsOf(ceremony ?? '')).not.toContain(NOTE.happened)
  })
})

describe('a ceremony that is gone on with', () => {
  it('can be closed before the time is confirmed, once its history was accepted', async () => {
    await start(onboard('acme'), (question, { steps }) =>
      question.ask === 'begin' && steps.some(({ status }) => status === 'done') ? 'stop' : null,
    )
    await call(app, 'pause', { why: 'asked' })
    await settled(app)
    await call(app, 'rise', {})
    await call(app, 'sit', { doing: 'resume', folder, overrides: [] })
    expect((await begin(({ ask }) => (ask === 'time' ? 'stop' : null))).question?.ask).toBe('time')
    await call(app, 'closeCeremony', { reason: 'The customer withdrew.' })
    expect(await answers()).toMatchObject({ phase: 'closed', problem: null })
    await call(app, 'rise', {})
    expect((await call(app, 'overview', {})).openCeremony).toBeNull()
  })
})

describe('a plan that names keys', () => {
  it('says which they are, in the review and to those who hold it', async () => {
    await start(onboard('acme'))
    await call(app, 'rise', {})
    const [key] = (await call(app, 'keys', {})).keys
    const plan = { kind: 'emergency', scope: { key: key?.kid }, reason: 'The runtime was stolen.' }
    const said = `${key?.label} (${key?.kid})`
    const review = await call(app, 'reviewPlan', { text: JSON.stringify(plan) })
    expect(review.lines.join('\n')).toContain(said)
    const { question } = await start(plan, ({ ask }) => (ask === 'plan' ? 'stop' : null))
    expect(question?.ask === 'plan' && question.lines.join('\n')).toContain(said)
    await call(app, 'pause', { why: 'asked' })
    await settled(app)
  })
})

describe('a record folder', () => {
  it('of another ceremony in its place is not said to be verified', async () => {
    const first = await start(onboard('acme'))
    await call(app, 'rise', {})
    const second = await start(onboard('fabrikam'))
    await call(app, 'rise', {})
    const [from = '', to = ''] = [second.result?.record ?? '', first.result?.record ?? '']
    rmSync(to, { recursive: true })
    cpSync(from, to, { recursive: true })
    const outcome = await app.call('verify', { what: { ceremony: first.ceremony ?? '' }, anchor: null })
    expect(outcome.ok && (outcome.value as { failed: number }).failed === 0).toBe(false)
  })

  it('that an earlier vault of the name left behind is no reason to say that nothing was changed', async () => {
    await call(app, 'closeVault', {})
    renameSync(folder, join(room, 'away.vault'))
    folder = ''
    const outcome = await app.call('sit', { doing: 'hold', folder: null, plan: JSON.stringify(GENESIS), overrides: [] })
    expect(outcome.ok ? null : outcome.error.code).toBe('vault-exists')
  })
})
