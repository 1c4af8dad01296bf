import { isKeyriteError } from '../errors.ts'
import { type JwkSetClaims, openJwkSet } from '../formats/bundle.ts'
import { fromUtf8 } from '../formats/bytes.ts'
import { KB } from '../formats/json.ts'
import { readStatementHeader } from '../formats/jws.ts'
import { type Fetch, fetchBytes } from './fetch.ts'
import { JWKS_MAX_BYTES, type KeySet, makeKeySet, parseKeySet } from './key-set.ts'
import type { IssuerTrust } from './policy.ts'
import { Denied, demand } from './reasons.ts'

/** Where an issuer's keys come from: its JWKS URL, or a set that the pinned root signed. */

export type Loaded = {
  keys: KeySet
  maxAge: number | null
  /** From the claims of a signed set; null where nobody signed when it was made and until when it counts. */
  signed: { iat: number; until: number } | null
}
export type LoadOptions = { fetch: Fetch; now: () => number; timeoutMs: number }

/** How much the clocks of the vault and of a relying party may differ. */
const SKEW = 300
const SIGNED_MAX_BYTES = 64 * KB

/** Fetches and checks one key set. Throws `Denied`: `key-set-unavailable`, `-invalid`, `-expired` or `-rolled-back`. */
export function loadKeySet(trust: IssuerTrust, newestIat: number, options: LoadOptions): Promise<Loaded> {
  const { keys } = trust
  return keys.source === 'jwks' ? loadJwks(keys.jwksUri, options) : loadSigned(trust, keys, newestIat, options)
}

async function loadJwks(uri: string, { fetch, timeoutMs }: LoadOptions): Promise<Loaded> {
  const types = ['application/json', 'application/jwk-set+json']
  const { bytes, maxAge } = await fetchBytes(fetch, uri, { types, maxBytes: JWKS_MAX_BYTES, timeoutMs })
  return { keys: parseKeySet(bytes), maxAge, signed: null }
}

async function loadSigned(
  { issuer, anchors }: IssuerTrust,
  { signedJwksUri }: { signedJwksUri: string },
  newestIat: number,
  { fetch, now, timeoutMs }: LoadOptions,
): Promise<Loaded> {
  const types = ['application/jwk-set+jwt']
  const { bytes, maxAge } = await fetchBytes(fetch, signedJwksUri, { types, maxBytes: SIGNED_MAX_BYTES, timeoutMs })
  const { iss, sub, iat, nbf, exp, keys } = await openSigned(bytes, anchors)
  demand(iss === issuer && sub === issuer, 'key-set-invalid', 'it was signed for another issuer')
  demand(iat <= now() + SKEW, 'key-set-invalid', 'it was signed in the future')
  demand(nbf <= now() + SKEW && now() < exp + SKEW, 'key-set-expired')
  demand(iat >= newestIat, 'key-set-rolled-back')
  return { keys: makeKeySet(keys), maxAge, signed: { iat, until: exp + SKEW } }
}

/** Which pinned root must have signed follows from the statement's kid; its signature decides. */
async function openSigned(bytes: Uint8Array, anchors: IssuerTrust['anchors']): Promise<JwkSetClaims> {
  try {
    const jws = fromUtf8(bytes)
    const { kid } = readStatementHeader(jws, SIGNED_MAX_BYTES)
    const anchor = anchors.find(({ key }) => key.kid === kid)
    demand(anchor, 'key-set-invalid', 'the pinned root did not sign it')
    return await openJwkSet(jws, anchor.key)
  } catch (error) {
    if (isKeyriteError(error)) throw new Denied('key-set-invalid', 'it is no set that the pinned root signed')
    throw error
  }
}
