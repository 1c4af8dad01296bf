import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readBundle, writeBundle } from '../../electron/handoff/bundle.ts'
import { DAY } from '../../shared/domain/policy.ts'
import { openJwkSet, type TenantLine } from '../../shared/formats/bundle.ts'
import { sha256, toBase64url, toHex } from '../../shared/formats/bytes.ts'
import {
  codeOf,
  entryOf,
  filesIn,
  makeHandoff,
  makeTenant,
  makeVault,
  manifestAfter,
  policyWith,
  T0,
  type TestTenant,
  temporaryFolder,
} from '../issuer/fixtures.ts'

const NAMES = ['a', 'a-1', 'a1', 'acme', 'b', 'zeta']
/** Small and quick: one key now and one later. */
const small = (tenant: string): TestTenant =>
  makeTenant(tenant, { policy: policyWith({ horizon: 1, slotLength: 30 * DAY, rotationInterval: 30 * DAY }) })

describe('a bundle', () => {
  it('comes back as it was written, in order of the tenant ids, whatever the order it came in', async () => {
    const vault = await makeVault()
    const all = new Map(NAMES.map((name) => [name, small(name)]))
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(NAMES), async (names) => {
        const folder = temporaryFolder()
        const tenants = names.flatMap((name) => all.get(name) ?? [])
        const written = await makeHandoff(vault, folder, tenants)
        const seen: TenantLine[] = []
        const read = await readBundle(written.bundle, vault.anchor, (line) => seen.push(line))
        expect(read.manifestDigest).toBe(written.manifestDigest)
        expect(read.manifest.tenants).toBe(names.length)
        expect(seen.map((line) => line.tenant)).toEqual([...names].sort())
        for (const { slots: _, ...entry } of seen) expect(entry).toEqual(entryOf(all.get(entry.tenant) ?? small('x')))
      }),
      { numRuns: 12 },
    )
  })

  it('has a name from its manifest and time, mode 0600, and nothing beside it', async () => {
    const vault = await makeVault()
    const folder = temporaryFolder()
    const entries = async function* () {
      yield entryOf(small('acme'))
    }
    const { root, practice } = vault
    const written = await writeBundle(folder, {
      manifest: manifestAfter(vault, null),
      tenants: entries(),
      root,
      practice,
    })
    const content = readFileSync(written.path)
    const first = content.toString().split('\n')[0] ?? ''
    expect(filesIn(folder)).toEqual([`bundle-${toHex(sha256(first)).slice(0, 8)}-20260301T000000Z.keyrite`])
    expect(statSync(written.path).mode & 0o777).toBe(0o600)
    expect(written).toMatchObject({ tenants: 1, bytes: content.length, fileDigest: toBase64url(sha256(content)) })
  })

  it('holds for every slot the set of its schedule, and one without each key (lifecycle.md, "Slots")', async () => {
    const vault = await makeVault()
    const tenant = makeTenant('acme', { policy: policyWith({ signingAlgorithms: ['ES256', 'Ed25519'] }) })
    const { bundle } = await makeHandoff(vault, temporaryFolder(), [tenant])
    const lines: TenantLine[] = []
    await readBundle(bundle, vault.anchor, (line) => lines.push(line))
    const { slots = [] } = lines[0] ?? {}
    expect(slots.length).toBeGreaterThan(8)
    expect(slots[0]?.from).toBe(T0)
    for (const [index, slot] of slots.entries()) {
      if (index > 0) expect(slot.from).toBe(slots[index - 1]?.to)
      expect(slot.to - slot.from).toBeLessThanOrEqual(30 * DAY)
      const set = await openJwkSet(slot.set, vault.anchor.key)
      const kids = set.keys.map((key) => key.kid ?? '')
      const scheduled = tenant.keys.filter((key) => key.announceAt <= slot.from && slot.from < key.removeAt)
      expect(new Set(kids)).toEqual(new Set(scheduled.map((key) => key.kid)))
      expect(set).toMatchObject({ iss: tenant.issuer, sub: tenant.issuer, iat: T0, nbf: slot.from })
      expect(set.exp).toBeGreaterThanOrEqual(slot.to + DAY)
      expect(Object.keys(slot.without).sort()).toEqual([...kids].sort())
      for (const [gone, jws] of Object.entries(slot.without)) {
        const rest = (await openJwkSet(jws, vault.anchor.key)).keys.map((key) => key.kid)
        expect(rest).toEqual(kids.filter((kid) => kid !== gone))
      }
    }
  })

  it('tells a runtime that every key of a tenant is compromised: one slot with nobody in it', async () => {
    const vault = await makeVault()
    const tenant = small('acme')
    tenant.compromised = tenant.keys.map(({ kid }) => ({ kid, at: T0, reason: 'x' }))
    const { bundle } = await makeHandoff(vault, temporaryFolder(), [{ ...tenant, secrets: new Map() }])
    const lines: TenantLine[] = []
    await readBundle(bundle, vault.anchor, (line) => lines.push(line))
    const [slot, ...more] = lines[0]?.slots ?? []
    expect(more).toEqual([])
    expect((await openJwkSet(slot?.set ?? '', vault.anchor.key)).keys).toEqual([])
    expect(slot?.without).toEqual({})
  })

  it('is refused when it is torn, at every length', async () => {
    const vault = await makeVault()
    const folder = temporaryFolder()
    const { bundle } = await makeHandoff(vault, folder, [small('acme')])
    const content = readFileSync(bundle)
    const path = join(folder, 'torn.keyrite')
    for (let length = 0; length < content.length; length++) {
      writeFileSync(path, content.subarray(0, length))
      expect(await codeOf(() => readBundle(path, vault.anchor)), `at ${length}`).not.toBeNull()
    }
    for (const end of [1, 2]) {
      writeFileSync(path, content.subarray(0, content.length - end))
      expect(await codeOf(() => readBundle(path, vault.anchor))).toBe('format-invalid')
    }
  })

  it('is refused when any byte of it is another', async () => {
    const vault = await makeVault()
    const folder = temporaryFolder()
    const { bundle } = await makeHandoff(vault, folder, [small('acme')])
    const content = readFileSync(bundle)
    const path = join(folder, 'flipped.keyrite')
    await fc.assert(
      fc.asyncProperty(fc.nat(content.length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const flipped = Buffer.from(content)
        flipped[at] = (flipped[at] ?? 0) ^ mask
        writeFileSync(path, flipped)
        expect(await codeOf(() => readBundle(path, vault.anchor))).not.toBeNull()
      }),
      { numRuns: 300 },
    )
  })

  it('is refused when lines are missing, doubled, added or exchanged', async () => {
    const vault = await makeVault()
    const folder = temporaryFolder()
    const { bundle } = await makeHandoff(vault, folder, [small('acme'), small('beta')])
    const [manifest = '', acme = '', beta = ''] = readFileSync(bundle, 'utf8').split('\n')
    const orders = [
      [manifest],
      [manifest, acme],
      [manifest, acme, acme],
      [manifest, beta, acme],
      [manifest, acme, beta, beta],
      [acme, beta],
      [],
    ]
    for (const [index, lines] of orders.entries()) {
      const path = join(folder, `other-${index}`)
      writeFileSync(path, lines.map((line) => `${line}\n`).join(''))
      expect(await codeOf(() => readBundle(path, vault.anchor))).toMatch(/^(format-invalid|jose-refused)$/)
    }
  })
})

