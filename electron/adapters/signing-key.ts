import { createPublicKey } from 'node:crypto'
import type { ExternalSigningKey } from 'oidc-provider'
import { z } from 'zod'
import { must } from '../../shared/errors.ts'
import type { PublishedJwk } from '../../shared/formats/bundle.ts'
import { digest, fromBase64url, fromUtf8 } from '../../shared/formats/bytes.ts'
import { KB, parseAs, parseJson } from '../../shared/formats/json.ts'
import {
  type Issued,
  type IssuerService,
  systemClock,
  type TenantService,
  type TokenSigner,
} from '../issuer/service.ts'

/** Keys of a Keyrite tenant as oidc-provider sees them: the public half, and a way to ask for a signature. */

/** A request that the scheduled switch overtakes is finished with the key that it began with. Seconds. */
const UNDER_WAY = 2
const MAX_TOKEN = 64 * KB

/** The tenant as it is now, or null when it is not served any more. Asked anew for every signature. */
export type Find = () => Promise<TenantService | null>

/**
 * Makes the key that oidc-provider takes for one published key. `Base` is its class `ExternalSigningKey`. The private
 * half is no part of it: every signature is asked of the runtime, which decides anew.
 */
export function signingKey(
  Base: typeof ExternalSigningKey,
  runtime: IssuerService,
  find: Find,
  jwk: PublishedJwk,
): ExternalSigningKey {
  const publicKey = createPublicKey({ key: { ...jwk }, format: 'jwk' })
  return new (class extends Base {
    override get kid() {
      return jwk.kid
    }
    override get alg() {
      return jwk.alg
    }
    override keyObject() {
      return publicKey
    }
    override async sign(data: Uint8Array) {
      return Buffer.from(await signature(runtime, find, jwk, Buffer.from(data).toString('latin1')), 'base64url')
    }
  })()
}

/**
 * Signs one token (RFC 7515 section 5.1) and writes it into the issuance log. Code `signing-refused` when the key may not
 * sign now, or the token is none of this tenant's or lives longer than the tenant's keys are published for.
 */
async function signature(runtime: IssuerService, find: Find, jwk: PublishedJwk, signingInput: string): Promise<string> {
  const now = runtime.now()
  const cannot = runtime.cannotSign()
  must(cannot === null, 'signing-refused', `Nothing is signed now: ${cannot}`)
  const tenant = await find()
  must(tenant, 'signing-refused', 'This issuer is not served any more.')
  const issued = checkToken(tenant, jwk, signingInput, now)
  const signer = await signerFor(tenant, jwk, now)
  must(signer, 'signing-refused', `Key ${jwk.kid} of ${tenant.tenant} may not sign now.`)
  const signed = signer.sign(signingInput)
  await tenant.record(issued)
  return signed
}

/** The signer of exactly this key: it signs now, or it did when the request came and nothing but the schedule changed. */
async function signerFor(tenant: TenantService, { kid }: PublishedJwk, now: number): Promise<TokenSigner | null> {
  for (const at of [now, now - UNDER_WAY])
    for (const algorithm of tenant.algorithms) {
      const signer = await tenant.signer(algorithm, at)
      if (signer?.kid === kid) return signer
    }
  return null
}

const headerSchema = z.looseObject({ alg: z.string(), kid: z.string() })
const claimsSchema = z.looseObject({
  iss: z.string(),
  exp: z.int(),
  aud: z.union([z.string(), z.array(z.string())]),
  client_id: z.string().optional(),
  jti: z.string().optional(),
  scope: z.string().optional(),
})

/** What is signed names this issuer and this key, and ends within the tenant's token lifetime. */
function checkToken(tenant: TenantService, jwk: PublishedJwk, signingInput: string, now: number): Issued {
  const [head = '', body = ''] = signingInput.split('.')
  const { alg, kid } = parseAs(headerSchema, decoded(head), 'token header', 'signing-refused')
  const claims = parseAs(claimsSchema, decoded(body), 'token', 'signing-refused')
  must(alg === jwk.alg && kid === jwk.kid, 'signing-refused', 'The token names another key.')
  must(claims.iss === tenant.issuer, 'signing-refused', 'The token names another issuer.')
  // oidc-provider stamps its tokens by the clock of the machine, not by the runtime's.
  const left = claims.exp - systemClock.now()
  const most = tenant.accessTokenLifetime
  must(left <= most, 'signing-refused', `Tokens of ${tenant.tenant} may live ${most} seconds at most, not ${left}.`)
  const audience = [claims.aud].flat().join(' ')
  return {
    at: now,
    // An identity token has no id of its own; whoever holds it finds it in the log by the digest of what was signed.
    jti: claims.jti ?? digest(signingInput),
    clientId: claims.client_id ?? audience,
    audience,
    scope: claims.scope ?? '',
    kid,
    exp: claims.exp,
  }
}

const decoded = (part: string): unknown => parseJson(fromUtf8(fromBase64url(part)), { maxBytes: MAX_TOKEN })
