import { createPrivateKey } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openFileKey, openShare } from '../../electron/vault/people.ts'
import { readPeople } from '../../electron/vault/people-store.ts'
import { combineShares } from '../../electron/vault/sharing.ts'
import { Vault } from '../../electron/vault/vault.ts'
import { digest } from '../../shared/formats/bytes.ts'
import {
  filesOf,
  GENESIS,
  type Genesis,
  makeGenesis,
  PASSPHRASES,
  PRESENT,
  type Room,
  tenantPlan,
  writePassphrases,
} from '../ceremony/fixtures.ts'
import { freePort, keyrite, type Ran } from '../cli/run.ts'

/**
 * Fault 29: canary secrets are searched for in everything that a rehearsal and real ceremonies leave: vault, medium,
 * records, evidence, the runtime's folder, temporary files, both streams, arguments and environment of every process.
 */

type Secret = { name: string; needles: Buffer[] }
type Hit = { secret: string; where: string }

/** A secret as it might be written: raw, base64, base64url and hex. Text stands for its own bytes. */
function secretOf(name: string, value: Uint8Array | string): Secret {
  const bytes = Buffer.from(value)
  const written = [
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
  ].map((text) => Buffer.from(text))
  return { name, needles: [bytes, ...written] }
}

/** A private key as DER, and its secret numbers by themselves, as a JWK would hold them. */
function secretsOfKey(kid: string, pkcs8: Uint8Array): Secret[] {
  const jwk = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' }).export({ format: 'jwk' })
  const members = (['d', 'p', 'q', 'dp', 'dq', 'qi'] as const).flatMap((name) => {
    const value = jwk[name]
    return value === undefined ? [] : [secretOf(`${name} of key ${kid}`, Buffer.from(value, 'base64url'))]
  })
  return [secretOf(`key ${kid} as PKCS#8`, pkcs8), ...members]
}

const search = (secrets: readonly Secret[], where: string, bytes: Buffer): Hit[] =>
  secrets.flatMap(({ name, needles }) =>
    needles.some((needle) => bytes.includes(needle)) ? [{ secret: name, where }] : [],
  )

/** Every file below `folder`, its name included. */
const searchFolder = (secrets: readonly Secret[], folder: string): Hit[] =>
  filesOf(folder).flatMap((name) => [
    ...search(secrets, name, readFileSync(join(folder, name))),
    ...search(secrets, `the name of ${name}`, Buffer.from(name)),
  ])

/** Whatever a vault keeps, taken out through its quorum. */
async function secretsOfVault(vault: Vault): Promise<Secret[]> {
  const secrets: Secret[] = []
  const act = { ceremony: 'T-2026-001', planDigest: digest('canary'), step: 'look', objects: digest('canary') }
  await vault.withQuorum(act, await vault.approve(act), async (quorum) => {
    for (const key of vault.state.keys.values())
      if (!key.destroyed) secrets.push(...secretsOfKey(key.kid, quorum.unseal(key.kid)))
  })
  const people = readPeople(vault.folder)
  const shares = []
  for (const person of vault.custodians().slice(0, vault.roster.threshold)) {
    const entry = people.people[person.id]
    if (!entry) throw new Error(`${person.id} has no entry`)
    const share = await openShare(vault.anchor, person, entry, vault.roster.epoch)
    shares.push(share)
    secrets.push(secretOf(`share of ${person.id}`, share.bytes))
    for (const [id, jwe] of Object.entries(entry.fileKeys))
      secrets.push(secretOf('file key', await openFileKey(vault.anchor, person, id, jwe)))
  }
  secrets.push(secretOf('quorum secret', await combineShares(shares, vault.roster)))
  return secrets
}

/** Looks again and again at what is visible of a process and of all that it starts. */
class Watcher {
  readonly seen = new Map<string, Buffer>()
  readonly processes = new Set<number>()
  readonly #root: number
  readonly #temporary: string
  readonly #timer: NodeJS.Timeout

  constructor(root: number, temporary: string) {
    this.#root = root
    this.#temporary = temporary
    this.#timer = setInterval(() => this.look(), 25)
  }

