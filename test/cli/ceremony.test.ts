import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Code } from '../../shared/errors.ts'
import {
  GENESIS,
  type Genesis,
  makeGenesis,
  PRESENT,
  Room,
  tenantPlan,
  writePassphrases,
} from '../ceremony/fixtures.ts'
import { answerOf, keyrite, type Ran } from './run.ts'

/** `keyrite ceremony …`, `vault …`, `key …`: exit codes, JSON, and what a refusal leaves. */

let genesis: Genesis
let base: Room
let all: string
beforeAll(async () => {
  genesis = await makeGenesis(Math.floor(Date.now() / 1000) - 86_400)
  base = genesis.room()
  await base.onboard(tenantPlan('acme', { specs: ['Ed25519'] }))
  all = writePassphrases(join(genesis.base, 'passphrases'), ['ada', 'blaise'])
})
afterAll(() => genesis.remove())

const room = (): Room => base.copy(genesis.folder())

function planIn(at: Room, plan: unknown): string {
  const path = join(at.base, 'plan.json')
  writeFileSync(path, typeof plan === 'string' ? plan : JSON.stringify(plan))
  return path
}

const at = (where: Room, passphrases: string) => ['--vault', where.vault, '--passphrases', passphrases]
const ceremony = (where: Room, plan: unknown, passphrases = all, ...more: string[]): Promise<Ran> =>
  keyrite([
    'ceremony',
    'run',
    planIn(where, plan),
    ...at(where, passphrases),
    '--media',
    where.media,
    '--no-input',
    '--json',
    ...more,
  ])

const ONBOARD = { kind: 'onboard', tenants: [tenantPlan('globex', { specs: ['Ed25519'] })] }

/** Runs and expects a refusal: this code, its exit status, one JSON object, no stack, and every byte as before. */
async function refused(where: Room, run: (where: Room) => Promise<Ran>, code: Code, exit: number): Promise<string> {
  const before = where.content()
  const ran = await run(where)
  const { ok, error } = answerOf(ran)
  expect([ok, error.code, ran.status]).toEqual([false, code, exit])
  for (const part of [error.message, error.hint, error.lost]) expect(part.length).toBeGreaterThan(5)
  expect(ran.stdout + ran.stderr).not.toMatch(/\n\s+at |node:internal|\.ts:\d/)
  expect(where.content()).toEqual(before)
  return error.message
}

describe('the quorum is checked before anything else', () => {
  it.each([
    ['one custodian', ['ada'], /One more custodian/],
    ['one custodian and the witnesses', ['clara', 'emmy', 'grace'], /One more custodian/],
    ['the witnesses alone', ['emmy', 'grace'], /2 more custodians/],
  ] as const)('%s: exit 4, and the vault is byte for byte as it was', async (_, ids, message) => {
    const where = room()
    const passphrases = writePassphrases(join(where.base, 'passphrases'), ids)
    expect(await refused(where, () => ceremony(where, ONBOARD, passphrases), 'quorum-missing', 4)).toMatch(message)
  })

  it('also where the plan is not a plan, and where a passphrase of those present is wrong', async () => {
    const where = room()
    const passphrases = writePassphrases(join(where.base, 'passphrases'), ['ada'])
    writeFileSync(join(passphrases, 'ada'), 'not the passphrase of ada\n', { mode: 0o600 })
    await refused(where, () => ceremony(where, '{', passphrases), 'quorum-missing', 4)
  })
})

