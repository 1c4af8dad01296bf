import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { resumeCeremony } from '../../electron/ceremony/runner.ts'
import { verifyFiles } from '../../electron/evidence/verify.ts'
import { mustBeAtRest } from '../../electron/vault/backup.ts'
import { Vault } from '../../electron/vault/vault.ts'
import { copiesOf } from '../../shared/domain/ledger.ts'
import { keysOf, type VaultState } from '../../shared/domain/state.ts'
import type { Code } from '../../shared/errors.ts'
import { digest } from '../../shared/formats/bytes.ts'
import { parsePlan } from '../../shared/formats/plan.ts'
import { failure, filesOf, type Genesis, makeGenesis, PRESENT, type Room, T0, tenantPlan } from './fixtures.ts'

const DAY = 86_400

const backupPlan = (change: object = {}) => ({
  kind: 'backup',
  holder: 'Grace Hopper',
  place: 'Safe 2',
  ...change,
})
const GONE = { backup: 1, by: 'grace', statement: 'The stick was shredded' }

let genesis: Genesis
let onboarded: Room
/** With one backup. */
let backed: Room
beforeAll(async () => {
  genesis = await makeGenesis()
  onboarded = genesis.room()
  await onboarded.onboard(tenantPlan('acme'))
  backed = onboarded.copy(genesis.folder())
  await backed.run(backupPlan())
})
afterAll(() => genesis.remove())

const fresh = () => onboarded.copy(genesis.folder())
const again = () => backed.copy(genesis.folder())
const folderOf = (state: VaultState, number = 1): string => state.backups.get(number)?.made?.folder ?? ''
const anchorFile = (at: Room) =>
  join(at.media, filesOf(at.media).find((name) => name.startsWith('trust-anchor-')) ?? '')
const statusOf = (state: VaultState, copy: string) =>
  [...state.keys.values()].map((key) => copiesOf(state, key).find((one) => one.id === copy)?.status)
const withPeople = (at: Room, folder: string, present = PRESENT) =>
  Vault.openFor(folder, new Map([...at.people].filter(([id]) => present.includes(id))))

describe('backup', () => {
  it('copies both files into a numbered folder, opens it once with the shares of those present, and says who holds it', async () => {
    const at = fresh()
    const before = await at.state()
    const { result, state } = await at.run(backupPlan())
    expect(result.steps.map(({ step }) => step)).toEqual([
      'check-machine',
      'check-plan',
      'write-backup',
      'open-backup',
      'attest-replaced',
    ])
    const folder = folderOf(state)
    expect(folder).toMatch(/^backup-1-\d{8}T\d{6}Z\.vault$/)
    expect(filesOf(join(at.media, folder))).toEqual(['people.json', 'vault.db'])
    for (const [name, expected] of Object.entries(state.backups.get(1)?.made?.files ?? {}))
      expect(digest(readFileSync(join(at.media, folder, name)))).toBe(expected)
    expect(state.backups.get(1)).toMatchObject({
      holder: 'Grace Hopper',
      place: 'Safe 2',
      seq: before.seq,
      head: before.head,
    })
    expect(state.backups.get(1)?.openedAt).toBeGreaterThan(0)
    expect(await at.verify()).toMatchObject({ tail: null })
    const report = await verifyFiles([result.recordFolder], anchorFile(at), at.clock.now())
    expect(report.files.filter((one) => !one.ok)).toEqual([])
  })

  it('the copy is the vault as its last checkpoint left it: it opens by itself, without an open ceremony or a tail', async () => {
    const at = again()
    const copy = await withPeople(at, join(at.media, folderOf(await at.state())))
    try {
      expect(copy.tail).toBeNull()
      expect([...copy.state.ceremonies.values()].every((one) => one.ended)).toBe(true)
      expect(copy.state.keys.size).toBe((await at.state()).keys.size)
    } finally {
      copy.close()
    }
  })

  it('every key that existed has an open copy with its holder; a key that came later has none', async () => {
    const at = again()
    const state = await at.state()
    expect(new Set(statusOf(state, 'backup:1'))).toEqual(new Set(['open']))
    const [key] = state.keys.values()
    const copy = key && copiesOf(state, key).find((one) => one.id === 'backup:1')
    expect(copy).toMatchObject({ holder: 'Grace Hopper', what: 'Backup 1, Safe 2' })
    const later = await at.onboard(tenantPlan('globex'))
    const made = keysOf(later.state, 'globex').flatMap((one) => copiesOf(later.state, one))
    expect(made.filter((one) => one.id.startsWith('backup:'))).toEqual([])
  })

  it('superseding alone changes nothing: only the attestation closes the earlier copy', async () => {
    const superseded = await again().run(backupPlan({ replaces: [1] }))
    expect(new Set(statusOf(superseded.state, 'backup:1'))).toEqual(new Set(['open']))
    const attested = await again().run(backupPlan({ replaces: [1], attestations: [GONE] }))
    expect(new Set(statusOf(attested.state, 'backup:1'))).toEqual(new Set(['attested']))
    expect(new Set(statusOf(attested.state, 'backup:2'))).toEqual(new Set(['open']))
  })

  const REFUSED: [string, object, Code][] = [
    ['a backup that nobody made', { replaces: [7] }, 'plan-invalid'],
    ['one backup twice', { replaces: [1, 1] }, 'plan-invalid'],
    ['an attestation for a backup that is not replaced', { attestations: [GONE] }, 'plan-invalid'],
    ['an attestation by a stranger', { replaces: [1], attestations: [{ ...GONE, by: 'mallory' }] }, 'plan-invalid'],
    ['an attestation by somebody absent', { replaces: [1], attestations: [{ ...GONE, by: 'clara' }] }, 'plan-invalid'],
    ['an unknown member', { everything: true }, 'plan-invalid'],
  ]
  it.each(REFUSED)('%s is refused, and nothing is changed', async (_, change, code) => {
    await again().refused(backupPlan(change), code)
  })

  it('a backup made under an older epoch still opens with old shares after the quorum secret has changed', async () => {
    const at = again()
    at.clock.to(T0 + 120 * DAY)
    const kid = keysOf(await at.state(), 'acme')[0]?.kid ?? ''
    const destroyed = await at.run(
      { kind: 'destroy', keys: [kid], reason: 'End of schedule' },
      { confirm: [`DESTROY ${kid.slice(0, 8)}`] },
    )
    expect(destroyed.state.epoch).toBe(2)
    const folder = join(at.media, folderOf(await at.state()))
    const copy = await withPeople(at, folder)
    try {
      const act = { ceremony: 'T-2026-001', planDigest: digest('x'), step: 'look', objects: digest('x') }
      const length = await copy.withQuorum(act, await copy.approve(act), async (quorum) => quorum.unseal(kid).length)
      expect(length).toBeGreaterThan(100)
      expect(copy.roster.epoch).toBe(1)
    } finally {
      copy.close()
    }
  })
})

