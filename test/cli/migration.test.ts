import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import { filesOf, type Genesis, makeGenesis, type Room, tenantPlan, writePassphrases } from '../ceremony/fixtures.ts'
import { answerOf, keyrite } from './run.ts'

/** docs/migration.md with its own commands: a static key in, a key out, names and the end of a tenant. */

const VECTORS = join(import.meta.dirname, '../vectors/import')
const PASSWORD = 'import canary 4471'

let genesis: Genesis
let room: Room
let people: string[]
/** Anybody may look. */
let looking: string[]
beforeAll(async () => {
  genesis = await makeGenesis(Math.floor(Date.now() / 1000) - 86_400)
  room = genesis.room()
  mkdirSync(room.media, { recursive: true })
  people = ['--vault', room.vault, '--passphrases', writePassphrases(join(genesis.base, 'two'), ['ada', 'blaise'])]
  looking = ['--vault', room.vault, '--passphrases', writePassphrases(join(genesis.base, 'one'), ['ada'])]
})
afterAll(() => genesis.remove())

/** Runs a plan and gives its answer, which must be a success. */
async function run(plan: object, ...more: string[]): Promise<{ steps: { observed: string }[] }> {
  const path = join(room.base, 'plan.json')
  writeFileSync(path, JSON.stringify(plan))
  const carried = ['--media', room.media, '--records', room.records]
  const ran = await keyrite(['ceremony', 'run', path, ...people, ...carried, '--no-input', '--json', ...more])
  const { ok, data, error } = answerOf(ran)
  expect([ok, error]).toEqual([true, undefined])
  return data
}
const listed = async (what: 'key' | 'tenant') =>
  answerOf(await keyrite([what, 'list', ...looking, '--json'])).data as never as {
    keys: Record<string, unknown>[]
    tenants: Record<string, unknown>[]
  }