describe('a ceremony', () => {
  it('runs to its end: exit 0, one JSON object with its steps and record folder, words only on stderr', async () => {
    const where = room()
    const ran = await ceremony(where, ONBOARD, all, '--records', where.records)
    expect(answerOf(ran)).toMatchObject({
      ok: true,
      data: {
        ceremony: expect.stringMatching(/^O-\d{4}-003$/),
        kind: 'onboard',
        certificates: [],
        recordFolder: expect.stringContaining(where.records),
      },
    })
    expect([ran.status, ran.stderr]).toEqual([0, ''])
    where.clock.to(Math.floor(Date.now() / 1000) + 1)
    expect((await where.state()).tenants.has('globex')).toBe(true)
  })

  it('in words: the steps on stderr, the result on stdout', async () => {
    const where = room()
    const ran = await keyrite(['ceremony', 'run', planIn(where, ONBOARD), ...at(where, all), '--media', where.media])
    expect([ran.status, ran.stdout.split('\n')[0]]).toEqual([0, expect.stringMatching(/^O-\d{4}-003 is complete\./)])
    expect(ran.stderr.match(/✓/g)).toHaveLength(4)
    expect(ran.stdout).not.toContain('✓')
  })

  it('a genesis creates the vault that is named', async () => {
    const folder = genesis.folder()
    mkdirSync(folder)
    const where = new Room(folder, genesis.people, 0)
    const everyone = writePassphrases(
      join(folder, 'passphrases'),
      GENESIS.people.map(({ id }) => id),
    )
    const ran = await ceremony(where, GENESIS, everyone)
    expect([ran.status, answerOf(ran).ok]).toEqual([0, true])
    const verified = await keyrite(['vault', 'verify', ...at(where, everyone), '--json'])
    expect(answerOf(verified)).toMatchObject({ ok: true, data: { practice: true, epoch: 1, tail: null } })
  })

  const REFUSED: [string, Code, number, (where: Room) => Promise<Ran>][] = [
    ['a plan that is not JSON', 'plan-invalid', 2, (where) => ceremony(where, '{"kind":')],
    ['a plan with an unknown member', 'plan-invalid', 2, (where) => ceremony(where, { ...ONBOARD, force: true })],
    [
      'a plan of another vault’s tenant',
      'tenant-unknown',
      5,
      (where) => ceremony(where, { kind: 'rotate', tenants: ['nobody'] }),
    ],
    [
      'a tenant that exists',
      'ceremony-conflict',
      5,
      (where) => ceremony(where, { kind: 'onboard', tenants: [tenantPlan('acme')] }),
    ],
    [
      'a policy that breaks relying parties',
      'policy-rejected',
      2,
      (where) =>
        ceremony(where, { kind: 'onboard', tenants: [tenantPlan('globex', { policy: { propagationTime: '1h' } })] }),
    ],
    ['a genesis over a vault', 'ceremony-conflict', 5, (where) => ceremony(where, GENESIS)],
    [
      'resuming when nothing is open',
      'ceremony-unknown',
      5,
      (where) => keyrite(['ceremony', 'resume', ...at(where, all), '--json']),
    ],
    [
      'aborting when nothing is open',
      'ceremony-unknown',
      5,
      (where) => keyrite(['ceremony', 'abort', '--reason', 'none', ...at(where, all), '--json']),
    ],
    [
      'a plan that is missing',
      'file-missing',
      6,
      (where) => keyrite(['ceremony', 'run', join(where.base, 'nowhere.json'), ...at(where, all), '--json']),
    ],
    ['a plan that is a link', 'file-refused', 6, linkedPlan],
    ['passphrases that others may read', 'file-refused', 6, readable],
    ['a wrong passphrase', 'passphrase-wrong', 4, wrong],
    ['a folder without passphrases', 'passphrase-missing', 4, (where) => ceremony(where, ONBOARD, emptied(where))],
    [
      'a folder of passphrases that is missing',
      'file-missing',
      6,
      (where) => ceremony(where, ONBOARD, join(where.base, 'nowhere')),
    ],
    ['a vault in use', 'vault-in-use', 5, inUse],
    [
      'a vault that is missing',
      'vault-missing',
      6,
      (where) => keyrite(['vault', 'verify', '--vault', join(where.base, 'x.vault'), '--passphrases', all, '--json']),
    ],
    [
      'a ceremony that is unknown',
      'ceremony-unknown',
      5,
      (where) => keyrite(['ceremony', 'show', 'O-2026-999', ...at(where, all), '--json']),
    ],
  ]
  it.concurrent.each(REFUSED)(
    '%s: %s, exit %i, and the vault is byte for byte as it was',
    async (_, code, exit, run) => {
      await refused(room(), run, code, exit)
    },
    30_000,
  )

  function linkedPlan(where: Room): Promise<Ran> {
    symlinkSync(planIn(where, ONBOARD), join(where.base, 'link.json'))
    return keyrite(['ceremony', 'run', join(where.base, 'link.json'), ...at(where, all), '--json'])
  }
  function readable(where: Room): Promise<Ran> {
    const passphrases = writePassphrases(join(where.base, 'passphrases'), PRESENT)
    chmodSync(join(passphrases, 'ada'), 0o644)
    return ceremony(where, ONBOARD, passphrases)
  }
  function wrong(where: Room): Promise<Ran> {
    const passphrases = writePassphrases(join(where.base, 'passphrases'), ['ada', 'blaise'])
    writeFileSync(join(passphrases, 'blaise'), 'another passphrase altogether\n', { mode: 0o600 })
    return ceremony(where, ONBOARD, passphrases)
  }
  function emptied(where: Room): string {
    return writePassphrases(join(where.base, 'none'), [])
  }
  async function inUse(where: Room): Promise<Ran> {
    return where.withVault(() => ceremony(where, ONBOARD))
  }

  it('one that was interrupted is named, resumed with --accept-tail, and its record says so', async () => {
    const where = room()
    const stop = () => Promise.reject(new Error('plug'))
    const present = ['ada', 'blaise']
    await expect(where.run(ONBOARD, { present, ports: (ports) => ({ ...ports, makeKeys: stop }) })).rejects.toThrow(
      'plug',
    )
    const name = await refused(where, () => ceremony(where, ONBOARD), 'ceremony-open', 5)
    expect(name).toMatch(/O-\d{4}-003/)
    const tail = () => keyrite(['ceremony', 'resume', ...at(where, all), '--records', where.records, '--json'])
    await refused(where, tail, 'vault-tail', 4)
    const ran = await keyrite([
      'ceremony',
      'resume',
      '--accept-tail',
      ...at(where, all),
      '--records',
      where.records,
      '--json',
    ])
    const answer = answerOf(ran) as unknown as { data: { recordFolder: string } }
    expect(ran.status).toBe(0)
    expect(readFileSync(join(answer.data.recordFolder, 'record.json'), 'utf8')).toContain('It was interrupted')
    expect((await keyrite(['ceremony', 'list', ...at(where, all)])).stdout).toMatch(
      /O-\d{4}-003\s+onboard\s.*completed/,
    )
  })

  it('one that was interrupted is aborted with a reason, and its half-made keys are erased', async () => {
    const where = room()
    const say = (text: string) => {
      if (text.includes('Make the keys')) throw new Error('plug')
    }
    await expect(where.run(ONBOARD, { ports: (ports) => ({ ...ports, say }) })).rejects.toThrow('plug')
    const abort = (...more: string[]) => keyrite(['ceremony', 'abort', ...at(where, all), '--json', ...more])
    await refused(where, () => abort('--accept-tail', '--reason', ' '), 'usage-invalid', 2)
    const ran = await abort('--accept-tail', '--reason', 'Fire alarm')
    expect(answerOf(ran)).toMatchObject({ ok: true, data: { erased: 3 } })
    const verified = await keyrite(['vault', 'verify', ...at(where, all), '--json'])
    expect(answerOf(verified)).toMatchObject({ ok: true, data: { tail: null } })
  })

  it('a record folder that was lost is written again from the vault, byte for byte', async () => {
    const where = room()
    const id = [...(await where.state()).ceremonies.keys()][1]
    const kept = join(where.base, 'kept')
    cpSync(join(where.records, id ?? ''), kept, { recursive: true })
    rmSync(where.records, { recursive: true })
    const ran = await keyrite(['ceremony', 'show', id ?? '', ...at(where, all), '--records', where.records, '--json'])
    expect(ran.status).toBe(0)
    for (const name of ['plan.json', 'record.json', 'script.txt', 'head-card.keyrite', 'SHA256SUMS'])
      expect([name, readFileSync(join(where.records, id ?? '', name), 'utf8')]).toEqual([
        name,
        readFileSync(join(kept, name), 'utf8'),
      ])
  })

  it('a destruction takes exactly its words; --yes is not an option', async () => {
    const where = room()
    const kid = [...(await where.state()).keys.keys()][0] ?? ''
    const plan = { kind: 'destroy', keys: [kid], reason: 'End of schedule' }
    await refused(where, () => ceremony(where, plan, all, '--yes'), 'usage-invalid', 2)
    await refused(
      where,
      () => ceremony(where, plan, all, '--confirm', `DESTROY ${kid.slice(0, 8)}`),
      'destruction-blocked',
      5,
    )
  })
})

