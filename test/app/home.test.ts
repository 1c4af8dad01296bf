import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type App, createApp } from '../../electron/app/app.ts'
import { removeLeftWorlds, WORLD } from '../../electron/app/practice/leftovers.ts'
import { Vault } from '../../electron/vault/vault.ts'
import type { Gives } from '../../shared/contract/contract.ts'
import type { Attention } from '../../shared/contract/home.ts'
import { call, refused } from './table.ts'

/** Vaults at hand, opening one to look at it, and the practice vault that `--practice` makes ready. */

const DAY = 86_400
const folders = mkdtempSync(join(tmpdir(), 'keyrite-home-'))
const took = { seconds: 0, cpu: 0 }
let app: App
let hello: Gives<'hello'>
let vault = ''
const words = new Map<string, string>()
const open = (person = 'ada') => ({ folder: vault, person, passphrase: words.get(person) ?? '' })

beforeAll(async () => {
  const started = performance.now()
  const before = process.cpuUsage()
  app = await createApp({ home: folders, practice: true, shell: 'browser', networks: () => [] })
  const { user, system } = process.cpuUsage(before)
  Object.assign(took, { seconds: (performance.now() - started) / 1000, cpu: (user + system) / 1e6 })
  hello = await call(app, 'hello', {})
  vault = hello.practice?.folder ?? ''
  for (const { id, passphrase } of hello.practice?.people ?? []) words.set(id, passphrase)
})
afterAll(async () => {
  await app.close()
  rmSync(folders, { recursive: true })
})

describe('the ready practice vault', () => {
  it('is ready within seconds, in a home of its own that goes with the app', async () => {
    console.log(`practice vault ready in ${took.seconds.toFixed(1)} s (${took.cpu.toFixed(1)} s of one core)`)
    // What a busy machine cannot change: how much work it is.
    expect(took.cpu).toBeLessThan(20)
    expect(hello.home).toBe(dirname(vault))
    expect(hello.home).not.toBe(folders)
    expect(words.size).toBe(7)
    for (const passphrase of words.values()) expect(passphrase).toMatch(/^[a-z]+( [a-z]+){5}$/)
  })

  it('shows the life of months: every item of what needs somebody leads somewhere', async () => {
    const overview = await call(app, 'openVault', open())
    const now = Math.floor(Date.now() / 1000)
    const names = overview.tenants.map(({ tenant }) => tenant)
    expect(names).toEqual(['acme', 'contoso', 'fabrikam', 'northwind', 'r-0201'])
    expect(overview).toMatchObject({ practice: true, threshold: 3, epoch: 2, openCeremony: null })
    expect(overview.openedBy).toEqual({ id: 'ada', name: 'Ada Okafor', role: 'custodian' })
    expect(overview.tenants.find(({ reserved }) => reserved)?.name).toBe('Reserved r-0201')
    const of = (what: Attention['what']) => overview.attention.find((one) => one.what === what)
    expect(of('rotation-due')?.about).toEqual([{ id: 'acme', name: 'Acme' }])
    expect(of('rotation-due')?.by).toBeGreaterThan(now + 10 * DAY)
    expect(of('destruction-due')?.about.map(({ name }) => name)).toEqual([expect.stringMatching(/^acme-es256-/)])
    expect(of('passphrase-due')?.about).toEqual([{ id: 'emil', name: 'Emil Novak' }])
    expect(of('open-copies')?.count).toBe(2)
    expect(of('head-card')?.count).toBe(overview.signedEvent)
    expect(of('no-key')).toBeUndefined()
    expect(of('tail')).toBeUndefined()
    expect(overview.runtimes).toMatchObject([{ runtimeId: 'issuer-east', handoffs: 1 }])
    expect(overview.backups).toMatchObject([{ number: 1, tested: true }])
  })

  it('has a medium with receipts and an enrollment that nobody took in yet', async () => {
    const { folder, files } = await call(app, 'files', {})
    expect(folder).toBe(join(dirname(hello.home), 'medium'))
    expect(files.map(({ kind }) => kind).toSorted()).toEqual(['enrollment', 'receipts', 'trust anchor'])
  })

  it('is whole: every event and signature of it, and every file of its records', async () => {
    const { said } = await call(app, 'verifyVault', {})
    expect(said[0]).toContain('every page, event and signature is as it should be')
    const report = await call(app, 'verify', { what: { path: join(hello.home, 'records') }, anchor: null })
    expect([report.anchored, report.failed]).toEqual([true, 0])
    expect(report.files.length).toBeGreaterThan(50)
  })
})

