import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type App, createApp } from '../../electron/app/app.ts'
import type { Gives, Notice } from '../../shared/contract/contract.ts'
import { call, refused } from './table.ts'

/** Records of the ready practice vault: looked through, printed, carried away and checked. */

vi.mock('../../electron/vault/kdf.ts', () => import('../faults/harness/cheap-kdf.ts'))

/** Every file that is read, read as always. */
const reads = vi.hoisted((): string[] => [])
vi.mock('../../electron/files/read.ts', async (original) => {
  const real = await original<typeof import('../../electron/files/read.ts')>()
  const readFileGuarded: typeof real.readFileGuarded = (path, maxBytes) => {
    reads.push(path)
    return real.readFileGuarded(path, maxBytes)
  }
  return { ...real, readFileGuarded }
})

let app: App
let home = ''
let medium = ''
let destruction: Gives<'record'>
const notices: Notice[] = []
const destroyed = () => ({ ceremony: destruction.ceremony })

beforeAll(async () => {
  app = await createApp({ home: '', practice: true, shell: 'browser', networks: () => [] })
  app.subscribe((notice) => notices.push(notice))
  const hello = await call(app, 'hello', {})
  home = hello.home
  medium = (await call(app, 'files', {})).folder
  const farah = hello.practice?.people.find(({ id }) => id === 'farah')
  const folder = hello.practice?.folder ?? ''
  await call(app, 'openVault', { folder, person: 'farah', passphrase: farah?.passphrase ?? '' })
  const { records } = await call(app, 'records', {})
  destruction = await call(app, 'record', { ceremony: records[0]?.ceremony ?? '' })
})
afterAll(() => app.close())

