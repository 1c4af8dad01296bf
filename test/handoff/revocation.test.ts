import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { writeLines } from '../../electron/files/lines.ts'
import { rootOf } from '../../electron/handoff/bundle.ts'
import { readRevocation, writeRevocation } from '../../electron/handoff/revocation.ts'
import { DAY } from '../../shared/domain/policy.ts'
import { openJwkSet, signJwkSet } from '../../shared/formats/bundle.ts'
import { checkSlots, keySet } from '../../shared/formats/bundle-check.ts'
import { canonicalBytes } from '../../shared/formats/json.ts'
import { type Revocation, type RevokedLine, revokedSlots, signRevocation } from '../../shared/formats/revocation.ts'
import {
  codeOf,
  ENVIRONMENT,
  entryOf,
  filesIn,
  makeTenant,
  makeVault,
  policyWith,
  RUNTIME_ID,
  T0,
  type TestTenant,
  type TestVault,
  temporaryFolder,
} from '../issuer/fixtures.ts'

/** The file format `revocation`: what is written comes back, and nothing else does. */

const ID = '0f8fad5b-d9cb-469f-a165-70867728950e'
const IAT = T0 + 3 * DAY
const small = (tenant: string): TestTenant =>
  makeTenant(tenant, { policy: policyWith({ horizon: 2, slotLength: 30 * DAY, rotationInterval: 30 * DAY }) })

const claims = (vault: TestVault, changes: Partial<Revocation> = {}): Omit<Revocation, 'tenants' | 'merkleRoot'> => ({
  vaultId: vault.vaultId,
  runtimeId: RUNTIME_ID,
  environment: ENVIRONMENT,
  id: ID,
  order: 1,
  reason: 'Seen on a public page',
  iat: IAT,
  exp: IAT + 7 * DAY,
  ...changes,
})
const firstKey = (tenant: TestTenant): string => tenant.keys[0]?.kid ?? ''

async function written(vault: TestVault, tenants: TestTenant[], folder = temporaryFolder()) {
  const { root, practice } = vault
  const of = tenants.map((one) => ({ entry: entryOf(one), revoke: [firstKey(one)], standby: null }))
  return { folder, ...(await writeRevocation(folder, { revocation: claims(vault), tenants: of, root, practice })) }
}

/** A file of exactly these lines under a statement that the root signed for them. */
async function raw(vault: TestVault, lines: RevokedLine[], changes: Partial<Revocation> = {}): Promise<string> {
  const bytes = lines.map((line) => canonicalBytes(line))
  const said = { ...claims(vault), tenants: lines.length, merkleRoot: rootOf(bytes), ...changes }
  const path = join(temporaryFolder(), 'raw.keyrite')
  writeLines(path, [await signRevocation(said, vault.practice, vault.root), ...bytes])
  return path
}

async function linesOf(vault: TestVault, tenants: TestTenant[]): Promise<RevokedLine[]> {
  const lines: RevokedLine[] = []
  await readRevocation((await written(vault, tenants)).path, vault.anchor, (line) => lines.push(line))
  return lines
}
const lineOf = async (vault: TestVault, tenant: TestTenant): Promise<RevokedLine> => {
  const [line] = await linesOf(vault, [tenant])
  if (!line) throw new Error('no line')
  return line
}

