import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readEnrollment, writeTrustAnchor } from '../../electron/handoff/statements.ts'
import { DAY } from '../../shared/domain/policy.ts'
import { makeHandoff, makeTenant, makeVault, pathsOf, temporaryFolder } from '../issuer/fixtures.ts'
import { type Answer, answerOf, keyrite, type Ran } from './run.ts'

/** A runtime made, filled and looked after on the command line alone, by the clock of this machine. */
async function operated() {
  const folder = temporaryFolder()
  const dir = join(folder, 'issuer')
  const place = join(folder, 'second-place')
  const media = join(folder, 'media')
  mkdirSync(place)
  const env = { ...process.env, ISSUER_DIR: dir }
  const run = (line: string, ...more: string[]) => keyrite(['issuer', ...line.split(' '), ...more], { env })
  const vault = await makeVault()
  const now = Math.floor(Date.now() / 1000)
  const anchor = writeTrustAnchor(folder, vault.anchor.jws, now)
  const made = await run('init --runtime-id eu-one', '--trust-anchor', anchor, '--enrollment', folder)
  expect(made.stderr).toBe('')
  const name = readdirSync(folder).find((file) => file.startsWith('enrollment')) ?? ''
  const { transportKey } = await readEnrollment(join(folder, name))
  const config = join(dir, 'issuer.json')
  writeFileSync(config, JSON.stringify({ ...JSON.parse(readFileSync(config, 'utf8')), secondPlace: place }))
  const handoff = await makeHandoff(vault, folder, [makeTenant('acme', { from: now })], {
    transportKey,
    manifest: { iat: now, exp: now + DAY },
  })
  expect((await run('import', ...pathsOf(handoff))).status).toBe(0)
  return { dir, place, media, folder, run }
}

const dataOf = (ran: Ran): Answer['data'] => answerOf(ran).data

describe('keyrite issuer backup, restore, catch-up and storage-key', () => {
  it('a host is lost after a taint; the runtime comes back with it', async () => {
    const { dir, place, media, folder, run } = await operated()
    const key = join(folder, 'storage.key')
    writeFileSync(key, readFileSync(join(dir, 'storage.key')), { mode: 0o600 })
    const backup = await run('backup', '--out', media, '--actor', 'Olga')
    expect(backup).toMatchObject({ status: 0, stderr: '' })
    expect(backup.stdout).toMatch(/^Backup written: .*runtime-backup-/)
    expect(backup.stdout).toContain('3 private halves')
    const { tenants } = dataOf(await run('status --json')) as { tenants: { signingKids: string[] }[] }
    const kid = tenants[0]?.signingKids[0] ?? ''
    expect((await run('taint --tenant acme --actor Olga', '--kid', kid)).status).toBe(0)
    const status = await run('status')
    expect(status.stdout).toContain(`Second place  ${place}\n`)
    expect(status.stdout).toContain('1 private half erased under it, since it was made')
    rmSync(dir, { recursive: true })

    const [file = ''] = readdirSync(media)
    const restore = ['restore', '--storage-key-file', key] as const
    const bare = await run(restore.join(' '), join(media, file))
    expect(bare.stdout).toContain('It serves nothing yet')
    expect(answerOf(await run('status --json')).error.code).toBe('runtime-behind')
    expect(answerOf(await run('serve --port 0 --json')).error.code).toBe('runtime-behind')
    const caught = await run('catch-up', '--second-place', place, '--actor', 'Olga')
    expect(caught.stdout).toMatch(
      /^Receipts \d+ to \d+ came back from the second place\.\n1 private half .* is erased again/,
    )
    const after = dataOf(await run('status --json')) as { tenants: { phases: { kid: string; tainted: boolean }[] }[] }
    expect(after.tenants[0]?.phases.find((one) => one.kid === kid)?.tainted).toBe(true)
    const again = await run('catch-up', '--second-place', place)
    expect(again.stdout).toContain('Nothing was missing.')
    expect(answerOf(await run(`${restore.join(' ')} --json`, join(media, file))).error.code).toBe('runtime-exists')
  })

  it('restore with the second place in one step, and a new storage key', async () => {
    const { dir, place, media, folder, run } = await operated()
    const key = join(folder, 'storage.key')
    writeFileSync(key, readFileSync(join(dir, 'storage.key')), { mode: 0o600 })
    await run('backup', '--out', media)
    rmSync(dir, { recursive: true })
    const [file = ''] = readdirSync(media)
    const done = await run(`restore --storage-key-file ${key} --second-place ${place}`, join(media, file))
    expect(done).toMatchObject({ status: 0, stderr: '' })
    expect(done.stdout).toContain('Compare the clock, then serve')
    const rotated = await run('storage-key rotate --actor Olga')
    expect(rotated.stdout).toContain(`The old one is in ${key}: erase it, and every copy of it.`)
    expect((await run('status')).status).toBe(0)
    expect((await run('storage-key rotate')).stdout).toContain('is overwritten and removed.')
    const elsewhere = join(folder, 'elsewhere.key')
    expect((await run('storage-key rotate', '--new-key-file', elsewhere)).stdout).toContain(elsewhere)
    expect((await run('status')).status).toBe(0)
  })

  it('a second place that is away: the command does its work and says so', async () => {
    const { place, run } = await operated()
    rmSync(place, { recursive: true })
    const added = await run('client add --tenant acme --client-id api --audience https://api')
    expect(added).toMatchObject({ status: 0, stderr: expect.stringContaining('the second place could not be written') })
    expect((await run('status')).stdout).toContain('BEHIND since')
  })
})
