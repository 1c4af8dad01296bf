import { describe, expect, it, type TestContext } from 'vitest'
import { checkPolicy, DAY, HOUR, leastPropagation, type RelyingParty } from '../../shared/domain/policy.ts'
import { prove } from '../../shared/domain/prover.ts'
import { codeOf, T0 } from '../issuer/fixtures.ts'
import { MODELS, modelled, REGISTERED, type SetFetch, type Verifier, withJose, withOauth4webapi } from './caches.ts'
import { pythonWith, startRelying } from './tools.ts'
import { API, type Interop } from './world.ts'
import { live, startYear, tightest } from './year.ts'

/**
 * Every relying party of the document verifies real tokens with the key sets that it has fetched by its own rules,
 * through a cache on the way. The policy is the tightest one that covers them all.
 */

const pyjwt = (ctx: TestContext, { issuer, jwksUri }: Interop): Verifier => {
  const python = pythonWith('jwt')
  if (!python) return ctx.skip('no Python with the module jwt')
  const ask = startRelying(python, 'relying_pyjwt.py')
  const question = { jwks: jwksUri, issuer, audience: API, algorithms: ['ES256'] }
  return { name: 'PyJWT', keeps: 300, accepts: async (token, now) => (await ask({ ...question, token, now })).ok }
}

const everybody = async (at: Interop, get: SetFetch): Promise<Verifier[]> => [
  withJose(at, get),
  await withOauth4webapi(at, get),
  ...Object.entries(MODELS).map(([name, behaviour]) => modelled(name, behaviour, at, get)),
]

describe('a year of monthly rotations by the tightest policy', () => {
  it('no token is unverifiable for any relying party of the document', async () => {
    const year = await startYear()
    const { tenant, get } = year
    const lived = await live(year, await everybody(tenant, get), await everybody(tenant, get))
    expect(lived.failures).toEqual([])
    expect(lived.kids.size).toBe(13)
    expect(lived.tokens).toBeGreaterThan(300)
    expect(lived.checks).toBeGreaterThan(5000)
  })

  it('no token is unverifiable for PyJWT, whose own cache lives through it', async (ctx) => {
    const year = await startYear()
    const lived = await live(year, [pyjwt(ctx, year.tenant)], [pyjwt(ctx, year.tenant)])
    expect(lived.failures).toEqual([])
    expect(lived.kids.size).toBe(13)
  })

  it('a cache longer than the announcement refuses the first token of a new key, as the prover says before', async () => {
    const year = await startYear()
    const { policy, tenant, keys, get } = year
    const keeps = policy.propagationTime + HOUR
    const tooLong: RelyingParty = { name: 'too long', cacheSeconds: keeps, refreshesOnUnknownKid: false }
    const proof = prove(policy, keys, [tooLong])
    expect(await codeOf(() => checkPolicy(policy, [tooLong]))).toBe('policy-rejected')
    const options = { cacheMaxAge: keeps * 1000, cooldownDuration: Number.POSITIVE_INFINITY }
    const lived = await live(
      year,
      [],
      [
        withJose(tenant, get, options),
        modelled('too long', { keeps, onUnknownKid: 'refuses' }, tenant, get),
        modelled('too long, but looks', { keeps, onUnknownKid: 'fetches' }, tenant, get),
      ],
      T0 + 90 * DAY,
    )
    const [, second] = keys
    expect(lived.failures.slice(0, 2)).toEqual([
      { name: 'jose', at: second?.signFrom, kid: second?.kid },
      { name: 'too long', at: second?.signFrom, kid: second?.kid },
    ])
    expect(lived.failures.map(({ name }) => name)).not.toContain('too long, but looks')
    expect(proof.outcome === 'outage' && [proof.counterexample.kid, proof.counterexample.relyingParty]).toEqual([
      second?.kid,
      'too long',
    ])
  })

  it('the prover finds no outage for what the document says to register, and the policy takes it', async () => {
    const { policy, keys } = await startYear()
    expect(() => checkPolicy(policy, REGISTERED)).not.toThrow()
    for (const party of REGISTERED)
      expect([party.name, prove(policy, keys, [party]).outcome]).toEqual([party.name, 'no outage'])
    const shorter = tightest({ propagationTime: leastPropagation(REGISTERED) - 1 })
    expect(await codeOf(() => checkPolicy(shorter, REGISTERED))).toBe('policy-rejected')
  })
})