describe('vaults at hand', () => {
  it('are listed from their lists of people alone, with whoever may open them', async () => {
    const { vaults } = await call(app, 'vaults', { folder: null })
    expect(vaults).toMatchObject([
      { folder: vault, name: 'Harbour rehearsal', practice: true, threshold: 3, problem: null },
    ])
    expect(vaults[0]?.people.map(({ id }) => id)).toEqual([...words.keys()])
  })

  it('damaged ones are listed with what is wrong; what is no vault is not', async () => {
    const folder = join(folders, 'several')
    for (const name of ['empty.vault', 'torn.vault', 'forged.vault', '.hidden.vault', 'notes'])
      mkdirSync(join(folder, name), { recursive: true })
    cpSync(vault, join(folder, 'good.vault'), { recursive: true })
    const people = readFileSync(join(vault, 'people.json'), 'utf8')
    writeFileSync(join(folder, 'torn.vault', 'people.json'), people.slice(0, 500))
    // The threshold of three, signed by the root, made two.
    const roster = String(JSON.parse(people).roster)
    const [header, payload = '', signature] = roster.split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
    const other = Buffer.from(JSON.stringify({ ...claims, threshold: 2 })).toString('base64url')
    writeFileSync(
      join(folder, 'forged.vault', 'people.json'),
      people.replace(roster, [header, other, signature].join('.')),
    )
    const { vaults } = await call(app, 'vaults', { folder })
    const said = Object.fromEntries(vaults.map(({ folder, problem }) => [basename(folder), problem]))
    expect(Object.keys(said).toSorted()).toEqual(['empty.vault', 'forged.vault', 'good.vault', 'torn.vault'])
    expect(said['good.vault']).toBeNull()
    expect(said['empty.vault']).toMatch(/no vault/)
    expect(said['torn.vault']).toMatch(/damaged/)
    expect(said['forged.vault']).toMatch(/roster/)
    expect(vaults.filter(({ problem }) => problem).every(({ people }) => people.length === 0)).toBe(true)
  })

  it('a folder that is not there has none', async () => {
    expect(await call(app, 'vaults', { folder: join(folders, 'nowhere') })).toEqual({ vaults: [] })
  })
})

