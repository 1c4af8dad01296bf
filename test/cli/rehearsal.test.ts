import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { digests, filesOf } from '../ceremony/fixtures.ts'
import { answerOf, freePort, keyrite, MAIN, type Ran } from './run.ts'

/** The fixed points of the command line that scripts rely on, one by one, on one rehearsal of three tenants. */

let base: string
let out: string
let port: number
let told: Ran
let summary: Record<string, unknown>

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'keyrite-rehearsal-'))
  out = join(base, 'out')
  port = await freePort()
  told = await keyrite(['rehearse', '--out', out, '--tenants', '3', '--issuer-port', String(port)])
  if (told.status !== 0) throw new Error(`the rehearsal failed: ${told.stderr.slice(-2000)}`)
  summary = JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8'))
}, 300_000)
afterAll(() => rmSync(base, { recursive: true, force: true }))

const TENANTS = ['contoso', 'fabrikam', 'northwind']
const handoff = (type: string): string[] =>
  filesOf(join(out, 'handoff'))
    .filter((name) => name.startsWith(`${type}-`))
    .map((name) => join(out, 'handoff', name))
    .sort((a, b) => (stamp(a) < stamp(b) ? -1 : 1))
const stamp = (path: string): string => /\d{8}T\d{6}Z/.exec(path)?.[0] ?? ''
const anchor = (): string => handoff('trust-anchor')[0] ?? ''
const inVault = () => ['--vault', join(out, 'vault'), '--passphrases', join(out, 'passphrases')]
const json = async (...args: string[]) => {
  const ran = await keyrite([...args, '--json'])
  const { data, ok } = answerOf(ran) as unknown as { ok: boolean; data: Record<string, unknown> }
  return { status: ran.status, ok, data }
}

describe('what the rehearsal leaves', () => {
  it('exactly the folders and files that are named', () => {
    expect(readdirSync(out).sort()).toEqual([
      'evidence',
      'handoff',
      'issuer',
      'passphrases',
      'records',
      'summary.json',
      'vault',
    ])
    expect(readdirSync(join(out, 'vault'))).toEqual(['rehearsal.vault'])
    expect(filesOf(join(out, 'vault', 'rehearsal.vault'))).toEqual(['people.json', 'vault.db'])
    for (const type of ['trust-anchor', 'enrollment', 'bundle', 'material', 'receipts'])
      expect([type, handoff(type).length > 0]).toEqual([type, true])
    expect(filesOf(join(out, 'evidence'))).toEqual(['SHA256SUMS', 'evidence.html', 'evidence.json'])
    for (const name of ['clients.json', 'issuer.json', 'store.db']) expect(filesOf(join(out, 'issuer'))).toContain(name)
    expect(filesOf(out).filter((name) => /partial|\.next|-journal|\.tmp/.test(name))).toEqual([])
  })

  it('one record folder per ceremony, with at least plan.json and record.json', () => {
    const ceremonies = (summary['ceremonies'] as { ceremony: string }[]).map((one) => one.ceremony)
    expect(readdirSync(join(out, 'records')).sort()).toEqual([...ceremonies].sort())
    for (const id of ceremonies)
      for (const name of ['plan.json', 'record.json', 'record.html', 'SHA256SUMS'])
        expect([id, name, existsSync(join(out, 'records', id, name))]).toEqual([id, name, true])
  })

  it('every list of digests holds for sha256sum itself', () => {
    for (const folder of [
      ...readdirSync(join(out, 'records')).map((id) => join(out, 'records', id)),
      join(out, 'evidence'),
    ]) {
      const said = execFileSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: folder, encoding: 'utf8' })
      expect(said.split('\n').filter((line) => line !== '' && !line.endsWith(': OK'))).toEqual([])
    }
  })

  it('secrets are readable by their owner alone', () => {
    const secret = [
      ...filesOf(join(out, 'passphrases')).map((name) => `passphrases/${name}`),
      'issuer/storage.key',
      'issuer/clients.json',
      'issuer/store.db',
      'vault/rehearsal.vault/vault.db',
    ]
    for (const name of secret) expect([name, statSync(join(out, name)).mode & 0o077]).toEqual([name, 0])
  })

  it('every kind of ceremony was held, in the order of a life', () => {
    const kinds = (summary['ceremonies'] as { kind: string }[]).map((one) => one.kind)
    const first = (kind: string) => kinds.indexOf(kind)
    const order = ['genesis', 'onboard', 'enroll-runtime', 'handoff', 'intake', 'rotate', 'emergency', 'destroy'].map(
      first,
    )
    expect(order).toEqual([...order].sort((a, b) => a - b))
    expect(order).not.toContain(-1)
  })
})