  look(): void {
    for (const pid of this.#descendants())
      for (const part of ['cmdline', 'environ']) {
        const bytes = quietly(() => readFileSync(`/proc/${pid}/${part}`))
        if (bytes && bytes.length > 0) this.seen.set(`${part} of process ${pid}`, bytes)
        this.processes.add(pid)
      }
    for (const name of quietly(() => filesOf(this.#temporary)) ?? []) {
      if (this.seen.has(`temporary ${name}`)) continue
      const bytes = quietly(() => readFileSync(join(this.#temporary, name)))
      if (bytes && bytes.length > 0) this.seen.set(`temporary ${name}`, bytes)
    }
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #descendants(): number[] {
    const parents = new Map<number, number>()
    for (const name of readdirSync('/proc').filter((one) => /^\d+$/.test(one))) {
      const stat = quietly(() => readFileSync(`/proc/${name}/stat`, 'utf8'))
      const parent = /\) \S (\d+)/.exec(stat ?? '')?.[1]
      if (parent !== undefined) parents.set(Number(name), Number(parent))
    }
    const below = (pid: number): boolean => pid === this.#root || (parents.has(pid) && below(parents.get(pid) ?? 0))
    return [...parents.keys()].filter((pid) => below(pid))
  }
}

function quietly<T>(work: () => T): T | null {
  try {
    return work()
  } catch {
    return null
  }
}

let base: string
let genesis: Genesis
beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'keyrite-canaries-'))
  genesis = await makeGenesis(Math.floor(Date.now() / 1000) - 86_400)
}, 60_000)
afterAll(() => {
  genesis.remove()
  rmSync(base, { recursive: true, force: true })
})

describe('fault 29: the finder finds', () => {
  it.each(['raw', 'base64', 'base64url', 'hex'] as const)('a canary that is written in %s', (how) => {
    const bytes = Buffer.from('canary\xff\xfe\x00 canary canary canary', 'latin1')
    const written = how === 'raw' ? bytes : Buffer.from(bytes.toString(how))
    const around = Buffer.concat([Buffer.from('before'), written, Buffer.from('after')])
    expect(search([secretOf('canary', bytes)], 'here', around)).toEqual([{ secret: 'canary', where: 'here' }])
    expect(search([secretOf('canary', bytes)], 'here', Buffer.from('nothing'))).toEqual([])
  })
})

describe('fault 29: a rehearsal', () => {
  let out: string
  let ran: Ran
  let watcher: Watcher
  let secrets: Secret[]
  let passphrases: Secret[]
  let clientSecrets: Secret[]
  let storageKey: Secret

  beforeAll(async () => {
    out = join(base, 'out')
    const temporary = join(base, 'tmp')
    mkdirSync(temporary)
    const args = ['rehearse', '--out', out, '--tenants', '2', '--issuer-port', String(await freePort())]
    ran = await keyrite(args, {
      env: { ...process.env, TMPDIR: temporary },
      onStart: (child) => {
        watcher = new Watcher(child.pid ?? 0, temporary)
      },
    })
    watcher.stop()
    if (ran.status !== 0) throw new Error(`the rehearsal failed: ${ran.stderr.slice(-2000)}`)

    const said = new Map(
      readdirSync(join(out, 'passphrases')).map((id) => [
        id,
        readFileSync(join(out, 'passphrases', id), 'utf8').trimEnd(),
      ]),
    )
    passphrases = [...said].map(([id, passphrase]) => secretOf(`passphrase of ${id}`, passphrase))
    const clients = JSON.parse(readFileSync(join(out, 'issuer', 'clients.json'), 'utf8')) as { client_secret: string }[]
    clientSecrets = clients.map(({ client_secret }, at) => secretOf(`client secret ${at}`, client_secret))
    const key = Buffer.from(readFileSync(join(out, 'issuer', 'storage.key'), 'utf8').trimEnd(), 'base64url')
    storageKey = secretOf('storage key', key)
    const vault = await Vault.open(join(out, 'vault', 'rehearsal.vault'), said)
    secrets = [...(await secretsOfVault(vault)), ...passphrases, ...clientSecrets, storageKey]
    vault.close()
  }, 300_000)

  it('the canaries are really there: keys of both tenants, shares, file key, quorum secret, passphrases, clients', () => {
    const names = secrets.map(({ name }) => name)
    expect(names.filter((name) => name.endsWith('PKCS#8')).length).toBeGreaterThan(5)
    expect(names.filter((name) => /^(p|q) of key/.test(name)).length).toBeGreaterThan(5)
    for (const name of ['file key', 'quorum secret', 'storage key', 'client secret 1', 'passphrase of goran'])
      expect(names).toContain(name)
    expect(secrets.every(({ needles }) => needles.every((needle) => needle.length >= 16))).toBe(true)
  })

  it('every file it leaves: passphrases, client secrets and storage key where they belong, and nothing else anywhere', () => {
    const expected: Hit[] = [
      ...passphrases.map(({ name }) => ({ secret: name, where: `passphrases/${name.replace('passphrase of ', '')}` })),
      ...clientSecrets.map(({ name }) => ({ secret: name, where: 'issuer/clients.json' })),
      { secret: 'storage key', where: 'issuer/storage.key' },
    ]
    const order = (hits: Hit[]) => hits.map(({ secret, where }) => `${where}: ${secret}`).sort()
    expect(order(searchFolder(secrets, out))).toEqual(order(expected))
  })

  it('its account on both streams', () => {
    expect(ran.stderr.length).toBeGreaterThan(1000)
    expect(search(secrets, 'stdout', Buffer.from(ran.stdout))).toEqual([])
    expect(search(secrets, 'stderr', Buffer.from(ran.stderr))).toEqual([])
  })

  it('arguments and environment of every process it started', () => {
    const looked = [...watcher.seen].filter(([where]) => where.startsWith('cmdline') || where.startsWith('environ'))
    expect(watcher.processes.size).toBeGreaterThan(1)
    expect(looked.some(([where, bytes]) => where.startsWith('cmdline') && bytes.includes('generate-child'))).toBe(true)
    expect(looked.flatMap(([where, bytes]) => search(secrets, where, bytes))).toEqual([])
  })

  it('temporary files, while it ran and after', () => {
    const temporary = [...watcher.seen].filter(([where]) => where.startsWith('temporary'))
    expect(temporary.flatMap(([where, bytes]) => search(secrets, where, bytes))).toEqual([])
    expect(filesOf(join(base, 'tmp'))).toEqual([])
  })
})

describe('fault 29: real ceremonies', () => {
  const known = (): Secret[] => [...PASSPHRASES].map(([id, passphrase]) => secretOf(`passphrase of ${id}`, passphrase))

  /** Every place of a room: vault, medium, records; and what was said. */
  function everywhere(room: Room, secrets: readonly Secret[]): Hit[] {
    const said = search(secrets, 'said', Buffer.from(room.said.join('\n')))
    return [...searchFolder(secrets, room.base), ...said]
  }

  it('onboarding and handoff with every kind of key leave no private half in the clear', async () => {
    const room = genesis.room()
    await room.onboard(tenantPlan('acme', { specs: ['RS256', 'ES256', 'ES384', 'Ed25519'], policy: { horizon: 1 } }))
    const runtime = await room.runtime()
    await room.handoff(runtime)
    await runtime.runtime.close()
    const storageKey = readFileSync(join(runtime.dir, 'storage.key'), 'utf8').trimEnd()
    const secrets = [
      ...(await room.withVault(secretsOfVault)),
      ...known(),
      secretOf('storage key', Buffer.from(storageKey, 'base64url')),
    ]
    expect(everywhere(room, secrets)).toEqual([
      { secret: 'storage key', where: relative(room.base, join(runtime.dir, 'storage.key')) },
    ])
  })

  it('a handoff that is interrupted while it writes leaves no private half either', async () => {
    const room = genesis.room()
    await room.onboard(tenantPlan('acme', { specs: ['ES256', 'Ed25519'] }))
    const runtime = await room.runtime()
    const work = room.run(
      { kind: 'handoff', runtime: runtime.id, tenants: 'all' },
      {
        ports: (ports) => ({
          ...ports,
          media: {
            ...ports.media,
            writeMaterial: (manifest, to, root, practice) => {
              let sent = 0
              const keys = (function* () {
                for (const key of to.keys) {
                  if (++sent === 3) throw new Error('the medium was pulled')
                  yield key
                }
              })()
              return ports.media.writeMaterial(manifest, { ...to, keys }, root, practice)
            },
          },
        }),
      },
    )
    await expect(work).rejects.toThrow('the medium was pulled')
    await runtime.runtime.close()
    const secrets = await room.withVault(async (vault) => {
      await vault.acceptTail(room.clock.now(), 'grace')
      return secretsOfVault(vault)
    })
    expect(secrets.length).toBeGreaterThan(10)
    expect(everywhere(room, [...secrets, ...known()])).toEqual([])
    expect(filesOf(room.media).filter((name) => name.includes('material-'))).toEqual([])
  })

  it('errors repeat no secret: wrong passphrases, damaged plans, and the environment of debugging', async () => {
    const room = genesis.room()
    const wrong = 'canary that opens nothing 8461'
    const folder = writePassphrases(join(room.base, 'passphrases'), PRESENT)
    writeFileSync(join(folder, 'blaise'), `${wrong}\n`, { mode: 0o600 })
    const plan = join(room.base, 'plan.json')
    writeFileSync(plan, JSON.stringify({ ...GENESIS, extra: wrong, vault: PASSPHRASES.get('ada') }))
    const secrets = [...known(), secretOf('wrong passphrase', wrong)]
    const at = ['--vault', room.vault, '--passphrases', folder]
    const commands: [number, string[]][] = [
      [4, ['vault', 'verify', ...at]],
      [4, ['vault', 'verify', ...at, '--json']],
      [2, ['ceremony', 'run', plan, ...at]],
    ]
    for (const [status, args] of commands) {
      const ran = await keyrite(args, { env: { ...process.env, KEYRITE_DEBUG: '1' } })
      expect(ran.status).toBe(status)
      expect(search(secrets, args.join(' '), Buffer.from(ran.stdout + ran.stderr))).toEqual([])
    }
    const absent = secrets.filter(({ name }) => name !== 'passphrase of blaise' && name !== 'passphrase of clara')
    expect(
      searchFolder(absent, folder)
        .map(({ where }) => basename(where))
        .sort(),
    ).toEqual([...PRESENT].sort())
  })
})
