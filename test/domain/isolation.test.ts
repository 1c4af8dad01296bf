import { expect, it } from 'vitest'
import type { PublicJwk } from '../../shared/domain/algorithms.ts'
import { isolationOf } from '../../shared/domain/isolation.ts'
import { emptyState, type Tenant, type VaultKey, type VaultState } from '../../shared/domain/state.ts'

/** quality.md, isolation: what two tenants must never share is looked for, and named where it is found. */

const ec = (x: string): PublicJwk => ({ kty: 'EC', crv: 'P-256', x, y: 'y' })
/** Small moduli: products of primes do as well as large ones. */
const rsa = (modulus: number): PublicJwk => ({
  kty: 'RSA',
  n: Buffer.from(
    modulus
      .toString(16)
      .padStart(8, '0')
      .replace(/^(00)+/, ''),
    'hex',
  ).toString('base64url'),
  e: 'AQAB',
})
const [P, Q, R, S] = [65_521, 65_519, 65_497, 65_479] as const

type Given = { issuer?: string; keys: PublicJwk[] }

function vaultOf(tenants: Record<string, Given>): VaultState {
  const keys = Object.entries(tenants).flatMap(([tenant, given]) =>
    given.keys.map((jwk, index) => ({ tenant, kid: `${tenant}-${index}`, jwk }) as VaultKey),
  )
  const all = Object.entries(tenants).map(([tenant, { issuer }]): [string, Tenant] => [
    tenant,
    {
      tenant,
      name: tenant,
      issuer: issuer ?? `https://${tenant}.example`,
      kids: keys.filter((key) => key.tenant === tenant).map(({ kid }) => kid),
    } as Tenant,
  ])
  return { ...emptyState('start'), tenants: new Map(all), keys: new Map(keys.map((key) => [key.kid, key])) }
}

it('nothing in common: nothing is named, and every tenant is counted', () => {
  const { tenants, shared } = isolationOf(
    vaultOf({ acme: { keys: [ec('a'), rsa(P * Q)] }, globex: { keys: [rsa(R * S)] } }),
  )
  expect(shared).toEqual([])
  expect(tenants.map(({ tenant, keys }) => [tenant, keys])).toEqual([
    ['acme', 2],
    ['globex', 1],
  ])
})

it.each([
  ['the same issuer', { issuer: 'https://id.example/', keys: [] }, { issuer: 'https://ID.example', keys: [] }],
  ['a public key', { keys: [ec('a'), ec('b')] }, { keys: [ec('c'), ec('b')] }],
  ['a prime factor', { keys: [rsa(P * Q)] }, { keys: [ec('a'), rsa(P * R)] }],
])('%s of two tenants is named once, and of no third', (what, acme: Given, globex: Given) => {
  const third = { keys: [ec('z'), rsa(S * 65_449)] }
  expect(isolationOf(vaultOf({ acme, globex, third })).shared).toEqual([{ first: 'acme', second: 'globex', what }])
})

it('one tenant may have a key twice: that is no other tenant', () => {
  expect(isolationOf(vaultOf({ acme: { keys: [ec('a'), ec('a')] } })).shared).toEqual([])
})

it('a key id that two tenants name is found', () => {
  const state = vaultOf({ acme: { keys: [ec('a')] }, globex: { keys: [ec('b')] } })
  state.tenants.get('globex')?.kids.push('acme-0')
  expect(isolationOf(state).shared).toEqual([{ first: 'acme', second: 'globex', what: 'a key id' }])
})
