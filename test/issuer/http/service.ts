import { generateKeyPairSync, hash, type KeyObject, randomBytes } from 'node:crypto'
import { SignJWT } from 'jose'
import { createIssuerServer, type IssuerServer, type ServerOptions } from '../../../electron/issuer/http/server.ts'
import type {
  Client,
  Issued,
  IssuerService,
  Soon,
  TenantService,
  TokenSigner,
} from '../../../electron/issuer/service.ts'
import { createSigner } from '../../../electron/issuer/signing.ts'
import { type Algorithm, KEY_SPECS, type KeySpec, type PublicJwk } from '../../../shared/domain/algorithms.ts'
import { DEFAULT_POLICY, type TokenType } from '../../../shared/domain/policy.ts'
import { asKeyriteError } from '../../../shared/errors.ts'
import { type PublishedJwk, publishedJwk } from '../../../shared/formats/bundle.ts'
import { thumbprint } from '../../../shared/formats/fingerprint.ts'

/** An issuer service in memory with real keys, and a real server in front of it. */

export const SPECS = { acme: 'RS256', globex: 'PS256', initech: 'ES256', umbrella: 'ES384', wayne: 'Ed25519' } as const
export const API = 'https://api.example.com'
export const OTHER_API = 'https://other.example.com'

export type TestKey = { spec: KeySpec; published: PublishedJwk; privateKey: KeyObject; signer: TokenSigner }

export function makeKey(spec: KeySpec): TestKey {
  const row = KEY_SPECS[spec]
  const { publicKey, privateKey } =
    row.kty === 'RSA'
      ? generateKeyPairSync('rsa', { modulusLength: row.bits })
      : row.kty === 'EC'
        ? generateKeyPairSync('ec', { namedCurve: row.crv })
        : generateKeyPairSync('ed25519')
  const jwk = publicKey.export({ format: 'jwk' }) as PublicJwk
  const kid = thumbprint(jwk)
  return {
    spec,
    published: publishedJwk({ kid, spec, jwk }, DEFAULT_POLICY),
    privateKey,
    signer: createSigner(spec, kid, privateKey),
  }
}

export class TestTenant implements TenantService {
  readonly tenant: string
  readonly issuer: string
  readonly algorithms: readonly Algorithm[]
  accessTokenLifetime = 3600
  keys: TestKey[]
  secondsToChange = 86_400
  signed: string | null = 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln'
  historical: string | null = null
  maySign = true
  tokenType: TokenType = 'at+jwt'
  rejectIssuedBefore: number | null = null
  /** The issuance log, and every fetch of a key set. */
  readonly log: Issued[] = []
  readonly fetches: { party: string | null; kids: readonly string[]; now: number }[] = []
  readonly secrets = new Map<string, string>()
  readonly clients = new Map<string, Client>()
  readonly used = new Map<string, number>()

  constructor(tenant: string, issuer: string, spec: KeySpec) {
    this.tenant = tenant
    this.issuer = issuer
    this.keys = [makeKey(spec)]
    this.algorithms = [KEY_SPECS[spec].alg]
    this.addSecretClient('basic', 'client_secret_basic')
    this.addSecretClient('post', 'client_secret_post')
  }

  published(now: number) {
    return { keys: this.keys.map((key) => key.published), nextChange: now + this.secondsToChange }
  }

  signedSet(): Soon<string | null> {
    return this.signed
  }

  historicalSet(): Soon<string | null> {
    return this.historical
  }

  signer(algorithm: Algorithm): Soon<TokenSigner | null> {
    return (this.maySign && this.keys.find((key) => key.signer.alg === algorithm)?.signer) || null
  }

  client(clientId: string): Soon<Client | null> {
    return this.clients.get(clientId) ?? null
  }

  async takeAssertion(clientId: string, jti: string, expires: number) {
    const id = JSON.stringify([clientId, jti])
    if (this.used.has(id)) return false
    this.used.set(id, expires)
    return true
  }

  async record(issued: Issued) {
    this.log.push(issued)
  }

  noteFetch(party: string | null, kids: readonly string[], now: number) {
    this.fetches.push({ party, kids, now })
  }

  addSecretClient(clientId: string, method: 'client_secret_basic' | 'client_secret_post'): void {
    const secret = randomBytes(32).toString('base64url')
    this.secrets.set(clientId, secret)
    this.addClient({ clientId, method, secretDigest: hash('sha256', secret, 'base64url') })
  }

