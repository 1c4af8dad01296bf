import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readBundle, signSlots, writeBundle } from '../../electron/handoff/bundle.ts'
import { selfSigned } from '../../electron/keys/certificate.ts'
import type { PastKey } from '../../shared/domain/past-keys.ts'
import { DAY, type Policy } from '../../shared/domain/policy.ts'
import { cutSlots } from '../../shared/domain/slots.ts'
import { openJwkSet, publishedJwk, type TenantLine } from '../../shared/formats/bundle.ts'
import { checkTenantLine, type TenantEntry } from '../../shared/formats/bundle-check.ts'
import { sha256, toBase64url, toHex } from '../../shared/formats/bytes.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import { openHistoricalSet, signHistoricalSet } from '../../shared/formats/historical.ts'
import { derOf } from '../../shared/formats/x509.ts'
import {
  codeOf,
  entryOf,
  filesIn,
  makeHandoff,
  makeKey,
  makeTenant,
  makeVault,
  manifestAfter,
  policyWith,
  T0,
  type TestTenant,
  type TestVault,
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

/** A tenant whose RSA keys have certificates, as the vault makes them. */
function certified(tenant: string, changes: Partial<Policy> = {}): TestTenant {
  const policy = policyWith({ signingAlgorithms: ['RS256'], horizon: 1, x509: true, ...changes })
  const made = makeTenant(tenant, { policy })
  for (const key of made.keys) {
    const pkcs8 = made.secrets.get(key.kid)
    const wanted = { issuer: made.issuer, from: key.announceAt, to: key.removeAt }
    if (key.jwk.kty === 'RSA' && pkcs8) key.x5c = [selfSigned(key.spec, pkcs8, wanted)]
  }
  return made
}

const lineOf = async (vault: TestVault, tenant: TestTenant): Promise<TenantLine> => {
  const { bundle } = await makeHandoff(vault, temporaryFolder(), [tenant])
  const lines: TenantLine[] = []
  await readBundle(bundle, vault.anchor, (line) => lines.push(line))
  const [line] = lines
  if (!line) throw new Error('the bundle has no tenant')
  return line
}

/** Signs a tenant's slots without looking at any rule. */
async function signAnyway({ root }: TestVault, entry: TenantEntry): Promise<TenantLine> {
  const gone = new Set(entry.compromised.map(({ kid }) => kid))
  return { ...entry, slots: await signSlots(entry, cutSlots(entry.policy, entry.keys, gone, T0), T0, root) }
}

describe('what a policy says of published keys stands in every set that the root signs', () => {
  it('Ed25519 keys have the name that the policy chose, in the whole set and in each without a key', async () => {
    const vault = await makeVault()
    for (const ed25519Name of ['Ed25519', 'EdDSA'] as const) {
      const tenant = makeTenant('acme', {
        policy: policyWith({ signingAlgorithms: ['Ed25519', 'ES256'], ed25519Name }),
      })
      const { slots } = await lineOf(vault, tenant)
      for (const { set, without } of slots)
        for (const jws of [set, ...Object.values(without)])
          for (const key of (await openJwkSet(jws, vault.key)).keys)
            expect(key.alg).toBe(key.kty === 'OKP' ? ed25519Name : 'ES256')
    }
  })

  it('certificates stand beside their keys, in order and byte for byte, with their digest', async () => {
    const vault = await makeVault()
    const tenant = certified('acme', { signingAlgorithms: ['RS256', 'ES256'] })
    const line = await lineOf(vault, tenant)
    expect(line.keys).toEqual(tenant.keys)
    for (const { set } of line.slots)
      for (const key of (await openJwkSet(set, vault.key)).keys) {
        const named = tenant.keys.find(({ kid }) => kid === key.kid)
        expect(key).toEqual(named && publishedJwk(named, tenant.policy))
        expect(key.x5c).toEqual(named?.x5c)
        expect(key['x5t#S256']).toBe(named?.x5c && toBase64url(sha256(derOf(named.x5c))))
      }
    expect(tenant.keys.filter(({ x5c }) => x5c).map(({ spec }) => spec)).toEqual(['RS256', 'RS256'])
  })

  it('a key without a certificate is fine where the policy asks for them: it was imported, or is older', async () => {
    const vault = await makeVault()
    const tenant = certified('acme')
    delete tenant.keys[0]?.x5c
    expect((await lineOf(vault, tenant)).keys[0]?.x5c).toBeUndefined()
  })

  const SPOILT: [string, (tenant: TestTenant) => void][] = [
    ['certificates that the policy does not ask for', (tenant) => Object.assign(tenant.policy, { x509: false })],
    [
      'the certificate of another key',
      ({ keys: [first, second] }) => first && second && Object.assign(first, { x5c: second.x5c }),
    ],
    [
      'a certificate that ends before its key is removed',
      ({ keys, secrets, issuer }) => {
        for (const key of keys) {
          const wanted = { issuer, from: key.announceAt, to: key.removeAt - 1 }
          key.x5c = [selfSigned(key.spec, secrets.get(key.kid) ?? new Uint8Array(), wanted)]
        }
      },
    ],
    [
      'the certificate of another issuer',
      ({ keys, secrets }) => {
        for (const key of keys) {
          const wanted = { issuer: 'https://globex.example.com', from: key.announceAt, to: key.removeAt }
          key.x5c = [selfSigned(key.spec, secrets.get(key.kid) ?? new Uint8Array(), wanted)]
        }
      },
    ],
  ]
  it.each(SPOILT)('%s: neither written nor, where the root signed it all the same, imported', async (_, spoil) => {
    const vault = await makeVault()
    const tenant = certified('acme')
    tenant.policy = { ...tenant.policy }
    spoil(tenant)
    const folder = temporaryFolder()
    expect(await codeOf(() => makeHandoff(vault, folder, [tenant]))).toBe('policy-rejected')
    expect(filesIn(folder)).toEqual([])
    const line = await signAnyway(vault, entryOf(tenant))
    expect(await codeOf(() => checkTenantLine(line, T0, vault.anchor))).toBe('bundle-refused')
  })

  it('a signed set whose keys lack a certificate, or have another name, is not that of its slot', async () => {
    const vault = await makeVault()
    const tenant = certified('acme', { signingAlgorithms: ['RS256', 'Ed25519'] })
    const bare = { ...tenant, keys: tenant.keys.map(({ x5c: _, ...key }) => key) }
    const renamed = { ...tenant, policy: { ...tenant.policy, ed25519Name: 'EdDSA' as const } }
    for (const other of [bare, renamed]) {
      const { slots } = await signAnyway(vault, entryOf(other))
      const line = { ...entryOf(tenant), slots }
      expect(await codeOf(() => checkTenantLine(line, T0, vault.anchor))).toBe('bundle-refused')
    }
  })
})

describe('past keys in a bundle', () => {
  const pastKey = (): PastKey => {
    const { jwk } = makeKey('ES256')
    return { kid: thumbprint(jwk), spec: 'ES256', jwk, from: T0 - 90 * DAY, until: T0 - DAY, compromised: null }
  }

  it('are signed with it; without any there is no set', async () => {
    const vault = await makeVault()
    const { root, practice } = vault
    const folder = temporaryFolder()
    const past = [pastKey()]
    const tenants = [{ ...entryOf(small('acme')), past }, entryOf(small('beta'))]
    const { path } = await writeBundle(folder, { manifest: manifestAfter(vault, null), tenants, root, practice })
    const lines: TenantLine[] = []
    await readBundle(path, vault.anchor, (line) => lines.push(line))
    const [acme, beta] = lines
    const said = await openHistoricalSet(acme?.historical ?? '', vault.key)
    expect(said).toMatchObject({ iss: acme?.issuer, iat: T0, keys: [{ kid: past[0]?.kid }] })
    expect(beta && 'historical' in beta).toBe(false)
  })

  const stolen = (tenant: TestTenant, compromised: number): PastKey[] => {
    const [key] = tenant.keys
    return key ? [{ ...key, from: T0 - 9, until: T0, compromised }] : []
  }
  /** What the root signed for a tenant, one of whose keys is named compromised since T0. */
  async function checked(
    past: (tenant: TestTenant) => PastKey[],
    { issuer = 'https://acme.example.com', iat = T0, compromised = true } = {},
  ): Promise<string | null> {
    const vault = await makeVault()
    const tenant = small('acme')
    if (compromised) tenant.compromised = tenant.keys.slice(0, 1).map(({ kid }) => ({ kid, at: T0, reason: 'x' }))
    const { slots } = await signAnyway(vault, entryOf(tenant))
    const historical = await signHistoricalSet({ issuer, policy: tenant.policy, past: past(tenant) }, iat, vault.root)
    const line = { ...entryOf(tenant), slots, ...(historical !== null && { historical }) }
    return codeOf(() => checkTenantLine(line, T0, vault.anchor))
  }

  it('may name a compromised key that the bundle still names, revoked since the same time', async () => {
    expect(await checked((tenant) => [pastKey(), ...stolen(tenant, T0)])).toBeNull()
    expect(await checked((tenant) => stolen(tenant, T0 - 1))).toBe('bundle-refused')
    const unrevoked = (tenant: TestTenant) => stolen(tenant, T0).map((key) => ({ ...key, compromised: null }))
    expect(await checked(unrevoked)).toBe('bundle-refused')
  })

  it('never name a key that is published, are of this issuer and of this bundle, and signed by this root', async () => {
    expect(await checked((tenant) => stolen(tenant, T0), { compromised: false })).toBe('bundle-refused')
    expect(await checked(() => [pastKey()], { issuer: 'https://globex.example.com' })).toBe('bundle-refused')
    expect(await checked(() => [pastKey()], { iat: T0 - 1 })).toBe('bundle-refused')
    const [vault, other] = [await makeVault(), await makeVault()]
    const tenant = small('acme')
    const { slots } = await signAnyway(vault, entryOf(tenant))
    const past = { issuer: tenant.issuer, policy: tenant.policy, past: [pastKey()] }
    const historical = (await signHistoricalSet(past, T0, other.root)) ?? ''
    const line = { ...entryOf(tenant), slots, historical }
    expect(await codeOf(() => checkTenantLine(line, T0, vault.anchor))).toBe('signature-invalid')
  })

  it('a set of a slot in their place is refused', async () => {
    const vault = await makeVault()
    const line = await signAnyway(vault, entryOf(small('acme')))
    const historical = line.slots[0]?.set ?? ''
    expect(await codeOf(() => checkTenantLine({ ...line, historical }, T0, vault.anchor))).toBe('format-invalid')
  })
})
