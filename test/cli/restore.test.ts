import { cpSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { DAY } from '../../shared/domain/policy.ts'
import {
  filesOf,
  type Genesis,
  makeGenesis,
  PRESENT,
  type Room,
  tenantPlan,
  writePassphrases,
} from '../ceremony/fixtures.ts'
import { answerOf, keyrite } from './run.ts'

/** `ceremony run restore.json --vault COPY.vault`: the copy becomes the vault, from the command line. */

let genesis: Genesis
let room: Room
let copy: string
let base: string[]
beforeAll(async () => {
  genesis = await makeGenesis(Math.floor(Date.now() / 1000) - DAY)
  room = genesis.room()
  await room.onboard(tenantPlan('acme'))
  const live = await room.runtime()
  await room.handoff(live)
  await room.run({ kind: 'backup', holder: 'Grace Hopper', place: 'Safe 2' })
  const folder = (await room.state()).backups.get(1)?.made?.folder ?? ''
  copy = join(room.base, 'copy.vault')
  cpSync(join(room.media, folder), copy, { recursive: true })
  const { path } = await live.runtime.exportReceipts(room.media, { all: true })
  await live.runtime.close()
  const receipts = [{ runtime: 'eu-one', file: basename(path) }]
  writeFileSync(
    join(room.media, 'restore.json'),
    JSON.stringify({ kind: 'restore', backup: 1, receipts, reason: 'Fire' }),
  )
  const passphrases = writePassphrases(join(room.base, 'passphrases'), PRESENT)
  base = ['--vault', copy, '--passphrases', passphrases, '--no-input', '--json']
}, 120_000)
afterAll(() => genesis.remove())

const run = () =>
  keyrite(['ceremony', 'run', join(room.media, 'restore.json'), ...base, '--records', join(room.base, 'new')])

it('refuses a copy beside which a hot journal lies, before anything opens it', async () => {
  const journal = join(copy, 'vault.db-journal')
  writeFileSync(journal, Buffer.from('d9d505f920a163d7', 'hex'))
  const ran = await run()
  expect([ran.status, answerOf(ran).error.code]).toEqual([3, 'vault-damaged'])
  rmSync(journal)
}, 60_000)

it('makes the copy the vault, and writes the record', async () => {
  const ran = await run()
  const { ok, data } = answerOf(ran) as unknown as { ok: boolean; data: { ceremony: string } }
  expect([ran.status, ok]).toEqual([0, true])
  expect(data.ceremony).toMatch(/^S-\d{4}-005$/)
  expect(filesOf(join(room.base, 'new', data.ceremony))).toContain('record.json')
  const verified = answerOf(await keyrite(['vault', 'verify', ...base]))
  expect(verified.ok).toBe(true)
}, 60_000)