describe('looking needs one passphrase of anybody, and changes nothing', () => {
  it.concurrent.each(['vault verify', 'vault head', 'key list', 'tenant list', 'ceremony list'])(
    '%s',
    async (command) => {
      const where = room()
      const before = where.content()
      const one = writePassphrases(join(where.base, 'one'), ['emmy'])
      const ran = await keyrite([...command.split(' '), ...at(where, one), '--json'])
      expect([ran.status, answerOf(ran).ok]).toEqual([0, true])
      const words = await keyrite([...command.split(' '), ...at(where, one)])
      expect([words.status, words.stderr, words.stdout.length > 20]).toEqual([0, '', true])
      expect(where.content()).toEqual(before)
    },
  )

  it('key list names each key with its phase, state, times and open copies', async () => {
    const ran = await keyrite(['key', 'list', ...at(room(), all), '--json'])
    const { data } = answerOf(ran) as unknown as { data: { keys: Record<string, unknown>[] } }
    expect(data.keys.map((key) => [key['tenant'], key['spec'], key['phase'], key['state']])).toEqual([
      ['acme', 'Ed25519', 'signing', 'active'],
      ['acme', 'Ed25519', 'planned', 'pre-activation'],
      ['acme', 'Ed25519', 'planned', 'pre-activation'],
    ])
    expect(data.keys[0]).toMatchObject({ compromised: null, destroyed: null, openCopies: ['Vault', 'Vault medium'] })
  })

  it('a damaged vault is refused with exit 3', async () => {
    const where = room()
    const people = readFileSync(join(where.vault, 'people.json'), 'utf8')
    writeFileSync(join(where.vault, 'people.json'), people.replace('"custodian"', '"custodiam"'))
    const db = readFileSync(join(where.vault, 'vault.db'))
    db.writeUInt8(db.readUInt8(5000) ^ 1, 5000)
    writeFileSync(join(where.vault, 'vault.db'), db)
    const ran = await keyrite(['vault', 'verify', ...at(where, all), '--json'])
    expect([ran.status, answerOf(ran).ok]).toEqual([3, false])
  })
})

