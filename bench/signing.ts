import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { issueAccessToken } from '../electron/issuer/http/access-token.ts'
import type { Client, TenantService } from '../electron/issuer/service.ts'
import { createSigner } from '../electron/issuer/signing.ts'
import { KEY_SPECS, type KeySpec } from '../shared/domain/algorithms.ts'
import type { PublishedJwk } from '../shared/formats/bundle.ts'
import { median, type Row, sideBySide } from './measure.ts'

const KID = 'k'.repeat(43)
const ROUNDS = 21
/** Each subject's work takes about this long in each round. */
const ROUND_MS = 100

/** The least share of raw signing speed (quality.md names RS256; the others are shown beside it). */
const SUBJECTS: readonly { spec: KeySpec; target?: number }[] = [
  { spec: 'RS256', target: 0.85 },
  { spec: 'PS256' },
  { spec: 'ES256' },
  { spec: 'ES384' },
  { spec: 'Ed25519' },
]

/**
 * The signing path (from a grant to the finished access token, the functions of the token endpoint) against raw
 * crypto.sign of the same bytes with a cached KeyObject, in its fastest form (DER for ECDSA).
 */
export async function signing(): Promise<Row[]> {
  const rows: Row[] = []
  for (const { spec, target } of SUBJECTS) rows.push({ ...(await compare(spec)), ...(target && { target }) })
  return rows
}

async function compare(spec: KeySpec): Promise<Row> {
  const privateKey = makeKey(spec)
  const signer = createSigner(spec, KID, privateKey)
  const grant = { audience: 'https://api.example.com', scope: 'orders:read orders:write' }
  const issue = () => issueAccessToken(TENANT, CLIENT, signer, grant, 1_800_000_000).token
  const bytes = Buffer.from(issue().split('.', 2).join('.'))
  const { row, key } = rawInput(spec, privateKey)
  const count = Math.max(10, Math.ceil(ROUND_MS / timeOf(() => sign(row.hash, bytes, key))))
  const times = await sideBySide(ROUNDS, {
    raw: () => repeat(count, () => sign(row.hash, bytes, key)),
    path: () => repeat(count, issue),
  })
  // The median of each round's own ratio: both halves of a round met the same moment of the machine.
  const ratio = median(times.raw.map((raw, at) => raw / (times.path[at] ?? Number.NaN)))
  const perSecond = (all: number[]) => `${((count / median(all)) * 1000).toFixed(0)}/s`
  return {
    measure: `${spec}: access tokens, one core / raw crypto.sign`,
    figure: `${perSecond(times.path)} (raw ${perSecond(times.raw)})`,
    ratio,
  }
}

function makeKey(spec: KeySpec): KeyObject {
  const row = KEY_SPECS[spec]
  if (row.kty === 'RSA') return generateKeyPairSync('rsa', { modulusLength: row.bits }).privateKey
  if (row.kty === 'EC') return generateKeyPairSync('ec', { namedCurve: row.crv }).privateKey
  return generateKeyPairSync('ed25519').privateKey
}

function rawInput(spec: KeySpec, key: KeyObject) {
  const row = KEY_SPECS[spec]
  if (row.kty !== 'RSA' || !row.pss) return { row, key }
  const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_DIGEST: saltLength } = constants
  return { row, key: { key, padding, saltLength } }
}

function repeat(count: number, work: () => unknown): void {
  for (let at = 0; at < count; at++) work()
}

/** Milliseconds of one call, roughly. */
function timeOf(work: () => unknown): number {
  const start = performance.now()
  repeat(50, work)
  return (performance.now() - start) / 50
}

const CLIENT: Client = {
  clientId: 'orders-service',
  method: 'client_secret_basic',
  secretDigest: null,
  jwks: [],
  audiences: ['https://api.example.com'],
  scopes: ['orders:read', 'orders:write'],
  accessTokenLifetime: 600,
  algorithm: null,
  rateLimit: null,
  introspects: false,
}

/** The token's header names the algorithm as the published key of its kid does. */
const PUBLISHED = { ...makeKey('ES256').export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid: KID } as PublishedJwk

const TENANT: TenantService = {
  tenant: 'acme',
  issuer: 'https://id.example.com/t/acme',
  accessTokenLifetime: 3600,
  algorithms: [],
  tokenType: 'at+jwt',
  rejectIssuedBefore: null,
  published: () => ({ keys: [PUBLISHED], nextChange: 0 }),
  signedSet: () => null,
  historicalSet: () => null,
  signer: () => null,
  client: () => CLIENT,
  takeAssertion: async () => true,
  record: async () => {},
  noteFetch: () => {},
}
