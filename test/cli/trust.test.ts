import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { signJwkSet } from '../../shared/formats/bundle.ts'
import { hexGroups } from '../../shared/formats/fingerprint.ts'
import { makeVault, type TestVault, temporaryFolder } from '../issuer/fixtures.ts'
import { ISSUER, issuerPolicy, jwksOf, KeyServer, makeKey, NOW, policyOf, tokenOf } from '../trust/world.ts'
import { answerOf, keyrite, MAIN, type Ran } from './run.ts'

/** `keyrite trust check` as people and scripts run it. */

const NOW_TEXT = '2026-03-01 00:00:00'
const key = makeKey('ES256')
const RULES = [{ claim: 'scope', contains: 'orders:read' }]
const good = tokenOf(key, { scope: 'orders:read' })

let vault: TestVault
beforeAll(async () => {
  vault = await makeVault()
})

function write(name: string, content: string | object): string {
  const path = join(temporaryFolder(), name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

const policyFile = (changes: Record<string, unknown> = {}) =>
  write('policy.json', policyOf(issuerPolicy({ claims: RULES, ...changes })))
const pinnedPolicy = () =>
  policyFile({
    keys: {
      source: 'pinned-root',
      signedJwksUri: 'https://acme.example.com/jwks.jwt',
      trustAnchors: [vault.anchor.jws],
      staleFor: '90s',
    },
  })
const jwksFile = () => write('jwks.json', jwksOf(key).body ?? '')
const check = (policy: string, ...more: string[]) => keyrite(['trust', 'check', '--policy', policy, ...more])

/** With a token on standard input. */
function checkStdin(input: string | Uint8Array, ...args: string[]): Promise<Ran> {
  const child = spawn(process.execPath, [MAIN, 'trust', 'check', ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  const said = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      said[name] += chunk
    })
  // Where the command stops reading early, the rest has no reader.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  return new Promise((done) => child.once('close', (status) => done({ status, ...said })))
}

describe('without a token: what the policy demands', () => {
  it('in words, with the fingerprint of the root', async () => {
    const ran = await check(pinnedPolicy())
    expect([ran.status, ran.stderr]).toEqual([0, ''])
    for (const words of [
      ISSUER,
      'https://acme.example.com/jwks.jwt, signed by the pinned root',
      `${hexGroups(vault.root.kid).join(' ')} (Test vault)`,
      'kept for at most 1 hour, and 1 minute, 30 seconds more while the server does not answer',
      'issued at most 1 day ago and not expired; clocks may differ by 1 minute',
      'https://api.example.com, and nobody else',
      'scope contains orders:read',
      'Compare each root with a head card on paper, by voice.',
    ])
      expect(ran.stdout).toContain(words)
  })

  it('as JSON, with its defaults', async () => {
    const ran = await check(pinnedPolicy(), '--json')
    expect(answerOf(ran)).toMatchObject({
      ok: true,
      data: { issuers: [{ issuer: ISSUER, clockSkew: 60, maxAge: 86_400, roots: [{ fingerprint: vault.root.kid }] }] },
    })
  })

  it.each([
    [write, { format: 1, issuers: [] }, 'trust-policy-invalid', 2],
    [() => '/nowhere/policy.json', {}, 'file-missing', 6],
  ] as const)('a policy that cannot be used (%#)', async (make, content, code, status) => {
    const ran = await check(make('policy.json', content), '--json')
    expect([ran.status, answerOf(ran).error.code]).toEqual([status, code])
  })

  it.each([
    ['--jwks', 'jwks.json'],
    ['--now', NOW_TEXT],
  ])('%s goes with a token', async (...more) => {
    const ran = await check(policyFile(), ...more, '--json')
    expect([ran.status, answerOf(ran).error.code]).toEqual([2, 'usage-invalid'])
  })
})

describe('with a token', () => {
  it.each([
    ['from a file', (token: string) => write('token', token), ''],
    ['from a file with a line feed', (token: string) => write('token', `${token}\r\n`), ''],
    ['from standard input', () => '-', good],
    ['from standard input with a line feed', () => '-', `${good}\n`],
  ])('%s: allowed, exit 0', async (_, place, input) => {
    const ran = await checkStdin(
      input,
      ...['--policy', policyFile(), '--token', place(good), '--jwks', jwksFile(), '--now', NOW_TEXT],
    )
    expect(ran).toEqual({ status: 0, stdout: `Allowed: a token of ${ISSUER}.\n`, stderr: '' })
  })

  it('as JSON: the claims, or the reason with exit 3', async () => {
    const args = ['--policy', policyFile(), '--token', '-', '--jwks', jwksFile(), '--now', NOW_TEXT, '--json']
    const allowed = await checkStdin(good, ...args)
    expect([allowed.status, answerOf(allowed)]).toMatchObject([
      0,
      { ok: true, data: { allow: true, issuer: ISSUER, claims: { scope: 'orders:read', iat: NOW } } },
    ])
    const denied = await checkStdin(tokenOf(key, { scope: 'orders:write' }), ...args)
    expect([denied.status, answerOf(denied)]).toEqual([
      3,
      {
        ok: false,
        data: {
          allow: false,
          reason: 'claim-wrong',
          message: 'A claim has another value than the policy demands. (scope contains orders:read)',
        },
      },
    ])
  })

  it('in words: the reason', async () => {
    const token = write('token', tokenOf(key))
    const ran = await check(policyFile(), '--token', token, '--jwks', jwksFile(), '--now', NOW_TEXT)
    expect(ran).toEqual({
      status: 3,
      stdout: 'Denied: A claim that the policy demands is missing. (scope contains orders:read)\n(claim-missing)\n',
      stderr: '',
    })
  })

  it('now is now: the same token has expired', async () => {
    const ran = await check(policyFile(), '--token', write('token', good), '--jwks', jwksFile(), '--json')
    expect([ran.status, answerOf(ran).data]).toMatchObject([3, { reason: 'expired' }])
  })

  it.each([
    ['nothing', ''],
    ['what is not text', Uint8Array.of(0xff, 0xfe, 0x00)],
    ['two tokens', `${good}\n${good}\n`],
  ])('%s is malformed', async (_, input) => {
    const args = ['--policy', policyFile(), '--token', '-', '--jwks', jwksFile(), '--json']
    const ran = await checkStdin(input, ...args)
    expect([ran.status, answerOf(ran).data]).toMatchObject([3, { reason: 'malformed' }])
  })

  it('more than a token can be is not read to its end', async () => {
    const ran = await checkStdin('x'.repeat(1_000_000), '--policy', policyFile(), '--token', '-', '--json')
    expect([ran.status, answerOf(ran).error.code]).toEqual([3, 'file-too-large'])
  })

  it.each(['tomorrow', '2026-02-30 00:00:00', '1772323200'])('--now %s is no time', async (now) => {
    const ran = await check(policyFile(), '--token', write('token', good), '--now', now, '--json')
    expect([ran.status, answerOf(ran).error.code]).toEqual([2, 'usage-invalid'])
  })
})

describe('where the keys come from', () => {
  const args = () => ['--token', write('token', good), '--now', NOW_TEXT, '--json']

  it('a pinned root takes the signed set from a file, and no other', async () => {
    const times = { iat: NOW - 60, nbf: NOW - 60, exp: NOW + 60 }
    const set = await signJwkSet({ iss: ISSUER, sub: ISSUER, ...times, keys: [key.jwk] as never }, vault.root)
    const signed = await check(pinnedPolicy(), ...args(), '--jwks', write('jwks.jwt', `${set}\n`))
    expect([signed.status, answerOf(signed).data]).toMatchObject([0, { allow: true }])
    const unsigned = await check(pinnedPolicy(), ...args(), '--jwks', jwksFile())
    expect([unsigned.status, answerOf(unsigned).data]).toMatchObject([3, { reason: 'key-set-invalid' }])
  })

  it('without a file they are fetched', async () => {
    const server = await KeyServer.start()
    server.answers.set('keys', jwksOf(key))
    const keys = { source: 'jwks', jwksUri: `${server.url}/keys` }
    const ran = await check(policyFile({ keys }), ...args())
    expect([ran.status, answerOf(ran).data, server.asked]).toMatchObject([0, { allow: true }, ['keys']])
    server.answers.delete('keys')
    const gone = await check(policyFile({ keys }), ...args())
    expect([gone.status, answerOf(gone).data]).toMatchObject([3, { reason: 'key-set-unavailable' }])
  })

  it('with a file nobody is asked', async () => {
    const server = await KeyServer.start()
    const keys = { source: 'jwks', jwksUri: `${server.url}/keys` }
    const ran = await check(policyFile({ keys }), ...args(), '--jwks', jwksFile())
    expect([ran.status, server.asked]).toEqual([0, []])
  })
})