describe('the account', () => {
  it('ends with where everything is; stdout is that, the story is on stderr', () => {
    expect(told.stdout).toContain(`left in ${out}:`)
    expect(told.stdout).toContain(`issuer serve --dir ${join(out, 'issuer')}`)
    expect(told.stderr).toContain('Genesis: people, shares and a root')
    expect(told.stderr).not.toContain('\r')
  })

  it('every count it prints stands in summary.json', () => {
    const numbers = new Set<number>()
    const collect = (value: unknown): void => {
      if (typeof value === 'number') numbers.add(value)
      else if (Array.isArray(value)) {
        numbers.add(value.length)
        value.forEach(collect)
      } else if (typeof value === 'object' && value !== null) Object.values(value).forEach(collect)
    }
    collect(summary)
    // Chapter lines and closing lines; the steps' own words are those of the records.
    const lines = told.stderr.split('\n').filter((line) => /^ {4}\S/.test(line))
    const counted = lines.flatMap((line) =>
      [
        ...line.matchAll(
          /(?<![\w:./-])(\d[\d,]*)(?= (?:[a-z]+ ){0,3}(?:person|people|custodians?|tokens?|pairs?|checks?|days?|changes?|failures?|receipts?|halves|half|events?|signatures?|approvals?|checkpoints?|known|other|accepted|rejected|by)\b)/g,
        ),
      ].map(([, digits = '']) => [line, Number(digits.replaceAll(',', ''))] as const),
    )
    expect(counted.length).toBeGreaterThan(15)
    // The rotation's counts stand as the sum of its two walks.
    const { days, checks, lateChecks, switches } = summary['rotation'] as Record<string, number>
    const walked = told.stderr.matchAll(
      /(\d[\d,]*) days: (\d[\d,]*) tokens verified with cached key sets, (\d[\d,]*) tokens? again.*\n\s+(\d+) changes?/g,
    )
    const sums = [0, 0, 0, 0]
    const parts = new Set<number>()
    for (const match of walked)
      [1, 2, 3, 4].forEach((group, at) => {
        const value = Number(match[group]?.replaceAll(',', ''))
        sums[at] = (sums[at] ?? 0) + value
        parts.add(value)
      })
    expect(sums).toEqual([days, checks, lateChecks, switches])
    expect(counted.filter(([, value]) => !numbers.has(value) && !parts.has(value))).toEqual([])
  })

  it('the numbers are those of the files that are left', async () => {
    expect(summary).toMatchObject({
      version: 1,
      ok: true,
      practice: true,
      tenants: 3,
      threshold: 3,
      custodians: 5,
      algorithms: { RS256: 1, PS256: 1, ES256: 1 },
    })
    expect(summary['matrix']).toMatchObject({
      tenants: 3,
      pairs: 6,
      rejectedByPolicy: 6,
      rejectedBySignature: 6,
      accepted: 0,
    })
    expect(summary['rotation']).toMatchObject({ failures: 0 })
    const { data: vault } = await json('vault', 'verify', ...inVault())
    const { events, signatures, approvals, checkpoints, sealed } = vault
    expect({ events, signatures, approvals, checkpoints, sealed }).toEqual(summary['vault'])
    const { data: list } = await json('key', 'list', ...inVault())
    expect(list['keys']).toHaveLength(summary['keysMade'] as number)
    expect(handoff('bundle')).toHaveLength((summary['bundles'] as unknown[]).length)
    const { to, from, virtualDays } = summary as unknown as Record<string, number>
    expect(((to ?? 0) - (from ?? 0)) / 86_400).toBeGreaterThanOrEqual(virtualDays ?? 0)
    expect(Math.abs((to ?? 0) - statSync(join(out, 'summary.json')).mtimeMs / 1000)).toBeLessThan(600)
  })

  it('the destroyed key is a tombstone in nothing that still signs, and its certificate is a deletion', async () => {
    const { key, grade, certificate } = summary['destruction'] as Record<string, string>
    const { data } = await json('key', 'list', ...inVault())
    const row = (data['keys'] as Record<string, unknown>[]).find((one) => one['kid'] === key)
    expect([row?.['state'], grade]).toEqual(['destroyed', 'deletion'])
    const folder = join(out, 'records', String(certificate).replace(/-C1$/, ''))
    expect(filesOf(folder).filter((name) => name.startsWith('certificate-'))).toHaveLength(2)
  })
})

