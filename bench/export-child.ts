import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeBundle } from '../electron/handoff/bundle.ts'
import { writeMaterial } from '../electron/handoff/material.ts'
import { p256Public, statementSigner } from '../electron/vault/people.ts'
import { DEFAULT_POLICY } from '../shared/domain/policy.ts'
import { extendSchedule } from '../shared/domain/schedule.ts'
import { planSlots, type TenantEntry } from '../shared/formats/bundle-check.ts'
import { digest } from '../shared/formats/bytes.ts'
import { thumbprint } from '../shared/formats/fingerprint.ts'

/** Exports so many tenants in a process of its own and prints as JSON what it took. */
export type Exported = {
  bundleMs: number
  materialMs: number
  bundleBytes: number
  materialBytes: number
  signatures: number
  keys: number
  /** The most resident memory, in bytes, and by how much live memory (after a collection) grew beyond the tenants. */
  peak: number
  grown: number
}

const AT = 1_790_000_000
const POLICY = { ...DEFAULT_POLICY, signingAlgorithms: ['ES256' as const] }

/** Each tenant with the ES256 keys of its first schedule; their private halves are made again where they are sealed. */
function entryOf(at: number): TenantEntry {
  const tenant = `tenant-${String(at).padStart(5, '0')}`
  const keys = extendSchedule(POLICY, [], AT).map((times) => {
    const jwk = p256Public(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)
    return { kid: thumbprint(jwk), spec: 'ES256' as const, label: `${tenant} 2026`, jwk, ...times }
  })
  return {
    tenant,
    issuer: `http://127.0.0.1:47770/t/${tenant}`,
    name: `The company ${tenant}`,
    policy: POLICY,
    relyingParties: [],
    keys,
    compromised: [],
    tombstones: [],
  }
}

async function measure(count: number): Promise<Exported> {
  const root = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const signer = statementSigner(thumbprint(p256Public(root.publicKey)), root.privateKey)
  const transportKey = p256Public(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)
  const pkcs8 = root.privateKey.export({ format: 'der', type: 'pkcs8' })
  const tenants = Array.from({ length: count }, (_, at) => entryOf(at))
  const head = {
    vaultId: randomUUID(),
    runtimeId: 'runtime-1',
    environment: 'test',
    number: 1,
    iat: AT,
    exp: AT + 86_400,
  }
  const folder = mkdtempSync(join(tmpdir(), 'keyrite-bench-'))
  const before = live()
  let [peak, most] = [0, before]
  const onProgress = (done: number) => {
    peak = Math.max(peak, process.memoryUsage.rss())
    if (done % 1000 === 0) most = Math.max(most, live())
  }
  try {
    const start = performance.now()
    const manifest = { ...head, previous: null, checkpoint: 'a.b.c', receiptsSeen: 0 }
    const bundle = await writeBundle(folder, { manifest, tenants, root: signer, practice: true, onProgress })
    const between = performance.now()
    const material = await writeMaterial(folder, {
      manifest: { ...head, bundle: digest('bundle') },
      transportKey,
      keys: keysOf(tenants, pkcs8),
      root: signer,
      practice: true,
      onProgress,
    })
    return {
      bundleMs: between - start,
      materialMs: performance.now() - between,
      bundleBytes: bundle.bytes,
      materialBytes: material.bytes,
      signatures: tenants.reduce((sum, entry) => sum + setsOf(entry), 0),
      keys: material.keys,
      peak,
      grown: most - before,
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function live(): number {
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** The signed key sets of one tenant: each slot's, and one without each of its keys. */
const setsOf = (entry: TenantEntry): number =>
  planSlots(entry, AT, true, 'policy-rejected').reduce((sum, slot) => sum + 1 + slot.kids.length, 0)

/** The private bytes do not matter to what sealing costs; each is a copy of its own, because it is wiped. */
function* keysOf(tenants: readonly TenantEntry[], pkcs8: Uint8Array) {
  for (const { tenant, keys } of tenants)
    for (const { kid } of keys) yield { tenant, kid, pkcs8: new Uint8Array(pkcs8) }
}

process.stdout.write(JSON.stringify(await measure(Number(process.argv[2]))))
