import { constants, type KeyObject, verify } from 'node:crypto'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import * as oauth from 'oauth4webapi'
import { KeyriteError, must } from '../../../shared/errors.ts'
import { fromBase64url, utf8 } from '../../../shared/formats/bytes.ts'

/** Verifiers that know nothing of Keyrite: what a tenant's relying parties would do with libraries they already have. */

export type TestClient = { tenant: string; client_id: string; client_secret: string; audience: string }

/** Keeps a key set as long as its relying party may, and does not fetch again for an unknown key: the hardest case. */
export class RelyingParty {
  readonly issuer: string
  readonly client: TestClient
  readonly cacheSeconds: number
  #keys: { fetchedAt: number; set: JSONWebKeySet } | null = null
  /** The key that signed the last token seen. */
  lastKid = ''

  constructor(issuer: string, client: TestClient, cacheSeconds: number) {
    this.issuer = issuer
    this.client = client
    this.cacheSeconds = cacheSeconds
  }

  /** Asks for an access token with client_secret_basic (RFC 6749 section 4.4). */
  async token(): Promise<string> {
    const { client_id, client_secret, audience } = this.client
    const basic = Buffer.from(`${encodeURIComponent(client_id)}:${encodeURIComponent(client_secret)}`).toString(
      'base64',
    )
    const response = await fetch(`${this.issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ grant_type: 'client_credentials', audience }),
    })
    const answer = (await response.json()) as { access_token?: string; error?: string }
    must(
      answer.access_token,
      'verification-failed',
      `${this.issuer} gave no token: ${response.status} ${answer.error ?? ''}`,
    )
    return answer.access_token
  }

  async fetchKeys(): Promise<{ set: JSONWebKeySet; bytes: string }> {
    const response = await fetch(`${this.issuer}/.well-known/jwks.json`)
    must(response.status === 200, 'verification-failed', `${this.issuer} gave no key set: ${response.status}`)
    const bytes = await response.text()
    return { set: JSON.parse(bytes) as JSONWebKeySet, bytes }
  }

  /** Verifies with the cached key set, refreshed only when it is older than this relying party keeps one. */
  async accepts(token: string, now: number): Promise<boolean> {
    if (!this.#keys || now - this.#keys.fetchedAt >= this.cacheSeconds)
      this.#keys = { fetchedAt: now, set: (await this.fetchKeys()).set }
    return verifies(token, this.#keys.set, this.issuer, this.client.audience, now)
  }
}

/** True when jose accepts the token for this issuer and audience with these keys at `now`. */
export async function verifies(
  token: string,
  keys: JSONWebKeySet,
  issuer: string,
  audience: string,
  now: number,
): Promise<boolean> {
  try {
    await jwtVerify(token, createLocalJWKSet(keys), {
      issuer,
      audience,
      typ: 'at+jwt',
      currentDate: new Date(now * 1000),
    })
    return true
  } catch {
    return false
  }
}

/**
 * Verifies a token the way RFC 9068 section 4 says, with oauth4webapi: discovery, key set and token, nothing configured
 * but the issuer URL. Throws `verification-failed`.
 */
export async function verifyThroughDiscovery(
  issuer: string,
  audience: string,
  token: string,
  now: number,
): Promise<void> {
  const insecure = { [oauth.allowInsecureRequests]: true } as const
  try {
    const url = new URL(issuer)
    for (const algorithm of ['oidc', 'oauth2'] as const) {
      const server = await oauth.processDiscoveryResponse(
        url,
        await oauth.discoveryRequest(url, { algorithm, ...insecure }),
      )
      const request = new Request(`${issuer}/resource`, { headers: { authorization: `Bearer ${token}` } })
      const skew = { [oauth.clockSkew]: now - Math.floor(Date.now() / 1000) }
      await oauth.validateJwtAccessToken(server, request, audience, { ...insecure, ...skew })
    }
  } catch (cause) {
    throw new KeyriteError('verification-failed', `A token of ${issuer} does not verify through its own discovery.`, {
      cause,
    })
  }
}

/** True when the bare signature verifies under a key in any scheme that key can be used with; kid and claims are ignored. */
export function signatureVerifies(token: string, key: KeyObject): boolean {
  const [header = '', payload = '', signature = ''] = token.split('.')
  const data = utf8(`${header}.${payload}`)
  const bytes = fromBase64url(signature)
  return schemes(key).some(({ hash, ...options }) => verify(hash, data, { key, ...options }, bytes))
}

type Scheme = { hash: string | null; padding?: number; saltLength?: number; dsaEncoding?: 'ieee-p1363' }

function schemes(key: KeyObject): Scheme[] {
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return [{ hash: 'sha256' }, { hash: 'sha256', padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }]
    case 'ec':
      return ['sha256', 'sha384'].map((hash) => ({ hash, dsaEncoding: 'ieee-p1363' }))
    default:
      return [{ hash: null }]
  }
}
