import type { PublicJwk } from './algorithms.ts'
import { modulusOf } from './lint.ts'
import { count } from './plural.ts'
import { auditSharedFactors } from './shared-factors.ts'
import type { VaultKey, VaultState } from './state.ts'

/** What two tenants must never share, compared over every key that the vault ever held. */

export type SharedByTwo = { first: string; second: string; what: string }
export type Isolation = {
  tenants: { tenant: string; name: string; issuer: string; keys: number }[]
  shared: SharedByTwo[]
  /** What was compared and what was not, in sentences. */
  checked: string[]
}

/** Compares issuers, key ids, public keys and the factors of RSA moduli between tenants; destroyed keys too. */
export function isolationOf(state: VaultState): Isolation {
  const tenants = [...state.tenants.values()]
  const keys = [...state.keys.values()]
  const rsa = keys.filter(({ jwk }) => jwk.kty === 'RSA')
  const shared = [
    ...same(
      tenants.map(({ tenant, issuer }) => [issuerName(issuer), tenant]),
      'the same issuer',
    ),
    ...same(
      tenants.flatMap(({ tenant, kids }) => kids.map((kid): [string, string] => [kid, tenant])),
      'a key id',
    ),
    ...same(
      keys.map(({ jwk, tenant }) => [material(jwk), tenant]),
      'a public key',
    ),
    ...commonFactors(rsa),
  ]
  return {
    tenants: tenants.map(({ tenant, name, issuer, kids }) => ({ tenant, name, issuer, keys: kids.length })),
    shared,
    checked: [
      `${count(tenants.length, 'issuer')}, each compared with every other without regard to capitals and a last slash.`,
      `${count(keys.length, 'key')}, destroyed ones too: key ids, and moduli or coordinates, each with every other.`,
      rsa.length > 1
        ? `${count(rsa.length, 'RSA modulus', 'RSA moduli')}: a prime factor that two of them have in common would have been found.`
        : `${count(rsa.length, 'RSA modulus', 'RSA moduli')}: there is nothing to compare factors with.`,
      'Only public halves were compared. No token was tried at another tenant here: a rehearsal does that.',
    ],
  }
}

const issuerName = (issuer: string): string => issuer.toLowerCase().replace(/\/+$/, '')

/** What makes a public key, without its name. */
function material(jwk: PublicJwk): string {
  if (jwk.kty === 'RSA') return `RSA ${jwk.n}`
  return jwk.kty === 'EC' ? `${jwk.crv} ${jwk.x} ${jwk.y}` : `${jwk.crv} ${jwk.x}`
}

/** Pairs of tenants that have the same thing. */
function same(things: readonly (readonly [thing: string, tenant: string])[], what: string): SharedByTwo[] {
  const owners = new Map<string, Set<string>>()
  for (const [thing, tenant] of things) owners.set(thing, (owners.get(thing) ?? new Set()).add(tenant))
  return distinct(
    [...owners.values()].flatMap((set) => pairs([...set])),
    what,
  )
}

/** A factor is looked for among all moduli at once; which pair has it, only among those few that have one. */
function commonFactors(rsa: readonly VaultKey[]): SharedByTwo[] {
  const moduli = rsa.flatMap(({ jwk, tenant }) => {
    const modulus = modulusOf(jwk)
    return modulus ? [{ modulus, tenant }] : []
  })
  const suspects = auditSharedFactors(moduli.map(({ modulus }) => modulus)).flatMap((at) => moduli[at] ?? [])
  const found = suspects.flatMap((one, index) =>
    suspects
      .slice(index + 1)
      .filter((other) => other.tenant !== one.tenant && auditSharedFactors([one.modulus, other.modulus]).length > 0)
      .map((other): [string, string] => [one.tenant, other.tenant]),
  )
  return distinct(found, 'a prime factor')
}

const pairs = (all: readonly string[]): [string, string][] =>
  all.flatMap((one, index) => all.slice(index + 1).map((other): [string, string] => [one, other]))

/** Each pair once, whichever of the two comes first. */
function distinct(found: readonly [string, string][], what: string): SharedByTwo[] {
  const once = new Map(found.map((pair) => pair.toSorted()).map((pair) => [pair.join(' '), pair]))
  return [...once.values()].map(([first = '', second = '']) => ({ first, second, what }))
}