describe('a bundle that must not be written leaves no file behind', () => {
  const cases: [string, (tenant: TestTenant) => void, string][] = [
    [
      'a key that signs too early',
      (tenant) => {
        const [, key] = tenant.keys
        if (key) key.announceAt = key.signFrom - 60
      },
      'policy-rejected',
    ],
    [
      'two keys that sign at once',
      (tenant) => {
        const [, key] = tenant.keys
        if (key) key.signFrom -= 60
      },
      'policy-rejected',
    ],
    [
      'a key that is removed while its tokens live',
      (tenant) => {
        const [key] = tenant.keys
        if (key) key.removeAt = key.signUntil
      },
      'policy-rejected',
    ],
    [
      'a policy that is not allowed',
      (tenant) => {
        tenant.policy = { ...tenant.policy, slotLength: 1 }
      },
      'policy-rejected',
    ],
    [
      'a destroyed key among its keys',
      (tenant) => {
        tenant.tombstones = [{ kid: tenant.keys[0]?.kid ?? '', at: T0 }]
      },
      'tombstone-hit',
    ],
    [
      'an issuer that is not allowed',
      (tenant) => {
        tenant.issuer = 'http://acme.example.com'
      },
      'issuer-url-invalid',
    ],
    [
      'no key at all',
      (tenant) => {
        tenant.keys = []
      },
      'policy-rejected',
    ],
    [
      'more keys than a line may name',
      (tenant) => {
        tenant.keys = Array.from({ length: 65 }, () => tenant.keys[0]).flatMap((key) => key ?? [])
      },
      'policy-rejected',
    ],
  ]
  it.each(cases)('%s', async (_what, spoil, code) => {
    const vault = await makeVault()
    const folder = temporaryFolder()
    const bad = makeTenant('beta')
    spoil(bad)
    expect(await codeOf(() => makeHandoff(vault, folder, [small('acme'), bad]))).toBe(code)
    expect(filesIn(folder)).toEqual([])
  })

  it('a tenant twice, and a source that breaks off', async () => {
    const vault = await makeVault()
    const folder = temporaryFolder()
    expect(await codeOf(() => makeHandoff(vault, folder, [small('acme'), small('acme')]))).toBe('policy-rejected')
    const broken = async function* () {
      yield entryOf(small('acme'))
      throw new Error('the vault was closed')
    }
    const { root, practice } = vault
    const write = writeBundle(folder, { manifest: manifestAfter(vault, null), tenants: broken(), root, practice })
    await expect(write).rejects.toThrow('the vault was closed')
    expect(filesIn(folder)).toEqual([])
  })

  it('a folder that is not there', async () => {
    const vault = await makeVault()
    expect(await codeOf(() => makeHandoff(vault, '/nonexistent/folder', [small('acme')]))).toBe('file-missing')
  })
})
