import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { PublicJwk } from '../../shared/domain/algorithms.ts'
import { toBase64url, utf8 } from '../../shared/formats/bytes.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import type { TrustPolicyFile } from '../../shared/formats/trust-policy.ts'
import type { Fetch } from '../../shared/trust/fetch.ts'
import { openTrustPolicy } from '../../shared/trust/policy.ts'
import { createTrustContext, type TrustContext, verify } from '../../shared/trust/verify.ts'

/** Issuers with real keys, a real server that says whatever a test wants, and a clock. */

/** 2026-03-01T00:00:00Z */
export const NOW = 1_772_323_200

export type Alg = 'RS256' | 'PS256' | 'ES256' | 'ES384' | 'Ed25519' | 'EdDSA'
export type Key = { alg: Alg; kid: string; jwk: Record<string, unknown>; privateJwk: object; privateKey: KeyObject }

/** A key as an issuer publishes it, under its thumbprint or any other kid. */
export function makeKey(alg: Alg, kid?: string, bits = 2048): Key {
  const { publicKey, privateKey } = pairFor(alg, bits)
  const half = publicKey.export({ format: 'jwk' })
  const known = { kid: kid ?? thumbprint(half as PublicJwk), alg, use: 'sig' }
  const privateJwk = { ...privateKey.export({ format: 'jwk' }), ...known }
  return { alg, kid: known.kid, jwk: { ...half, ...known }, privateJwk, privateKey }
}

function pairFor(alg: Alg, bits: number) {
  if (alg === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' })
  if (alg === 'ES384') return generateKeyPairSync('ec', { namedCurve: 'P-384' })
  if (alg === 'RS256' || alg === 'PS256') return generateKeyPairSync('rsa', { modulusLength: bits })
  return generateKeyPairSync('ed25519')
}

const json64 = (value: unknown) => toBase64url(utf8(typeof value === 'string' ? value : JSON.stringify(value)))

/** A compact JWS of any header and payload (texts go in as they are), truly signed as `key` signs. */
export function signToken(key: Key, header: object | string, payload: object | string): string {
  const input = `${json64(header)}.${json64(payload)}`
  const hash = { RS256: 'sha256', PS256: 'sha256', ES256: 'sha256', ES384: 'sha384', Ed25519: null, EdDSA: null }
  const pss = key.alg === 'PS256' ? { padding: 6, saltLength: 32 } : {}
  const how = { key: key.privateKey, dsaEncoding: 'ieee-p1363', ...pss } as const
  return `${input}.${sign(hash[key.alg], Buffer.from(input), how).toString('base64url')}`
}

export type Served = { status?: number; headers?: Record<string, string>; body?: string }
type Answering = (request: IncomingMessage, response: ServerResponse) => void

export const jwksOf = (...keys: (Key | Record<string, unknown>)[]): Served => ({
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ keys: keys.map((key) => ('privateKey' in key ? key.jwk : key)) }),
})
export const signedSetOf = (body: string): Served => ({ headers: { 'Content-Type': 'application/jwk-set+jwt' }, body })

export class KeyServer {
  /** By "host/path" of the address asked for. */
  readonly answers = new Map<string, Served | Answering>()
  readonly asked: string[] = []
  #url = ''

  static async start(): Promise<KeyServer> {
    const made = new KeyServer()
    const server = createServer((request, response) => made.#answer(request, response))
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    made.#url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    return made
  }

  get url(): string {
    return this.#url
  }

  /** What a relying party's own fetch does, but that every host is this server. */
  readonly fetch: Fetch = (url, init) => fetch(url.replace(/^https:\//, this.#url), init)

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const place = (request.url ?? '').slice(1)
    this.asked.push(place)
    const answer = this.answers.get(place) ?? { status: 404 }
    if (typeof answer === 'function') return answer(request, response)
    response.writeHead(answer.status ?? 200, answer.headers)
    response.end(answer.body)
  }
}

export class Clock {
  #at = NOW
  now = () => this.#at
  pass(seconds: number): void {
    this.#at += seconds
  }
}

/** A policy file of docs/policies. */
export const example = (name: string): TrustPolicyFile =>
  JSON.parse(readFileSync(join(import.meta.dirname, '../../docs/policies', `${name}.json`), 'utf8'))

export type World = {
  server: KeyServer
  clock: Clock
  context: TrustContext
  check: (token: string) => Promise<string>
}

/** A relying party with this policy: `check` gives `allow` or the reason. */
export async function relyingParty(policy: unknown, server?: KeyServer, timeoutMs = 2000): Promise<World> {
  const clock = new Clock()
  const keys = server ?? (await KeyServer.start())
  const opened = await openTrustPolicy(JSON.stringify(policy))
  const context = createTrustContext(opened, { fetch: keys.fetch, now: clock.now, timeoutMs })
  const check = async (token: string) => {
    const decision = await verify(token, context)
    return decision.allow ? 'allow' : decision.reason
  }
  return { server: keys, clock, context, check }
}

export const ISSUER = 'https://acme.example.com'
export const JWKS = 'acme.example.com/jwks.json'
export const AUDIENCE = 'https://api.example.com'

/** The smallest policy: one issuer, ES256, any claims. */
export const issuerPolicy = (changes: Record<string, unknown> = {}) => ({
  issuer: ISSUER,
  keys: { source: 'jwks', jwksUri: `https://${JWKS}` },
  audiences: [AUDIENCE],
  algorithms: ['ES256'],
  types: ['at+jwt'],
  maxAge: '1d',
  ...changes,
})
export const policyOf = (...issuers: object[]) => ({ format: 1, issuers })

export const claimsAt = (now: number, changes: Record<string, unknown> = {}) => ({
  iss: ISSUER,
  sub: 'service',
  aud: AUDIENCE,
  iat: now,
  exp: now + 43_200,
  ...changes,
})

/** A good token of `key` for the smallest policy, or one with changes. */
export const tokenOf = (key: Key, changes: Record<string, unknown> = {}, header: Record<string, unknown> = {}) =>
  signToken(key, { alg: key.alg, typ: 'at+jwt', kid: key.kid, ...header }, claimsAt(NOW, changes))
