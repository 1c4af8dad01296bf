import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readEnrollment, writeTrustAnchor } from '../../electron/handoff/statements.ts'
import { DAY } from '../../shared/domain/policy.ts'
import { makeHandoff, makeTenant, makeVault, pathsOf, temporaryFolder } from '../issuer/fixtures.ts'

type Run = { status: number; stdout: string; stderr: string; json: Record<string, never> }

/** Runs the real command line in a process of its own. */
function keyrite(args: string[], env: Record<string, string> = {}): Promise<Run> {
  const main = join(import.meta.dirname, '../../electron/cli/main.ts')
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      const status = error ? Number(error.code) : 0
      resolve({ status, stdout, stderr, json: stdout.startsWith('{') ? JSON.parse(stdout) : {} })
    })
  })
}

describe('keyrite issuer', () => {
  it('init, import, status, client, taint, receipts and clock from a terminal, with --json and in words', async () => {
    const folder = temporaryFolder()
    const vault = await makeVault()
    const now = Math.floor(Date.now() / 1000)
    const anchor = writeTrustAnchor(folder, vault.anchor.jws, now)
    const dir = join(folder, 'issuer')
    const init = ['issuer', 'init', '--trust-anchor', anchor, '--runtime-id', 'eu-one', '--enrollment', folder]
    const made = await keyrite([...init, '--dir', dir])
    expect(made.stderr).toBe('')
    expect(made.status).toBe(0)
    expect(made.stdout).toContain('Read aloud when the vault enrolls this runtime')
    const again = await keyrite([...init, '--dir', dir, '--json'])
    expect(again).toMatchObject({ status: 5, json: { ok: false, error: { code: 'runtime-exists' } } })
    const practice = await keyrite([...init, '--dir', `${dir}-2`, '--practice', '--json'])
    expect(practice).toMatchObject({ status: 3, json: { ok: false, error: { code: 'practice-refused' } } })

    const enrollment = await readEnrollment(
      join(folder, readdirSync(folder).find((name) => name.startsWith('enrollment')) ?? ''),
    )
    const tenant = makeTenant('acme', { from: now })
    const manifest = { iat: now, exp: now + DAY }
    const handoff = await makeHandoff(vault, folder, [tenant], { transportKey: enrollment.transportKey, manifest })
    const env = { ISSUER_DIR: dir }
    const imported = await keyrite(['issuer', 'import', ...pathsOf(handoff), '--json'], env)
    expect(imported).toMatchObject({
      status: 0,
      json: { ok: true, data: { outcome: 'imported', tenants: 1, keys: 3 } },
    })
    expect((await keyrite(['issuer', 'import', handoff.bundle], env)).stdout).toContain('was imported before')
    expect(await keyrite(['issuer', 'import', anchor, '--json'], env)).toMatchObject({
      status: 3,
      json: { error: { code: 'format-invalid' } },
    })

    const status = await keyrite(['issuer', 'status', '--json'], env)
    const [first] = tenant.keys
    expect(status.json).toMatchObject({
      ok: true,
      data: {
        runtimeId: 'eu-one',
        bundle: { number: 1 },
        clock: { hold: null },
        tenants: [
          {
            tenant: 'acme',
            issuer: 'https://acme.example.com',
            jwksUri: 'https://acme.example.com/.well-known/jwks.json',
            tokenEndpoint: 'https://acme.example.com/token',
            signingKids: [first?.kid],
            phases: [{ phase: 'signing', hasPrivate: true }, { phase: 'planned' }, { phase: 'planned' }],
          },
        ],
      },
    })
    expect((await keyrite(['issuer', 'status'], env)).stdout).toMatch(
      /acme-es256-\d{4}-\d{2}\s+ES256\s+signing\s+\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} UTC\s+private half here/,
    )

    const client = ['--tenant', 'acme', '--client-id', 'api']
    const added = await keyrite(
      [
        'issuer',
        'client',
        'add',
        ...client,
        '--audience',
        'https://api',
        '--scope',
        'read',
        '--scope',
        'write',
        '--json',
      ],
      env,
    )
    expect(added.json).toMatchObject({
      data: { client_id: 'api', scopes: ['read', 'write'], client_secret: expect.stringMatching(/^[\w-]{43}$/) },
    })
    expect(added.stdout).not.toContain('secretDigest')
    expect((await keyrite(['issuer', 'client', 'list'], env)).stdout).toMatch(
      /acme\s+api\s+client_secret_basic\s+https:\/\/api\s+read write/,
    )
    const badActors = [
      ['client', 'remove', ...client],
      ['taint', '--tenant', 'acme', '--kid', first?.kid ?? ''],
      ['clock', 'confirm'],
    ]
    for (const args of badActors)
      expect(
        await keyrite(['issuer', ...args, '--actor', args.length > 5 ? 'x'.repeat(201) : 'a\nb', '--json'], env),
      ).toMatchObject({ status: 2, json: { error: { code: 'usage-invalid' } } })
    expect((await keyrite(['issuer', 'client', 'remove', ...client], env)).status).toBe(0)
    expect((await keyrite(['issuer', 'client', 'remove', ...client], env)).status).toBe(5)

    const taint = [
      'issuer',
      'taint',
      '--tenant',
      'acme',
      '--kid',
      first?.kid ?? '',
      '--withdraw',
      '--actor',
      'night shift',
    ]
    expect((await keyrite(taint, env)).stdout).toContain('never signs again')
    expect((await keyrite(['issuer', 'status'], env)).stdout).toMatch(/NO KEY MAY SIGN[\s\S]*TAINTED, WITHDRAWN/)
    expect((await keyrite(['issuer', 'clock', 'confirm'], env)).stdout).toContain('There is no clock hold.')
    const exported = await keyrite(['issuer', 'receipts', 'export', '--out', join(folder, 'out'), '--json'], env)
    expect(exported.json).toMatchObject({ ok: true, data: { from: 1 } })
  })

  it('says what is missing: 2 for usage, 6 for a folder without a runtime', async () => {
    expect((await keyrite(['issuer', 'status', '--json'], { ISSUER_DIR: '' })).status).not.toBe(0)
    expect(await keyrite(['issuer', 'status', '--dir', temporaryFolder(), '--json'])).toMatchObject({
      status: 6,
      json: { error: { code: 'runtime-missing' } },
    })
    expect((await keyrite(['issuer', 'taint', '--dir', 'x'])).status).toBe(2)
    expect((await keyrite(['issuer', 'nonsense'])).status).toBe(2)
  })
})
