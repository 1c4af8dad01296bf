import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { connect } from '../../electron/app/wiring.ts'
import { runGenesis } from '../../electron/ceremony/runner.ts'
import { verifyFiles } from '../../electron/evidence/verify.ts'
import type { Code } from '../../shared/errors.ts'
import { digest } from '../../shared/formats/bytes.ts'
import { parsePlan } from '../../shared/formats/plan.ts'
import { parseRecord } from '../../shared/formats/record.ts'
import { parseStatementFile } from '../../shared/formats/statement-file.ts'
import { openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import {
  digests,
  failure,
  filesOf,
  GENESIS,
  type Genesis,
  makeGenesis,
  PASSPHRASES,
  PEOPLE,
  T0,
  THRESHOLD,
} from './fixtures.ts'

let genesis: Genesis
beforeAll(async () => {
  genesis = await makeGenesis()
})
afterAll(() => genesis.remove())

it('genesis creates the vault: people, M-of-N, root and sealed successor, all shares proved', async () => {
  const state = await genesis.room().state()
  expect(state.practice).toBe(true)
  expect(state.createdAt).toBe(T0)
  expect(Object.keys(state.people).sort()).toEqual(PEOPLE.map(({ id }) => id).sort())
  expect([...(state.proved.get(1)?.keys() ?? [])].sort()).toEqual(['ada', 'blaise', 'clara'])
  const roots = [(await openTrustAnchor(state.anchor)).key.kid, state.successor]
  expect([...state.sealed.keys()].sort()).toEqual(roots.flatMap((kid) => [`key:${kid}`, `wrap:${kid}`]).sort())
  const roster = await genesis.room().withVault((vault) => vault.roster)
  expect(roster).toMatchObject({ threshold: THRESHOLD, epoch: 1 })
})

it('every step is in the history before the next; a checkpoint ends it; nothing is open and no tail stands after it', async () => {
  const room = genesis.room()
  const state = await room.state()
  const ceremony = state.ceremonies.get(genesis.result.ceremony)
  expect(genesis.result.ceremony).toBe('G-2026-001')
  expect(ceremony?.done.map(({ step }) => step)).toEqual(['create-vault', 'prove-shares', 'publish-anchor'])
  expect(ceremony?.ended).toMatchObject({ how: 'completed' })
  expect(state.checkpoint?.seq).toBe(state.seq)
  expect(await room.verify()).toMatchObject({ tail: null, checkpoints: 1, epoch: 1, practice: true })
})

it('the trust anchor on the medium is the one of the vault, self-signed and for practice', async () => {
  const room = genesis.room()
  const names = filesOf(room.media)
  expect(names).toHaveLength(1)
  const anchor = await openTrustAnchor(parseStatementFile(readFileSync(join(room.media, names[0] ?? ''))))
  const state = await room.state()
  expect(anchor).toMatchObject({ vaultId: state.vaultId, practice: true, jws: state.anchor })
})

it('the record folder holds plan, script, record, page, head card and a list of digests, and verifies from the anchor', async () => {
  const room = genesis.room()
  const folder = join(room.records, 'G-2026-001')
  expect(filesOf(folder)).toEqual([
    'SHA256SUMS',
    'head-card.html',
    'head-card.keyrite',
    'log.ndjson',
    'plan.json',
    'record.html',
    'record.json',
    'record.pdf',
    'script.txt',
  ])
  const { record, signatures } = parseRecord(readFileSync(join(folder, 'record.json')))
  expect(record.planDigest).toBe(digest(readFileSync(join(folder, 'plan.json'))))
  expect(record.participants.map(({ id }) => id).sort()).toEqual(PEOPLE.map(({ id }) => id).sort())
  expect(Object.keys(signatures).sort()).toEqual(PEOPLE.map(({ id }) => id).sort())
  expect(record.script.map(({ id }) => id)).toEqual(['create-vault', 'prove-shares', 'publish-anchor', 'sign-off'])
  const anchor = join(room.media, filesOf(room.media)[0] ?? '')
  const report = await verifyFiles([room.records, room.media], anchor, T0)
  const standings = Object.fromEntries(report.files.map(({ file, standing }) => [basename(file), standing]))
  expect(standings).toMatchObject({
    'record.json': 'verified',
    'record.html': 'verified',
    'plan.json': 'verified',
    'script.txt': 'verified',
    'head-card.keyrite': 'verified',
  })
  expect(report.files.filter((file) => !file.ok)).toEqual([])
})

it('vault, people, medium and records are readable by their owner alone', () => {
  const folder = join(genesis.base, 'genesis')
  const open = [...foldersOf(folder), ...filesOf(folder)].filter((name) => statSync(join(folder, name)).mode & 0o077)
  expect(open).toEqual([])
  expect(filesOf(folder)).toContain('test.vault/vault.db')
})

const foldersOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))

type Change = { plan?: object; passphrases?: [string, string][]; without?: string }
const PEOPLE_OF = (...roles: [string, string, string][]) => roles.map(([id, name, role]) => ({ id, name, role }))

const REFUSED: [string, Change, Code][] = [
  ['a person without a passphrase', { without: 'clara' }, 'passphrase-missing'],
  ['a weak passphrase', { passphrases: [['ada', 'aaaaaaaaaaaaaaaaaaaa']] }, 'passphrase-weak'],
  ['more needed than there are custodians', { plan: { threshold: 4 } }, 'people-invalid'],
  [
    'one person with two roles',
    { plan: { people: [...GENESIS.people, { id: 'ada-two', name: 'ADA LOVELACE', role: 'administrator' }] } },
    'people-invalid',
  ],
  ['one id twice', { plan: { people: [...GENESIS.people, { ...GENESIS.people[0], name: 'X' }] } }, 'people-invalid'],
  [
    'no compliance officer',
    {
      plan: {
        people: PEOPLE_OF(
          ['a', 'A', 'custodian'],
          ['b', 'B', 'custodian'],
          ['c', 'C', 'custodian'],
          ['d', 'D', 'administrator'],
        ),
      },
    },
    'people-invalid',
  ],
]

it.each(REFUSED)('%s: genesis is refused and leaves no vault, no medium and no record', async (_, change, code) => {
  const base = genesis.folder()
  mkdirSync(base)
  const passphrases = new Map([...PASSPHRASES, ...(change.passphrases ?? [])])
  if (change.without) passphrases.delete(change.without)
  const ports = connect({
    media: join(base, 'media'),
    records: join(base, 'records'),
    newVault: { folder: join(base, 'new.vault'), passphrases },
    now: () => T0,
    reporter: { say: () => {}, progress: () => {} },
  })
  const plan = parsePlan(JSON.stringify({ ...GENESIS, ...change.plan }))
  expect((await failure(runGenesis(ports, plan))).code).toBe(code)
  expect(digests(base)).toEqual({})
  expect(existsSync(join(base, 'new.vault'))).toBe(false)
})

it('a genesis over an existing vault is refused and changes nothing', async () => {
  const room = genesis.room()
  const before = room.content()
  expect((await failure(runGenesis(room.ports(), parsePlan(JSON.stringify(GENESIS))))).code).toBe('vault-exists')
  expect(room.content()).toEqual(before)
  await room.refused(GENESIS, 'ceremony-conflict')
})

it('a plan of another kind does not create a vault', async () => {
  const base = genesis.folder()
  mkdirSync(base)
  const plan = parsePlan(JSON.stringify({ kind: 'rotate', tenants: 'all' }))
  expect((await failure(runGenesis(genesis.room().ports(), plan))).code).toBe('plan-invalid')
  expect(digests(base)).toEqual({})
})
