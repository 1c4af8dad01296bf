import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, type TestContext } from 'vitest'
import { temporaryFolder } from '../issuer/fixtures.ts'
import { programOf } from './tools.ts'
import { type Interop, NAMES, partOf, spoiled, startWorld, tokenOf } from './world.ts'

/** The command `jose` (its own implementation in C): it verifies a signature with a key set in a file, and no claims. */

/** It has no Edwards curves. */
const KNOWN = NAMES.filter((name) => name !== 'wayne')

type Verified = { status: number | null; payload: string }

function verifier(ctx: TestContext): (token: string, set: string) => Verified {
  const jose = programOf(['jose'], ['alg'])
  if (!jose) return ctx.skip('no jose command')
  const folder = temporaryFolder()
  const [input, keys] = [join(folder, 'token.jws'), join(folder, 'jwks.json')]
  return (token, set) => {
    writeFileSync(input, token)
    writeFileSync(keys, set)
    const { status, stdout } = spawnSync(jose, ['jws', 'ver', '-i', input, '-k', keys, '-O', '-'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return { status, payload: stdout }
  }
}

const keySet = async ({ jwksUri }: Interop) => (await fetch(jwksUri)).text()

it('jose jws ver: accepted with the set of its issuer through a rotation, the set fetched once', async (ctx) => {
  const verify = verifier(ctx)
  const { tenants, rotate } = await startWorld(KNOWN)
  const sets = await Promise.all(tenants.map(keySet))
  const old: string[] = []
  for (const at of [0, 1]) {
    for (const [index, tenant] of tenants.entries()) {
      const token = await tokenOf(tenant)
      old.push(token)
      expect(partOf(token, 0).kid).toBe(tenant.kids[at])
      for (const one of [token, old[index] ?? '']) {
        const { status, payload } = verify(one, sets[index] ?? '')
        expect([tenant.tenant, status]).toEqual([tenant.tenant, 0])
        expect(JSON.parse(payload)).toEqual(partOf(one, 1))
      }
    }
    await rotate()
  }
})

it('jose jws ver: refused with the set of any other issuer, and with another signature', async (ctx) => {
  const verify = verifier(ctx)
  const { tenants } = await startWorld(KNOWN)
  for (const tenant of tenants) {
    const token = await tokenOf(tenant)
    expect(verify(spoiled(token), await keySet(tenant)).status).not.toBe(0)
    for (const other of tenants.filter((one) => one !== tenant))
      expect([other.tenant, verify(token, await keySet(other)).status]).not.toEqual([other.tenant, 0])
  }
})

it('jose jws ver: does not know Ed25519', async (ctx) => {
  const verify = verifier(ctx)
  const { tenants } = await startWorld(['wayne'])
  for (const tenant of tenants) expect(verify(await tokenOf(tenant), await keySet(tenant)).status).not.toBe(0)
})