  /** Registers a client with its own key for `private_key_jwt`. */
  addKeyClient(clientId: string, spec: KeySpec): TestKey {
    const key = makeKey(spec)
    this.addClient({ clientId, method: 'private_key_jwt', jwks: [key.published] })
    return key
  }

  private addClient(client: Pick<Client, 'clientId' | 'method'> & Partial<Client>): void {
    this.clients.set(client.clientId, {
      secretDigest: null,
      jwks: [],
      audiences: [API, OTHER_API],
      scopes: ['orders:read', 'orders:write'],
      accessTokenLifetime: 600,
      algorithm: null,
      rateLimit: null,
      introspects: false,
      ...client,
    })
  }

  secretOf(clientId: string): string {
    return this.secrets.get(clientId) ?? ''
  }

  basic(clientId = 'basic', secret = this.secretOf(clientId)): string {
    return `Basic ${Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(secret)}`).toString('base64')}`
  }
}

export class TestService implements IssuerService {
  readonly tenants = new Map<string, TestTenant>()
  /** Why nothing may be signed. */
  stopped: string | null = null
  now = () => Math.floor(Date.now() / 1000)
  cannotSign = () => this.stopped
  find = (host: string, path: string): Soon<TenantService | null> => this.tenants.get(`http://${host}${path}`) ?? null
}

export type TestIssuer = {
  server: IssuerServer
  service: TestService
  log: string[]
  tenant(name: keyof typeof SPECS): TestTenant
  add(name: string, spec: KeySpec): TestTenant
}

/** Starts a server on a free port, then adds the tenants: none of them needs a restart. */
export async function startIssuer(
  names: readonly (keyof typeof SPECS)[] = ['acme', 'initech'],
  limits: ServerOptions['limits'] = {},
  options: Pick<ServerOptions, 'trustProxy' | 'observer'> = {},
): Promise<TestIssuer> {
  const service = new TestService()
  const log: string[] = []
  const server = await createIssuerServer(service, {
    listen: { host: '127.0.0.1', port: 0 },
    // Tests of refusals fail to authenticate as one client, again and again.
    limits: { failures: 100_000, ...limits },
    ...options,
    failed: (tenant, endpoint, error) => {
      const { code, message } = asKeyriteError(error)
      log.push(`${tenant} ${endpoint}: ${message} (${code})`)
    },
  })
  const add = (name: string, spec: KeySpec) => {
    const tenant = new TestTenant(name, `${server.url}/t/${name}`, spec)
    service.tenants.set(tenant.issuer, tenant)
    return tenant
  }
  for (const name of names) add(name, SPECS[name])
  return { server, service, log, add, tenant: (name) => service.tenants.get(`${server.url}/t/${name}`) as TestTenant }
}

/** Asks for a token; `form` may be a ready body, to send what no encoder would. */
export async function askToken(
  tenant: TestTenant,
  form: Record<string, string> | string,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: Headers; body: Record<string, unknown> }> {
  const body = typeof form === 'string' ? form : new URLSearchParams(form).toString()
  const response = await fetch(`${tenant.issuer}/token`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
    body,
  })
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  }
}

export const GRANT = { grant_type: 'client_credentials' }

/** The access token of a request that must succeed. */
export async function tokenOf(tenant: TestTenant, form: Record<string, string> = GRANT): Promise<string> {
  const { body } = await askToken(tenant, form, { Authorization: tenant.basic() })
  return String(body.access_token)
}

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** The form of a `private_key_jwt` request around a finished assertion. */
export const assertionForm = (assertion: string) => ({
  ...GRANT,
  client_assertion_type: ASSERTION_TYPE,
  client_assertion: assertion,
})

/** A good assertion of `clientId` for `tenant`, with what `claims` and `header` change about it. */
export function makeAssertion(
  tenant: TestTenant,
  clientId: string,
  key: TestKey,
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT({
    iss: clientId,
    sub: clientId,
    aud: tenant.issuer,
    iat: now,
    exp: now + 60,
    jti: randomBytes(16).toString('base64url'),
    ...claims,
  })
    .setProtectedHeader({ alg: KEY_SPECS[key.spec].alg, kid: key.published.kid, ...header })
    .sign(key.privateKey)
}
