import { single } from './routes.ts'

/** Who fetches a key set, where it says so itself: evidence of propagation, never a proof of identity. */

const PARTY = /^[\x21-\x7e](?:[\x20-\x7e]{0,198}[\x21-\x7e])?$/
/** The product name of RFC 9110 section 10.1.5, without its version, in an alphabet that is safe everywhere. */
const PRODUCT = /^[A-Za-z0-9._-]{1,64}(?=[/ ]|$)/

/** The header `Keyrite-Relying-Party` (1 to 200 printable ASCII characters), or else the product that the User-Agent names first. */
export function partyOf(rawHeaders: readonly string[]): string | null {
  const named = single(rawHeaders, 'keyrite-relying-party')
  if (named && PARTY.test(named)) return named
  return PRODUCT.exec(single(rawHeaders, 'user-agent') ?? '')?.[0] ?? null
}