describe('issuer status --json', () => {
  it('gives tenant, issuer, jwksUri, tokenEndpoint, signingKids and phases of every tenant', async () => {
    const { status, data } = await json('issuer', 'status', '--dir', join(out, 'issuer'))
    expect(status).toBe(0)
    const tenants = data['tenants'] as Record<string, unknown>[]
    expect(tenants.map((one) => one['tenant'])).toEqual(TENANTS)
    for (const one of tenants) {
      const issuer = `http://127.0.0.1:${port}/t/${one['tenant']}`
      expect(one).toMatchObject({
        issuer,
        jwksUri: `${issuer}/.well-known/jwks.json`,
        tokenEndpoint: `${issuer}/token`,
      })
      const kids = one['signingKids'] as string[]
      const signing = (one['phases'] as { kid: string; phase: string }[]).filter((key) => key.phase === 'signing')
      expect(kids).toHaveLength(1)
      expect(signing.map((key) => key.kid)).toEqual(kids)
    }
  })
})

describe('issuer serve on the runtime that was left', () => {
  let child: ChildProcess
  let words = ''
  beforeAll(async () => {
    const dir = join(base, 'issuer')
    cpSync(join(out, 'issuer'), dir, { recursive: true })
    child = spawn(process.execPath, [MAIN, 'issuer', 'serve', '--dir', dir], { stdio: ['ignore', 'ignore', 'pipe'] })
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      words += chunk
    })
    await vi.waitFor(() => expect(words).toContain(`Serving at http://127.0.0.1:${port}`), { timeout: 25_000 })
  }, 30_000)
  afterAll(() => void child.kill('SIGKILL'))

  const clients = () =>
    JSON.parse(readFileSync(join(out, 'issuer', 'clients.json'), 'utf8')) as {
      tenant: string
      client_id: string
      client_secret: string
      audience: string
    }[]
  const tokenOf = async (client: ReturnType<typeof clients>[number], change: object = {}) => {
    const { client_id, client_secret, audience, tenant } = client
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id,
      client_secret,
      audience,
      ...change,
    })
    const response = await fetch(`http://127.0.0.1:${port}/t/${tenant}/token`, { method: 'POST', body })
    return { status: response.status, answer: (await response.json()) as Record<string, string> }
  }

  it('clients.json has one client per tenant', () => {
    expect(clients().map((one) => one.tenant)).toEqual(TENANTS)
    for (const one of clients())
      expect(Object.keys(one).sort()).toEqual(['audience', 'client_id', 'client_secret', 'tenant'])
  })

  it.each([0, 1, 2])('tenant %i: jose verifies its token at real time, through its own key set', async (index) => {
    const client = clients()[index]
    if (!client) throw new Error('no client')
    const basic = `Basic ${Buffer.from(`${client.client_id}:${client.client_secret}`).toString('base64')}`
    const issuer = `http://127.0.0.1:${port}/t/${client.tenant}`
    const response = await fetch(`${issuer}/token`, {
      method: 'POST',
      headers: { authorization: basic },
      body: new URLSearchParams({ grant_type: 'client_credentials', audience: client.audience }),
    })
    const { access_token: token = '', token_type: type } = (await response.json()) as Record<string, string>
    expect([response.status, type]).toEqual([200, 'Bearer'])
    const set = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`))
    const { payload } = await jwtVerify(token, set, { issuer, audience: client.audience, typ: 'at+jwt' })
    expect(payload['client_id']).toBe(client.client_id)
    expect(decodeProtectedHeader(token).alg).toBe(['RS256', 'PS256', 'ES256'][index])
  })

  it.each([0, 1, 2])(
    'tenant %i: oauth4webapi verifies its token with nothing configured but the issuer',
    async (index) => {
      const client = clients()[index]
      if (!client) throw new Error('no client')
      const url = new URL(`http://127.0.0.1:${port}/t/${client.tenant}`)
      const insecure = { [oauth.allowInsecureRequests]: true } as const
      for (const algorithm of ['oidc', 'oauth2'] as const) {
        const response = await oauth.discoveryRequest(url, { algorithm, ...insecure })
        const server = await oauth.processDiscoveryResponse(url, response)
        const { client_id, client_secret } = client
        const granted = await oauth.clientCredentialsGrantRequest(
          server,
          { client_id },
          oauth.ClientSecretBasic(client_secret),
          { audience: client.audience },
          insecure,
        )
        const { access_token } = await oauth.processClientCredentialsResponse(server, { client_id }, granted)
        const request = new Request(`${url.href}/api`, { headers: { authorization: `Bearer ${access_token}` } })
        const claims = await oauth.validateJwtAccessToken(server, request, client.audience, insecure)
        expect(claims.iss).toBe(url.href)
      }
    },
  )

  it('the token of one tenant fails at every other, and its client is unknown there', async () => {
    for (const client of clients()) {
      const { answer } = await tokenOf(client)
      for (const other of clients().filter((one) => one.tenant !== client.tenant)) {
        const issuer = `http://127.0.0.1:${port}/t/${other.tenant}`
        const set = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`))
        await expect(
          jwtVerify(answer['access_token'] ?? '', set, { issuer, audience: other.audience }),
        ).rejects.toThrow()
        expect(await tokenOf({ ...client, tenant: other.tenant })).toMatchObject({
          status: 401,
          answer: { error: 'invalid_client' },
        })
      }
    }
  })

  it('a second serve on the same port ends with exit 5', async () => {
    const ran = await keyrite(['issuer', 'serve', '--dir', join(out, 'issuer'), '--port', String(port), '--json'])
    expect([ran.status, answerOf(ran).error.code]).toEqual([5, 'port-in-use'])
  })

  it('SIGTERM ends it with exit 0', async () => {
    const ended = new Promise((resolve) => child.once('close', resolve))
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
  })
})

describe('looking at the files', () => {
  it('bundle inspect --json: verified only with the trust anchor', async () => {
    const [bundle = ''] = handoff('bundle')
    const without = await json('bundle', 'inspect', bundle)
    expect([without.status, without.data]).toEqual([0, expect.objectContaining({ verified: false, tenants: [] })])
    const { data } = await json('bundle', 'inspect', bundle, '--trust-anchor', anchor())
    expect(data).toMatchObject({ verified: true, manifest: { number: 1, tenants: 3, runtimeId: 'runtime-1' } })
    expect((data['tenants'] as { tenant: string }[]).map((one) => one.tenant)).toEqual(TENANTS)
  })

  it('verify with the anchor: exit 0 on all of handoff, records and evidence', async () => {
    const paths = ['handoff', 'records', 'evidence'].map((name) => join(out, name))
    const { status, ok, data } = await json('verify', ...paths, '--trust-anchor', anchor())
    const files = data['files'] as { file: string; ok: boolean; standing: string; problems: string[] }[]
    expect(files.filter((file) => !file.ok)).toEqual([])
    expect([status, ok, data['anchored']]).toEqual([0, true, true])
    expect(files).toHaveLength(paths.flatMap(filesOf).length)
    for (const file of files.filter((one) =>
      /bundle-|material-|receipts-|record\.json|certificate-|evidence\.json/.test(one.file),
    ))
      expect([file.file, file.standing]).toEqual([file.file, 'verified'])
  })

  it('verify without an anchor: exit 3 and anchored false, never "verified"', async () => {
    const { status, ok, data } = await json('verify', join(out, 'handoff'), join(out, 'records'), join(out, 'evidence'))
    expect([status, ok, data['anchored']]).toEqual([3, false, false])
    expect((data['files'] as { standing: string }[]).filter((file) => file.standing === 'verified')).toEqual([])
    const words = await keyrite(['verify', join(out, 'handoff')])
    expect([words.status, words.stdout]).toEqual([3, expect.not.stringContaining('✓ verified')])
  })

  it('verify names what was changed by one byte, and nothing else', async () => {
    const copy = join(base, 'changed')
    cpSync(join(out, 'handoff'), copy, { recursive: true })
    const victim = join(copy, filesOf(copy).find((name) => name.startsWith('bundle-')) ?? '')
    const bytes = readFileSync(victim)
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 300) ^ 1, bytes.length - 300)
    writeFileSync(victim, bytes)
    const { status, data } = await json(
      'verify',
      copy,
      join(out, 'evidence', 'evidence.json'),
      '--trust-anchor',
      anchor(),
    )
    const failed = (data['files'] as { file: string; ok: boolean }[]).filter((file) => !file.ok)
    expect([status, failed.map((file) => file.file)]).toEqual([3, [victim]])
  })

  it('vault head: the newest event and the root that every trust anchor shows', async () => {
    const { status, data } = await json('vault', 'head', ...inVault())
    const vault = summary['vault'] as unknown as { events: number }
    expect([status, data['seq']]).toEqual([0, vault.events])
    expect(data['headHex']).toHaveLength(16)
    expect((data['headHex'] as string[]).join('')).toMatch(/^[0-9A-F]{64}$/)
  })

  it('none of this changed what the rehearsal left in vault, handoff, records and evidence', async () => {
    const before = ['vault', 'handoff', 'records', 'evidence'].map((name) => digests(join(out, name)))
    await json('vault', 'verify', ...inVault())
    await json('verify', join(out, 'handoff'), '--trust-anchor', anchor())
    expect(['vault', 'handoff', 'records', 'evidence'].map((name) => digests(join(out, name)))).toEqual(before)
  })

  it('issuer import: the last bundle again is a recorded no-op; one of before is refused', async () => {
    const dir = join(base, 'issuer-again')
    cpSync(join(out, 'issuer'), dir, { recursive: true })
    const bundles = handoff('bundle')
    const again = await json('issuer', 'import', bundles.at(-1) ?? '', '--dir', dir)
    expect([again.status, again.data['outcome']]).toEqual([0, 'no-op'])
    const lower = await keyrite(['issuer', 'import', bundles[0] ?? '', '--dir', dir, '--json'])
    expect(lower.status).not.toBe(0)
    expect(['bundle-lower', 'file-expired']).toContain(answerOf(lower).error.code)
  })

  it('ceremony run on the vault that was left: with fewer than M passphrases exit 4 and every byte as before', async () => {
    const few = join(base, 'few')
    mkdirSync(few, { mode: 0o700 })
    for (const id of ['ada', 'bruno', 'farah', 'goran']) cpSync(join(out, 'passphrases', id), join(few, id))
    const plan = join(base, 'rotate.json')
    writeFileSync(plan, JSON.stringify({ kind: 'rotate', tenants: 'all' }))
    const before = digests(join(out, 'vault'))
    const ran = await keyrite([
      'ceremony',
      'run',
      plan,
      '--vault',
      join(out, 'vault'),
      '--passphrases',
      few,
      '--no-input',
      '--json',
    ])
    expect([ran.status, answerOf(ran).error.code]).toEqual([4, 'quorum-missing'])
    expect(digests(join(out, 'vault'))).toEqual(before)
  })
})

describe('clear failures', () => {
  const rehearse = (folder: string, at = port) =>
    keyrite(['rehearse', '--out', folder, '--tenants', '1', '--issuer-port', String(at), '--json'])

  it('an occupied port: exit 5, and nothing is left behind', async () => {
    const taken = createServer()
    const busy = await new Promise<number>((resolve) =>
      taken.listen(0, '127.0.0.1', () => {
        const address = taken.address()
        resolve(typeof address === 'object' && address ? address.port : 0)
      }),
    )
    const folder = join(base, 'port')
    const ran = await rehearse(folder, busy)
    taken.close()
    expect([ran.status, answerOf(ran).error.code]).toEqual([5, 'port-in-use'])
    expect(answerOf(ran).error.hint).toContain('--issuer-port')
    expect(existsSync(folder)).toBe(false)
  })

  it('a leftover folder: exit 5, and what is in it stays as it was', async () => {
    const folder = join(base, 'leftover')
    mkdirSync(folder)
    writeFileSync(join(folder, 'precious'), 'mine')
    const ran = await rehearse(folder)
    expect([ran.status, answerOf(ran).error.code]).toEqual([5, 'folder-not-empty'])
    expect(filesOf(folder)).toEqual(['precious'])
    const before = createHash('sha256')
      .update(JSON.stringify(digests(out)))
      .digest('hex')
    expect((await rehearse(out)).status).toBe(5)
    expect(
      createHash('sha256')
        .update(JSON.stringify(digests(out)))
        .digest('hex'),
    ).toBe(before)
  })

  it('a file where the folder is to be: exit 5, and it stays', async () => {
    writeFileSync(join(base, 'file'), 'mine')
    expect((await rehearse(join(base, 'file'))).status).toBe(5)
    expect(readFileSync(join(base, 'file'), 'utf8')).toBe('mine')
  })

  it('a folder that cannot be made: exit 6', async () => {
    writeFileSync(join(base, 'plain'), 'mine')
    const ran = await rehearse(join(base, 'plain', 'out'))
    expect([ran.status, answerOf(ran).ok]).toEqual([6, false])
    expect(readFileSync(join(base, 'plain'), 'utf8')).toBe('mine')
  })

  const SIZES = ['24k', '120k', '400k']
  it.for(SIZES)(
    'a medium of %s fills up: exit 6, no summary, no vault that does not open',
    { timeout: 120_000 },
    async (size, { skip }) => {
      const folder = join(base, `tmpfs-${size}`)
      mkdirSync(folder)
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder], { stdio: 'ignore' })
      } catch {
        skip('mounting a small file system is not permitted here')
      }
      try {
        const ran = await rehearse(join(folder, 'out'))
        const { error } = answerOf(ran)
        expect([ran.status, error.code]).toEqual([6, 'medium-full'])
        expect(error.hint).toContain('Free some space')
        expect(ran.stderr).not.toMatch(/\n\s+at /)
        expect(existsSync(join(folder, 'out', 'summary.json'))).toBe(false)
        const vault = join(folder, 'out', 'vault', 'rehearsal.vault')
        if (!existsSync(vault)) return
        const view = await keyrite([
          'vault',
          'verify',
          '--vault',
          vault,
          '--passphrases',
          join(folder, 'out', 'passphrases'),
          '--json',
        ])
        expect([view.status, answerOf(view).ok]).toEqual([0, true])
      } finally {
        execFileSync('umount', [folder])
      }
    },
  )
})