describe('a revocation', () => {
  it('comes back as it was written, in order of the tenant ids, under a name of its own and mode 0600', async () => {
    const vault = await makeVault()
    const tenants = ['zeta', 'acme'].map(small)
    const { path, folder, manifestDigest } = await written(vault, tenants)
    expect(filesIn(folder)).toEqual([expect.stringMatching(/^revocation-[0-9a-f]{8}-20260304T000000Z\.keyrite$/)])
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const seen: RevokedLine[] = []
    const read = await readRevocation(path, vault.anchor, (line) => seen.push(line))
    expect(read).toMatchObject({ statementDigest: manifestDigest, keys: 2, standbys: 0 })
    expect(read.revocation).toMatchObject({ ...claims(vault), tenants: 2 })
    expect(seen.map(({ tenant }) => tenant)).toEqual(['acme', 'zeta'])
    expect(seen.map(({ revoke }) => revoke)).toEqual(tenants.toReversed().map((one) => [firstKey(one)]))
  })

  it('holds from its day on every slot of the tenant without the revoked key, and one without each key left', async () => {
    const vault = await makeVault()
    const tenant = small('acme')
    const { slots } = await lineOf(vault, tenant)
    expect(slots[0]?.from).toBe(IAT)
    expect(slots.length).toBeGreaterThan(2)
    for (const { set, without, from } of slots) {
      const kids = (await openJwkSet(set, vault.key)).keys.map(({ kid }) => kid)
      const due = tenant.keys.filter((one) => one.announceAt <= from && from < one.removeAt)
      expect(kids).toEqual(due.map(({ kid }) => kid).filter((kid) => kid !== firstKey(tenant)))
      expect(Object.keys(without).sort()).toEqual(kids.toSorted())
    }
  })

  it('its slots are those that a runtime computes from its own bundle, and not those of another bundle', async () => {
    const vault = await makeVault()
    const tenant = small('acme')
    const line = await lineOf(vault, tenant)
    const check = (entry: TestTenant) =>
      codeOf(() => checkSlots(entryOf(entry), line.slots, revokedSlots(entryOf(entry), line, IAT), IAT, vault.key))
    expect(await check(tenant)).toBeNull()
    const fewer = { ...tenant, keys: tenant.keys.slice(0, -1) }
    expect(await check(fewer)).toBe('bundle-refused')
    expect(await check({ ...tenant, policy: { ...tenant.policy, slotLength: 7 * DAY } })).toBe('bundle-refused')
  })

  it('a standby key that takes over carries the slots to its own end', async () => {
    const entry = entryOf(small('acme'))
    const [first, ...rest] = entry.keys
    if (!first) throw new Error('no key')
    const standby = { ...first, kid: rest.at(-1)?.kid ?? '', standby: true as const, signUntil: T0 + 400 * DAY }
    const all = { ...entry, keys: [first, { ...standby, removeAt: T0 + 414 * DAY }] }
    const without = revokedSlots(all, { revoke: [first.kid], standby: null }, IAT)
    expect(without.at(-1)?.to).toBe(IAT + 1)
    const taken = revokedSlots(all, { revoke: [first.kid], standby: standby.kid }, IAT)
    expect(taken.at(-1)?.to).toBe(T0 + 400 * DAY)
    expect(taken.every(({ kids }) => kids.join() === standby.kid)).toBe(true)
  })

  it.each<[string, Partial<Parameters<typeof readRevocation>[1]>, string]>([
    ['another vault', { vaultId: 'c2d29867-3d0b-4497-9191-18a9d8ee7830' }, 'vault-mismatch'],
    ['the other mode', { practice: true }, 'practice-refused'],
  ])('of %s is refused', async (_, pin, code) => {
    const vault = await makeVault()
    const { path } = await written(vault, [small('acme')])
    expect(await codeOf(() => readRevocation(path, { ...vault.anchor, ...pin }))).toBe(code)
  })

  it('signed by another root is refused, also one that claims this vault', async () => {
    const vault = await makeVault()
    const forger = await makeVault({ vaultId: vault.vaultId })
    const { path } = await written({ ...forger, vaultId: vault.vaultId }, [small('acme')])
    expect(await codeOf(() => readRevocation(path, vault.anchor))).toBe('signature-invalid')
  })

  it('no byte of it can be changed', async () => {
    const vault = await makeVault()
    const { path, folder } = await written(vault, [makeTenant('acme', { policy: policyWith({ horizon: 1 }) })])
    const bytes = readFileSync(path)
    for (let at = 0; at < bytes.length; at += 97) {
      const changed = Uint8Array.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 1
      writeFileSync(join(folder, 'changed.keyrite'), changed)
      expect([at, await codeOf(() => readRevocation(join(folder, 'changed.keyrite'), vault.anchor))]).not.toEqual([
        at,
        null,
      ])
    }
  })

  it('lines left out, added, in another order or of another file are refused', async () => {
    const vault = await makeVault()
    const lines = await linesOf(vault, ['acme', 'beta'].map(small))
    const [acme, beta] = lines
    if (!acme || !beta) throw new Error('no lines')
    const { merkleRoot } = (await written(vault, [small('acme')])) as { merkleRoot: string }
    const wrong: [string, RevokedLine[], Partial<Revocation>][] = [
      ['fewer', [acme], { tenants: 2 }],
      ['more', [acme, beta], { tenants: 1 }],
      ['another order', [beta, acme], {}],
      ['twice', [acme, acme], {}],
      ['of another file', [acme], { merkleRoot }],
    ]
    for (const [what, of, changes] of wrong)
      expect([what, await codeOf(async () => readRevocation(await raw(vault, of, changes), vault.anchor))]).toEqual([
        what,
        'format-invalid',
      ])
    expect(await codeOf(async () => readRevocation(await raw(vault, lines), vault.anchor))).toBeNull()
  })

  it('a line that the root should never have signed is refused: its key published, its slots apart, its sets of something else', async () => {
    const vault = await makeVault()
    const tenant = small('acme')
    const line = await lineOf(vault, tenant)
    const [first, second] = line.slots
    if (!first || !second) throw new Error('no slots')
    const foreign = await lineOf(vault, small('beta'))
    const claimsOf = { iss: tenant.issuer, sub: tenant.issuer, iat: IAT, nbf: first.from, exp: first.to + DAY }
    const sign = (keys: string[], changes: object = {}) =>
      signJwkSet({ ...claimsOf, ...changes, keys: keySet(tenant.keys, keys, tenant.policy) }, vault.root)
    const wrong: [string, RevokedLine, string][] = [
      ['the key itself', { ...line, slots: [{ ...first, set: await sign([firstKey(tenant)]) }] }, 'bundle-refused'],
      ['another time', { ...line, slots: [{ ...first, set: await sign([], { iat: IAT - 1 }) }] }, 'bundle-refused'],
      ['another start', { ...line, slots: [{ ...first, set: await sign([], { nbf: IAT + 1 }) }] }, 'bundle-refused'],
      [
        'another issuer',
        { ...line, slots: [first, { ...second, set: foreign.slots[1]?.set ?? '' }] },
        'bundle-refused',
      ],
      ['a gap', { ...line, slots: [first, { ...second, from: second.from + 1 }] }, 'bundle-refused'],
      ['a later start', { ...line, slots: line.slots.slice(1) }, 'bundle-refused'],
      ['its key twice', { ...line, revoke: [...line.revoke, ...line.revoke] }, 'format-invalid'],
      ['its standby revoked', { ...line, standby: line.revoke[0] ?? null }, 'format-invalid'],
      ['nothing', { ...line, revoke: [] }, 'format-invalid'],
    ]
    for (const [what, of, code] of wrong)
      expect([what, await codeOf(async () => readRevocation(await raw(vault, [of]), vault.anchor))]).toEqual([
        what,
        code,
      ])
  })
})