describe('opening a vault to look at it', () => {
  it('a passphrase that does not open: passphrase-wrong, by name, and the view that is open stays', async () => {
    await call(app, 'openVault', open('farah'))
    const error = await refused(app, 'openVault', { ...open(), passphrase: 'quite another passphrase' })
    expect([error.code, error.message]).toEqual([
      'passphrase-wrong',
      'That passphrase does not open what is sealed for Ada Okafor.',
    ])
    expect((await call(app, 'overview', {})).openedBy.id).toBe('farah')
  })

  it('generated words open however they are written', async () => {
    const shouted = ` ${words.get('ada')?.toUpperCase().replaceAll(' ', '   ')} `
    expect((await call(app, 'openVault', { ...open(), passphrase: shouted })).openedBy.id).toBe('ada')
  })

  it('the same vault again is the same vault: whoever opened it last looks', async () => {
    await call(app, 'openVault', open('ada'))
    expect((await call(app, 'openVault', open('goran'))).openedBy.id).toBe('goran')
  })

  it('somebody who is not in the vault: people-invalid', async () => {
    expect((await refused(app, 'openVault', { ...open(), person: 'mallory' })).code).toBe('people-invalid')
  })

  it('open in another program: vault-in-use, and nothing is open here', async () => {
    await call(app, 'closeVault', {})
    const other = await Vault.open(vault, new Map([['ada', words.get('ada') ?? '']]))
    try {
      expect((await refused(app, 'openVault', open('bruno'))).code).toBe('vault-in-use')
      expect((await refused(app, 'overview', {})).code).toBe('vault-missing')
    } finally {
      other.close()
    }
    expect((await call(app, 'openVault', open('bruno'))).openedBy.id).toBe('bruno')
  })

  it('closed, nothing of it can be seen, and it is free for others', async () => {
    await call(app, 'openVault', open())
    await call(app, 'closeVault', {})
    for (const method of [
      'overview',
      'records',
      'keys',
      'isolation',
      'controls',
      'verifyVault',
      'buildEvidence',
    ] as const)
      expect([method, (await refused(app, method, {})).code]).toEqual([method, 'vault-missing'])
    const other = await Vault.open(vault, new Map([['ada', words.get('ada') ?? '']]))
    other.close()
  })

  it('looking writes nothing: the folder of the vault is as it was', async () => {
    const content = () =>
      readdirSync(vault).map((name) => [name, readFileSync(join(vault, name)).toString('base64')].join(' '))
    const before = content()
    await call(app, 'openVault', open())
    await call(app, 'verifyVault', {})
    await call(app, 'closeVault', {})
    expect(content()).toEqual(before)
  })
})

describe('what killed programs left in the temporary folder', () => {
  const DAY_MS = DAY * 1000
  const scratch = join(folders, 'scratch')
  const age = (name: string, days: number) => {
    mkdirSync(join(scratch, name, 'home'), { recursive: true })
    const then = (Date.now() - days * DAY_MS) / 1000
    utimesSync(join(scratch, name), then, then)
  }

  it('goes after a day, unless its program still runs; nothing else goes', () => {
    age(`${WORLD}old`, 2)
    age(`${WORLD}999999999-dead`, 2)
    age(`${WORLD}${process.pid}-alive`, 2)
    age(`${WORLD}new`, 0.5)
    age('another-practice', 2)
    writeFileSync(join(scratch, `${WORLD}file`), '')
    utimesSync(join(scratch, `${WORLD}file`), 1, 1)
    symlinkSync(join(scratch, 'another-practice'), join(scratch, `${WORLD}link`))
    removeLeftWorlds(scratch, Date.now())
    removeLeftWorlds(join(scratch, 'nowhere'))
    expect(readdirSync(scratch).toSorted()).toEqual(
      ['another-practice', `${WORLD}${process.pid}-alive`, `${WORLD}file`, `${WORLD}link`, `${WORLD}new`].toSorted(),
    )
    expect(existsSync(join(scratch, 'another-practice', 'home'))).toBe(true)
  })

  it('a world of somebody else stays', (context) => {
    if (process.getuid?.() !== 0) context.skip('only the administrator of a machine may give a folder away')
    age(`${WORLD}theirs`, 2)
    chownSync(join(scratch, `${WORLD}theirs`), 12_345, 12_345)
    utimesSync(join(scratch, `${WORLD}theirs`), 1, 1)
    removeLeftWorlds(scratch)
    expect(readdirSync(scratch)).toContain(`${WORLD}theirs`)
  })
})

it('begins without what killed programs left, and ends with the app: the practice home and its passphrases are gone', async () => {
  const left = join(tmpdir(), `${WORLD}left-${process.pid}`)
  mkdirSync(left)
  utimesSync(left, 1, 1)
  const other = await createApp({ home: folders, practice: true, shell: 'browser', networks: () => [] })
  expect(existsSync(left)).toBe(false)
  const { home } = await call(other, 'hello', {})
  expect(readdirSync(home)).toContain('records')
  await other.close()
  expect(() => readdirSync(dirname(home))).toThrow(/ENOENT/)
})