describe('usage errors exit 2, and say what to do', () => {
  const USAGE: [string, string[]][] = [
    ['an unknown command', ['frobnicate']],
    ['an unknown sub-command', ['vault', 'frobnicate']],
    ['an unknown option', ['vault', 'verify', '--frobnicate']],
    ['a missing option', ['vault', 'verify']],
    ['a missing argument', ['ceremony', 'run']],
    ['a port that is no port', ['rehearse', '--out', '/tmp/never-made', '--issuer-port', '80']],
    ['no tenants', ['rehearse', '--out', '/tmp/never-made', '--tenants', '0']],
    ['half a tenant', ['rehearse', '--out', '/tmp/never-made', '--tenants', '1.5']],
    ['verify without a file', ['verify']],
  ]
  it.concurrent.each(USAGE)('%s', async (_, args) => {
    const json = await keyrite([...args, '--json'])
    const { error } = answerOf(json)
    expect([json.status, error.code, error.message.length > 10]).toEqual([2, 'usage-invalid', true])
    expect(json.stderr).not.toMatch(/\n\s+at |node:internal/)
  })

  it('in words: on stderr, and nothing on stdout', async () => {
    const words = await keyrite(['vault', 'verify'])
    expect([words.status, words.stdout]).toEqual([2, ''])
    expect(words.stderr.length).toBeGreaterThan(10)
    expect(words.stderr).not.toMatch(/\n\s+at |node:internal/)
  })

  it('--help exits 0', async () => {
    for (const args of [['--help'], ['ceremony', '--help'], ['issuer', 'serve', '--help']])
      expect((await keyrite(args)).status).toBe(0)
  })
})