describe('the list', () => {
  it('names every ceremony, newest first, with what it was about in one line', async () => {
    const { records } = await call(app, 'records', {})
    expect(records.map(({ kind, about }) => [kind, about])).toEqual([
      ['destroy', expect.stringMatching(/^acme-es256-\S+ and northwind-ed25519-\S+: Retired by schedule/)],
      ['intake', 'From issuer-east'],
      ['backup', 'For Bruno Keller, Safe in the harbour office'],
      ['handoff', 'To issuer-east: Acme, Contoso and two more tenants'],
      ['enroll-runtime', expect.stringMatching(/^By its file enrollment-/)],
      ['onboard', 'Acme, Contoso and three more tenants'],
      ['genesis', 'Three of five custodians'],
    ])
    expect(records.every(({ how, folder }) => how === 'completed' && folder !== null)).toBe(true)
    expect(records[0]?.certificates).toEqual([`${destruction.ceremony}-C1`])
  })

  it('a folder that was moved away, or is of another vault, is not shown as the record', async () => {
    const folder = destruction.folder ?? ''
    const away = join(home, 'elsewhere')
    const of = async () => (await call(app, 'record', destroyed())).folder
    renameSync(folder, away)
    expect(await of()).toBeNull()
    expect((await call(app, 'record', destroyed())).files).toEqual([])
    expect((await refused(app, 'exportRecord', destroyed())).code).toBe('file-missing')
    mkdirSync(folder)
    writeFileSync(
      join(folder, 'record.json'),
      readFileSync(join(away, 'record.json'), 'utf8').replace(/-[0-9a-f]{12}"/g, '-000000000000"'),
    )
    expect(await of()).toBeNull()
    rmSync(folder, { recursive: true })
    renameSync(away, folder)
    expect(await of()).toBe(folder)
  })

  it('the record of another ceremony of this vault is not taken for this one', async () => {
    const folder = destruction.folder ?? ''
    const record = join(folder, 'record.json')
    const own = readFileSync(record)
    const { records } = await call(app, 'records', {})
    const listed = async () =>
      (await call(app, 'records', {})).records.find(({ ceremony }) => ceremony === destruction.ceremony)?.folder
    const other = readFileSync(join(records[2]?.folder ?? '', 'record.json'))
    const broken = Buffer.concat([own, Buffer.from('{}')])
    for (const [what, content] of Object.entries({ other, broken })) {
      writeFileSync(record, content)
      expect([what, await listed(), (await call(app, 'record', destroyed())).folder]).toEqual([what, null, null])
      expect((await refused(app, 'verify', { what: destroyed(), anchor: null })).code).toBe('file-missing')
      expect((await refused(app, 'exportRecord', destroyed())).code).toBe('file-missing')
    }
    writeFileSync(record, own)
    expect(await listed()).toBe(folder)
  })

  it('is not read again for each list as long as it is as it was', async () => {
    await call(app, 'records', {})
    reads.length = 0
    await call(app, 'records', {})
    expect(reads).toEqual([])
    const record = join(destruction.folder ?? '', 'record.json')
    writeFileSync(record, readFileSync(record))
    await call(app, 'records', {})
    expect(reads).toEqual([record])
  })
})

describe('one record', () => {
  it('plays back: from the beginning to the signatures, by the clock, with the step nothing leads back from', () => {
    const { moments, startedAt, endedAt } = destruction
    expect([moments[0]?.what, moments.at(-1)?.what]).toEqual(['started', 'ended'])
    expect([moments[0]?.at, moments.at(-1)?.at]).toEqual([startedAt, endedAt])
    const at = moments.map((one) => one.at)
    expect(at).toEqual(at.toSorted((one, other) => one - other))
    expect(moments.filter(({ noWayBack }) => noWayBack).map(({ title }) => title)).toEqual(["Erase the vault's copy"])
    expect(moments.find(({ title }) => title === 'Confirm')?.by).toBe('Ada Okafor')
    expect(moments.filter(({ what }) => what === 'step')).toHaveLength(destruction.steps.length - 1)
  })

  it('says who was there and who signed', () => {
    expect(destruction.present).toHaveLength(1)
    expect(destruction.present[0]?.people.map(({ id }) => id)).not.toContain('emil')
    expect(destruction.signed.map(({ person, agrees }) => [person.name, agrees])).toEqual(
      destruction.present[0]?.people.map(({ name }) => [name, true]),
    )
    expect(destruction.recordDigest?.hex).toHaveLength(16)
    expect(destruction.recordDigest?.words).toHaveLength(24)
    expect(destruction.plan[0]).toBe('Kind: destroy')
  })

  it('lists its files; pages are the ones for print', () => {
    const names = destruction.files.map(({ name }) => name)
    expect(names).toContain('SHA256SUMS')
    const pages = destruction.files.filter(({ page }) => page).map(({ title }) => title)
    expect(pages).toEqual(['The certificate, as a page', 'The head card, as a page', 'The record, as a page'])
  })

  it('of a ceremony that never was: ceremony-unknown; a name that leads elsewhere never gets so far', async () => {
    expect((await refused(app, 'record', { ceremony: 'R-2020-001' })).code).toBe('ceremony-unknown')
    expect((await refused(app, 'record', { ceremony: '../../etc' })).code).toBe('usage-invalid')
  })
})

describe('pages for print', () => {
  const page = (name: string) => call(app, 'openPage', { page: 'file', ...destroyed(), name })
  const onDisk = (name: string) => readFileSync(join(destruction.folder ?? '', name), 'utf8')

  it('are drawn from the vault, and are byte for byte the ones that were written', async () => {
    for (const { name } of destruction.files.filter((file) => file.page)) {
      const { html, title, address } = await page(name)
      expect(html).toBe(onDisk(name))
      expect([title.startsWith('PRACTICE: '), address]).toEqual([true, null])
    }
  })

  it('are never what lies on the disk', async () => {
    const path = join(destruction.folder ?? '', 'record.html')
    const content = onDisk('record.html')
    appendFileSync(path, '<script>alert(1)</script>')
    expect((await page('record.html')).html).toBe(content)
    writeFileSync(path, content)
  })

  it('anything else of the folder is no page: file-missing', async () => {
    for (const name of ['record.pdf', 'record.json', 'other.html', 'certificate-00000000-20260101T000000Z.html'])
      expect([name, (await refused(app, 'openPage', { page: 'file', ...destroyed(), name })).code]).toEqual([
        name,
        'file-missing',
      ])
    const outside = { page: 'file', ...destroyed(), name: '../G-2026-001/record.html' }
    expect((await refused(app, 'openPage', outside)).code).toBe('usage-invalid')
  })

  it('a script for the room, the newest head card, a key, the evidence', async () => {
    const { keys } = await call(app, 'keys', {})
    const kid = keys[0]?.kid ?? ''
    const drawn = [
      await call(app, 'openPage', { page: 'script', plan: '{"kind":"inventory"}' }),
      await call(app, 'openPage', { page: 'head-card' }),
      await call(app, 'openPage', { page: 'key', kid }),
      await call(app, 'openPage', { page: 'evidence' }),
    ]
    expect(drawn.map(({ title }) => title)).toEqual([
      'Script: Inventory',
      'PRACTICE: Head card, Harbour rehearsal',
      `PRACTICE: Key ${keys[0]?.label}`,
      'PRACTICE: Evidence, Harbour rehearsal',
    ])
    expect(drawn.every(({ html }) => html?.startsWith('<!doctype html>') && !html.includes('<script'))).toBe(true)
    expect(drawn[3]?.html).toContain('Nobody has signed this pack.')
    expect((await refused(app, 'openPage', { page: 'key', kid: 'A'.repeat(43) })).code).toBe('key-unknown')
    expect((await refused(app, 'openPage', { page: 'script', plan: '{}' })).code).toBe('plan-invalid')
  })
})

describe('carrying a record away', () => {
  it('copies every file to the medium, all the same; never over another', async () => {
    const { folder } = await call(app, 'exportRecord', destroyed())
    expect(folder).toBe(join(medium, `record-${destruction.ceremony}`))
    const from = destruction.folder ?? ''
    expect(readdirSync(folder).toSorted()).toEqual(readdirSync(from).toSorted())
    for (const name of readdirSync(from))
      expect(readFileSync(join(folder, name)).equals(readFileSync(join(from, name)))).toBe(true)
    expect((await refused(app, 'exportRecord', destroyed())).code).toBe('file-exists')
  })

  it.each([
    ['was taken out', () => {}],
    ['is no folder any more', () => writeFileSync(medium, 'a file where the medium was')],
  ])('a medium that %s: medium-failed, and nothing is written in its place', async (_what, instead) => {
    const { records } = await call(app, 'records', {})
    const ceremony = records[1]?.ceremony ?? ''
    const away = `${medium}-away`
    renameSync(medium, away)
    try {
      instead()
      const { code, message } = await refused(app, 'exportRecord', { ceremony })
      expect([code, message]).toEqual(['medium-failed', 'The medium is not there any more.'])
      expect(existsSync(medium) && statSync(medium).isDirectory()).toBe(false)
    } finally {
      rmSync(medium, { recursive: true, force: true })
      renameSync(away, medium)
    }
  })
})

describe('writing a record again', () => {
  const contents = (folder: string) =>
    readdirSync(folder)
      .toSorted()
      .map((name) => [name, readFileSync(join(folder, name)).toString('base64')])

  it('that is missing gives the same files, to the byte', async () => {
    const folder = destruction.folder ?? ''
    const before = contents(folder)
    rmSync(folder, { recursive: true })
    expect(await call(app, 'writeRecord', destroyed())).toEqual({ folder })
    expect(contents(folder)).toEqual(before)
    expect(await call(app, 'verify', { what: destroyed(), anchor: null })).toMatchObject({ anchored: true, failed: 0 })
  })

  it('never over something that lies there: folder-not-empty, in words', async () => {
    const folder = destruction.folder ?? ''
    const before = contents(folder)
    const { code, message } = await refused(app, 'writeRecord', destroyed())
    expect([code, message]).toEqual([
      'folder-not-empty',
      `Something lies at ${folder} already, and nothing is written over it.`,
    ])
    expect(contents(folder)).toEqual(before)
  })

  it('of a ceremony that never was: ceremony-unknown', async () => {
    expect((await refused(app, 'writeRecord', { ceremony: 'R-2020-001' })).code).toBe('ceremony-unknown')
  })

  it('with the folder of all records gone, each is written again', async () => {
    const all = join(destruction.folder ?? '', '..')
    const away = `${all}-away`
    renameSync(all, away)
    const { records } = await call(app, 'records', {})
    for (const { ceremony } of records) await call(app, 'writeRecord', { ceremony })
    for (const { ceremony } of records) expect(contents(join(all, ceremony))).toEqual(contents(join(away, ceremony)))
    rmSync(all, { recursive: true })
    renameSync(away, all)
  })
})

describe('verifying', () => {
  const anchorFile = () => join(medium, readdirSync(medium).find((name) => name.startsWith('trust-anchor-')) ?? '')

  it('a record of this vault against what the vault knows, and a folder against a trust anchor of its own', async () => {
    const report = await call(app, 'verify', { what: destroyed(), anchor: null })
    expect([report.anchored, report.failed]).toEqual([true, 0])
    expect(report.files.find(({ file }) => basename(file) === 'record.json')?.standing).toBe('verified')
    const carried = { path: join(medium, `record-${destruction.ceremony}`) }
    expect(await call(app, 'verify', { what: carried, anchor: anchorFile() })).toMatchObject({
      anchored: true,
      failed: 0,
    })
  })

  it('one changed letter is found and named', async () => {
    const path = join(medium, `record-${destruction.ceremony}`, 'plan.json')
    writeFileSync(path, readFileSync(path, 'utf8').replace('Retired', 'Expired'))
    const report = await call(app, 'verify', { what: { path: join(path, '..') }, anchor: null })
    const failed = report.files.filter(({ standing }) => standing === 'failed').map(({ file }) => basename(file))
    expect(failed).toContain('plan.json')
    expect(report.failed).toBe(failed.length)
  })

  it('what is not there: file-missing; a file that is no trust anchor is refused', async () => {
    const nowhere = { what: { path: join(medium, 'nowhere') }, anchor: null }
    expect((await refused(app, 'verify', nowhere)).code).toBe('file-missing')
    const wrong = { what: destroyed(), anchor: join(destruction.folder ?? '', 'plan.json') }
    expect((await refused(app, 'verify', wrong)).code).not.toBe('internal')
  })

  it('the vault itself, with progress told meanwhile', async () => {
    notices.length = 0
    const { said } = await call(app, 'verifyVault', {})
    expect(said).toHaveLength(4)
    const events = (await call(app, 'overview', {})).events
    expect(notices).toContainEqual({ tell: 'progress', label: 'Checking events', done: events, of: events })
  })

  it('without a vault or a trust anchor nothing is verified: not-anchored', async () => {
    const hello = await call(app, 'hello', {})
    const folder = hello.practice?.folder ?? ''
    await call(app, 'closeVault', {})
    const path = join(home, 'records')
    expect((await refused(app, 'verify', { what: { path }, anchor: null })).code).toBe('not-anchored')
    expect(await call(app, 'verify', { what: { path }, anchor: anchorFile() })).toMatchObject({
      anchored: true,
      failed: 0,
    })
    const ada = hello.practice?.people.find(({ id }) => id === 'ada')
    await call(app, 'openVault', { folder, person: 'ada', passphrase: ada?.passphrase ?? '' })
  })
})