describe('a backup that is interrupted', () => {
  it('resumes: what the first try left is taken back, and there is one copy with one number', async () => {
    const at = fresh()
    const stop = at.run(backupPlan(), {
      ports: (ports) => ({
        ...ports,
        copies: {
          ...ports.copies,
          write: async (vault, backup) => {
            await ports.copies.write(vault, backup)
            throw new Error('power cut')
          },
        },
      }),
    })
    await expect(stop).rejects.toThrow('power cut')
    const begun = await at.state()
    expect(begun.backups.get(1)).toMatchObject({ made: null })
    expect(new Set(statusOf(begun, 'backup:1'))).toEqual(new Set(['open']))
    at.clock.advance(3600)
    const vault = await at.open()
    try {
      const result = await resumeCeremony(at.ports(), vault, parsePlan, { confirm: [], acceptTail: true })
      expect(result.steps.find(({ step }) => step === 'write-backup')?.observed).toContain('taken back: backup-1-')
      const folders = new Set(
        filesOf(at.media)
          .filter((name) => name.includes('backup-'))
          .map((name) => name.split('/')[0]),
      )
      expect([...folders]).toEqual([folderOf(vault.state)])
      expect([...vault.state.backups.keys()]).toEqual([1])
    } finally {
      vault.close()
    }
  })

  it('does not close before a quorum has opened the copy: one that reads back differently stops it', async () => {
    const at = fresh()
    const work = at.run(backupPlan(), {
      ports: (ports) => ({
        ...ports,
        copies: {
          ...ports.copies,
          open: (vault, folder, act) => {
            const path = join(at.media, folder, 'vault.db')
            const bytes = readFileSync(path)
            bytes[bytes.length - 100] = (bytes[bytes.length - 100] ?? 0) ^ 1
            writeFileSync(path, bytes)
            return ports.copies.open(vault, folder, act)
          },
        },
      }),
    })
    expect(['vault-damaged', 'vault-history-broken']).toContain((await failure(work)).code)
    const state = await at.state()
    expect([...state.ceremonies.values()].at(-1)).toMatchObject({ ended: null })
    expect(state.backups.get(1)?.openedAt).toBeNull()
  })

  it('a medium that cannot be written is said to be one', async () => {
    const at = fresh()
    rmSync(at.media, { recursive: true })
    writeFileSync(at.media, 'not a folder')
    expect((await failure(at.run(backupPlan()))).exit).toBe(6)
  })
})

it('a folder with a hot journal is not copied and not restored from', () => {
  const folder = genesis.folder()
  mkdirSync(folder, { recursive: true })
  cpSync(join(onboarded.vault, 'vault.db'), join(folder, 'vault.db'))
  expect(() => mustBeAtRest(folder)).not.toThrow()
  writeFileSync(join(folder, 'vault.db-journal'), new Uint8Array(512))
  expect(() => mustBeAtRest(folder)).not.toThrow()
  writeFileSync(join(folder, 'vault.db-journal'), Buffer.from('d9d505f920a163d7', 'hex'))
  expect(() => mustBeAtRest(folder)).toThrow(expect.objectContaining({ code: 'vault-damaged' }))
})

it('the living vault is not restored from a backup that it made itself', async () => {
  const plan = { kind: 'restore', backup: 1, receipts: [], reason: 'By mistake' }
  const error = await again().refused(plan, 'plan-invalid')
  expect(error.message).toContain('knows backup 1 already')
})

it('destroying a key afterwards: the open backup makes it a deletion, and names the copy', async () => {
  const at = again()
  at.clock.to(T0 + 120 * DAY)
  const kid = keysOf(await at.state(), 'acme')[0]?.kid ?? ''
  const { state } = await at.run(
    { kind: 'destroy', keys: [kid], reason: 'End of schedule' },
    { confirm: [`DESTROY ${kid.slice(0, 8)}`] },
  )
  const key = state.keys.get(kid)
  const open = key ? copiesOf(state, key).filter((copy) => copy.status === 'open') : []
  expect(open.map((copy) => copy.id)).toEqual(['backup:1', 'medium'])
  expect(key?.certificate?.grade).toBe('deletion')
})