describe('migration from a terminal', () => {
  it('a static key comes in with its password from a file, and is shown for what it is', async () => {
    copyFileSync(join(VECTORS, 'rsa-openssl3.pfx'), join(room.media, 'old.pfx'))
    const secrets = join(room.base, 'secrets')
    mkdirSync(secrets, { mode: 0o700 })
    writeFileSync(join(secrets, 'password-of-old-pfx'), `${PASSWORD}\n`, { mode: 0o600 })
    const tenant = tenantPlan('legacy', { specs: ['RS256'] })
    const keys = [{ file: 'old.pfx', format: 'pfx', spec: 'RS256' }]
    const plan = { kind: 'import-key', tenant, keys, statement: 'Of the old issuer' }
    const { steps } = await run(plan, '--secrets', secrets)
    expect(steps.at(-1)?.observed).toContain('imported: independence not attested')
    const { keys: all } = await listed('key')
    expect(all[0]).toMatchObject({
      imported: { file: 'old.pfx', mark: 'imported: independence not attested' },
      openCopies: expect.arrayContaining([expect.stringContaining('Origin: file old.pfx')]),
    })
    expect((await keyrite(['key', 'list', ...looking])).stdout).toContain('imported: independence not attested')
    for (const name of filesOf(room.records)) {
      expect(readFileSync(join(room.records, name)).includes(PASSWORD)).toBe(false)
    }
  })

  it('a key goes out: the recipient reads its fingerprint, opens the file, and has the very key', async () => {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const [publicFile, privateFile] = [join(room.media, 'recipient.json'), join(room.base, 'recipient.key')]
    writeFileSync(publicFile, JSON.stringify(pair.publicKey.export({ format: 'jwk' })))
    writeFileSync(privateFile, JSON.stringify(pair.privateKey.export({ format: 'jwk' })))
    const said = answerOf(await keyrite(['key', 'fingerprint', publicFile, '--json'])).data as { hex: string[] }
    const { keys } = await listed('key')
    const out = keys.find((key) => !key['imported'])
    await run({
      kind: 'export-key',
      keys: [out?.['kid']],
      format: 'pkcs8',
      recipient: 'recipient.json',
      fingerprint: said.hex.join(' '),
      holder: 'Operators of the login issuer',
      reason: 'User logins',
    })
    const file = join(room.media, filesOf(room.media).find((name) => name.startsWith('export-')) ?? '')
    const pem = join(room.base, 'key.pem')
    const open = ['key', 'open-export', file, '--key', privateFile, '--out', pem, '--json']
    expect(answerOf(await keyrite(open))).toMatchObject({ ok: true, data: { number: 1, format: 'pkcs8' } })
    expect(thumbprint(createPrivateKey(readFileSync(pem)).export({ format: 'jwk' }) as never)).toBe(out?.['kid'])
    expect(statSync(pem).mode & 0o777).toBe(0o600)
    expect(answerOf(await keyrite(open)).error.code).toBe('file-exists')
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
    writeFileSync(privateFile, JSON.stringify(other))
    const ran = await keyrite(['key', 'open-export', file, '--key', privateFile, '--out', `${pem}2`, '--json'])
    expect([answerOf(ran).error.code, ran.status]).toEqual(['decryption-failed', 3])
    const anchor = join(room.media, filesOf(room.media).find((name) => name.startsWith('trust-anchor-')) ?? '')
    const verified = answerOf(await keyrite(['verify', file, '--trust-anchor', anchor, '--json'])).data
    expect(verified).toMatchObject({ files: [{ kind: 'exported key', ok: true, standing: 'consistent' }] })
  })

  it('a reserved tenant is shown as one, an offboarded one as what it was, held keys with their hold', async () => {
    const tenant = { tenant: 't-7f3k', issuer: 'https://id.example.com/t/7f3k', reserved: true }
    await run({ kind: 'onboard', tenants: [{ ...tenant, policy: { signingAlgorithms: ['ES256'] } }] })
    const hold = { hold: 'case-7', tenant: 'legacy', reason: 'Court' }
    await run({ kind: 'amend', reason: 'Agreed', changes: [hold, { offboard: 'legacy' }] })
    const { tenants } = await listed('tenant')
    const reserved = tenants.find((one) => one['tenant'] === 't-7f3k')
    expect(reserved).toMatchObject({ reserved: true, name: 'Reserved t-7f3k', offboarded: null })
    expect(tenants.find((one) => one['tenant'] === 'legacy')).toMatchObject({ offboarded: { reason: 'Agreed' } })
    expect((await keyrite(['tenant', 'list', ...looking])).stdout).toMatch(/legacy.*offboarded/)
    const held = (await listed('key')).keys.filter((key) => key['tenant'] === 'legacy')
    expect(held.flatMap((key) => key['exported'])).toEqual([1])
    expect(held.every((key) => key['phase'] === 'removed' && String(key['holds']) === 'case-7')).toBe(true)
  })

  it('an operator labels a tenant at the runtime', async () => {
    room.clock.to(Math.floor(Date.now() / 1000))
    const runtime = await room.runtime('eu-one')
    try {
      await room.handoff(runtime)
    } finally {
      await runtime.runtime.close()
    }
    const dir = ['--dir', runtime.dir, '--json']
    const assign = ['issuer', 'tenant', 'assign', 't-7f3k', '--name', 'Initech Europe', ...dir]
    expect(answerOf(await keyrite(assign))).toMatchObject({ ok: true, data: { name: 'Initech Europe' } })
    const { tenants } = answerOf(await keyrite(['issuer', 'status', ...dir])).data as {
      tenants: Record<string, unknown>[]
    }
    expect(tenants.find((one) => one['tenant'] === 't-7f3k')).toMatchObject({ name: 'Initech Europe' })
    const nobody = await keyrite(['issuer', 'tenant', 'assign', 'nobody', '--name', 'X', ...dir])
    expect([answerOf(nobody).error.code, nobody.status]).toEqual(['tenant-unknown', 5])
  })
})
