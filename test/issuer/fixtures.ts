import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { writeLines } from '../../electron/files/lines.ts'
import { rootOf, writeBundle } from '../../electron/handoff/bundle.ts'
import { writeMaterial } from '../../electron/handoff/material.ts'
import { readReceipts } from '../../electron/handoff/receipts.ts'
import { writeTrustAnchor } from '../../electron/handoff/statements.ts'
import { initRuntime } from '../../electron/issuer/init.ts'
import { openRuntime, type Runtime } from '../../electron/issuer/runtime.ts'
import type { Clock } from '../../electron/issuer/service.ts'
import { KEY_SPECS, type KeySpec, type PublicJwk } from '../../shared/domain/algorithms.ts'
import type { KeyTimes } from '../../shared/domain/key.ts'
import { DAY, DEFAULT_POLICY, type Policy } from '../../shared/domain/policy.ts'
import { extendSchedule, keyLabel } from '../../shared/domain/schedule.ts'
import { cutSlots } from '../../shared/domain/slots.ts'
import { asKeyriteError } from '../../shared/errors.ts'
import {
  type BundleKey,
  type Manifest,
  signJwkSet,
  signManifest,
  type TenantLine,
} from '../../shared/formats/bundle.ts'
import { keySet, slotClaims, type TenantEntry } from '../../shared/formats/bundle-check.ts'
import { digest, toBase64url, utf8 } from '../../shared/formats/bytes.ts'
import { signCheckpoint } from '../../shared/formats/checkpoint.ts'
import { publicJwkSchema } from '../../shared/formats/common.ts'
import { openEnrollment } from '../../shared/formats/enrollment.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import { type P256Jwk, p256JwkSchema, type StatementKey, type StatementSigner } from '../../shared/formats/jws.ts'
import { type MaterialManifest, signMaterialManifest } from '../../shared/formats/material.ts'
import { parseStatementFile } from '../../shared/formats/statement-file.ts'
import { type Anchor, openTrustAnchor, signTrustAnchor } from '../../shared/formats/trust-anchor.ts'

import { freshStore } from './database.ts'

/** A throw-away vault root, tenants with real keys, and a real runtime in a temporary folder. */

/** 2026-03-01T00:00:00Z */
export const T0 = 1_772_323_200

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'keyrite-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export class TestClock implements Clock {
  #wall: number
  #monotonic = 1000
  constructor(at = T0) {
    this.#wall = at
  }
  now = () => this.#wall
  monotonic = () => this.#monotonic
  /** Time passes. */
  advance(seconds: number): void {
    this.#wall += seconds
    this.#monotonic += seconds
  }
  to(at: number): void {
    this.advance(at - this.#wall)
  }
  /** Somebody sets the clock. */
  jump(seconds: number): void {
    this.#wall += seconds
  }
}

export type TestKey = BundleKey & { pkcs8: Uint8Array }

export function makeKey(spec: KeySpec): { jwk: PublicJwk; pkcs8: Uint8Array } {
  const row = KEY_SPECS[spec]
  const pair =
    row.kty === 'RSA'
      ? generateKeyPairSync('rsa', { modulusLength: row.bits })
      : row.kty === 'EC'
        ? generateKeyPairSync('ec', { namedCurve: row.crv })
        : generateKeyPairSync('ed25519')
  const jwk = publicJwkSchema.parse(pair.publicKey.export({ format: 'jwk' }))
  return { jwk, pkcs8: new Uint8Array(pair.privateKey.export({ format: 'der', type: 'pkcs8' })) }
}

export type TestTenant = TenantEntry & { secrets: Map<string, Uint8Array> }

export const policyWith = (changes: Partial<Policy> = {}): Policy => ({
  ...DEFAULT_POLICY,
  signingAlgorithms: ['ES256'],
  ...changes,
})

/** Adds as many keys as the schedule needs from `from` on. */
export function extendTenant(tenant: TestTenant, from: number): void {
  for (const spec of tenant.policy.signingAlgorithms) {
    const usable = tenant.keys.filter(
      (key) => key.spec === spec && !tenant.compromised.some((gone) => gone.kid === key.kid),
    )
    for (const times of extendSchedule(tenant.policy, usable, from)) addKey(tenant, spec, times)
  }
}

export function addKey(tenant: TestTenant, spec: KeySpec, times: KeyTimes): string {
  const { jwk, pkcs8 } = makeKey(spec)
  const kid = thumbprint(jwk)
  tenant.keys.push({ ...times, kid, spec, label: keyLabel(tenant.tenant, spec, times), jwk })
  tenant.secrets.set(kid, pkcs8)
  return kid
}

export function makeTenant(
  tenant: string,
  { from = T0, policy = policyWith(), ...changes }: TenantOptions = {},
): TestTenant {
  const made: TestTenant = {
    tenant,
    issuer: `https://${tenant}.example.com`,
    name: `Tenant ${tenant}`,
    policy,
    relyingParties: [],
    keys: [],
    compromised: [],
    tombstones: [],
    secrets: new Map(),
    ...changes,
  }
  extendTenant(made, from)
  return made
}
type TenantOptions = Partial<TestTenant> & { from?: number }

export const entryOf = ({ secrets: _, ...entry }: TestTenant): TenantEntry => entry

export type TestVault = {
  root: StatementSigner
  key: StatementKey
  anchor: Anchor
  practice: boolean
  vaultId: string
  checkpoint: string
}

export async function makeRoot(): Promise<{ root: StatementSigner; jwk: P256Jwk }> {
  const pair = (await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ])) as CryptoKeyPair
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey)
  const jwk = p256JwkSchema.parse({ kty, crv, x, y })
  return { root: { kid: thumbprint(jwk), alg: 'ES256', key: pair.privateKey }, jwk }
}

export async function makeVault({
  practice = false,
  vaultId = crypto.randomUUID() as string,
} = {}): Promise<TestVault> {
  const { root, jwk } = await makeRoot()
  const successor = (await makeRoot()).root.kid
  const jws = await signTrustAnchor(
    { vaultId, name: 'Test vault', practice, root: jwk, successor, iat: T0 - DAY },
    root,
  )
  const digest = thumbprint(jwk)
  const checkpoint = await signCheckpoint(
    { vaultId, seq: 7, head: digest, roster: digest, sealed: digest, iat: T0 - DAY },
    practice,
    root,
  )
  return { root, key: { kid: root.kid, jwk }, anchor: await openTrustAnchor(jws), practice, vaultId, checkpoint }
}

export const RUNTIME_ID = 'eu-one'
export const ENVIRONMENT = 'production'

/** The manifest of the handoff after `previous`, without what the writer adds. */
export function manifestAfter(
  vault: TestVault,
  previous: { number: number; manifestDigest: string; receiptsSeen?: number } | null,
  changes: Partial<Manifest> = {},
): Omit<Manifest, 'tenants' | 'merkleRoot'> {
  return {
    vaultId: vault.vaultId,
    runtimeId: RUNTIME_ID,
    environment: ENVIRONMENT,
    number: (previous?.number ?? 0) + 1,
    previous: previous?.manifestDigest ?? null,
    checkpoint: vault.checkpoint,
    receiptsSeen: previous?.receiptsSeen ?? 0,
    iat: T0,
    exp: T0 + 30 * DAY,
    ...changes,
  }
}

export type Handoff = {
  number: number
  manifestDigest: string
  bundle: string
  material: string | null
  receiptsSeen?: number
}

type HandoffOptions = {
  previous?: Handoff | null
  manifest?: Partial<Manifest>
  material?: Partial<MaterialManifest> | null
  transportKey?: P256Jwk
  /** Which private keys to hand over; all by default. */
  kids?: (kid: string) => boolean
}

/** Writes a bundle and, with a transport key, its material into `folder`. */
export async function makeHandoff(
  vault: TestVault,
  folder: string,
  tenants: TestTenant[],
  { previous = null, manifest = {}, material = {}, transportKey, kids = () => true }: HandoffOptions = {},
): Promise<Handoff> {
  const { root, practice } = vault
  const full = manifestAfter(vault, previous, manifest)
  const bundle = await writeBundle(folder, { manifest: full, tenants: tenants.map(entryOf), root, practice })
  const made = { number: full.number, manifestDigest: bundle.manifestDigest, bundle: bundle.path, material: null }
  if (!transportKey || material === null) return made
  const { vaultId, runtimeId, environment, number, iat, exp } = full
  const keys = tenants.flatMap((tenant) =>
    [...tenant.secrets].flatMap(([kid, pkcs8]) =>
      kids(kid) ? [{ tenant: tenant.tenant, kid, pkcs8: pkcs8.slice() }] : [],
    ),
  )
  const written = await writeMaterial(folder, {
    manifest: { vaultId, runtimeId, environment, number, bundle: bundle.manifestDigest, iat, exp, ...material },
    transportKey,
    keys,
    root,
    practice,
  })
  return { ...made, material: written.path }
}

export type TestRuntime = {
  runtime: Runtime
  clock: TestClock
  dir: string
  folder: string
  transportKey: P256Jwk
  enrollment: Awaited<ReturnType<typeof openEnrollment>>
}

/** A fresh runtime of this vault, closed and removed when the test ends. */
export async function makeRuntime(
  vault: TestVault,
  changes: { environment?: string; runtimeId?: string } = {},
): Promise<TestRuntime> {
  const folder = temporaryFolder()
  const clock = new TestClock()
  const dir = join(folder, 'issuer')
  const made = await initRuntime({
    dir,
    trustAnchorFile: writeTrustAnchor(folder, vault.anchor.jws, T0),
    runtimeId: RUNTIME_ID,
    environment: ENVIRONMENT,
    listen: { host: '127.0.0.1', port: 0 },
    enrollmentFolder: folder,
    practice: vault.practice,
    clock,
    ...(await freshStore(folder)),
    ...changes,
  })
  const enrollment = await openEnrollment(parseStatementFile(readFileSync(made.enrollmentFile)))
  const runtime = await openRuntime({ dir, clock })
  onTestFinished(async () => await runtime.close())
  return { runtime, clock, dir, folder, transportKey: enrollment.transportKey, enrollment }
}

/** A runtime that has imported one handoff with these tenants and all their keys. */
export async function makeServing(vault: TestVault, tenants: TestTenant[]): Promise<TestRuntime & { first: Handoff }> {
  const made = await makeRuntime(vault)
  const first = await makeHandoff(vault, made.folder, tenants, { transportKey: made.transportKey })
  await made.runtime.importFiles(pathsOf(first))
  return { ...made, first }
}

export const pathsOf = ({ bundle, material }: Handoff): string[] => (material ? [bundle, material] : [bundle])

/** The code of a failure, or null when there was none. */
export async function codeOf(work: () => unknown): Promise<string | null> {
  try {
    await work()
    return null
  } catch (error) {
    const ours = asKeyriteError(error)
    if (ours.code === 'internal') throw error
    return ours.code
  }
}

/** The names of files that have their final name. */
export const filesIn = (folder: string): string[] => readdirSync(folder).sort()

/** Everything a runtime is but time and alarms, as text: the same before and after means that nothing changed. */
export async function stateOf(runtime: Runtime): Promise<string> {
  const { clock: _, receiptsNotExported: __, ...status } = await runtime.status()
  return JSON.stringify(status)
}

// Files that the writers would never write: signed by a real root, wrong inside.

/** Signs a tenant's slots without looking at any rule. `change` may spoil each signed set. */
export async function signSlots(
  vault: TestVault,
  entry: TenantEntry,
  iat = T0,
  change: (jws: string) => string = (jws) => jws,
): Promise<TenantLine> {
  const gone = new Set(entry.compromised.map((key) => key.kid))
  const slots = cutSlots(entry.policy, entry.keys, gone, iat).map(async (slot) => {
    const sign = async (kids: string[]) =>
      change(
        await signJwkSet(
          { ...slotClaims(entry.issuer, iat, slot), keys: keySet(entry.keys, kids, entry.policy) },
          vault.root,
        ),
      )
    const without = slot.kids.map(async (kid) => [kid, await sign(slot.kids.filter((one) => one !== kid))] as const)
    return {
      from: slot.from,
      to: slot.to,
      set: await sign(slot.kids),
      without: Object.fromEntries(await Promise.all(without)),
    }
  })
  return { ...entry, slots: await Promise.all(slots) }
}

/** Writes a bundle of exactly these lines, with a manifest that the root signed for them. */
export async function rawBundle(
  vault: TestVault,
  folder: string,
  lines: (Uint8Array | string)[],
  { previous = null, manifest = {} }: { previous?: Handoff | null; manifest?: Partial<Manifest> } = {},
): Promise<Handoff> {
  const bytes = lines.map((line) => (typeof line === 'string' ? utf8(line) : line))
  const full = {
    ...manifestAfter(vault, previous, manifest),
    tenants: lines.length,
    merkleRoot: rootOf(bytes),
    ...manifest,
  }
  const jws = await signManifest(full, vault.practice, vault.root)
  const path = join(folder, `raw-${randomUUID()}.keyrite`)
  writeLines(path, [jws, ...bytes])
  return { number: full.number, manifestDigest: digest(jws), bundle: path, material: null }
}

/** A compact JWS with any header, truly signed by this P-256 key. */
export async function signRaw(header: object, payload: unknown, key: CryptoKey): Promise<string> {
  const input = `${toBase64url(utf8(JSON.stringify(header)))}.${toBase64url(utf8(JSON.stringify(payload)))}`
  const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key, utf8(input))
  return `${input}.${toBase64url(new Uint8Array(signature))}`
}

/** Writes material of exactly these sealed keys, with a manifest that the root signed for them. */
export async function rawMaterial(
  vault: TestVault,
  folder: string,
  of: Handoff,
  transportKey: P256Jwk,
  jwes: string[],
): Promise<string> {
  const { vaultId, runtimeId, environment, iat, exp } = manifestAfter(vault, null)
  const about = { vaultId, runtimeId, environment, number: of.number, bundle: of.manifestDigest, iat, exp }
  const lines = jwes.map(utf8)
  const manifest = { ...about, transportKey: thumbprint(transportKey), keys: lines.length, merkleRoot: rootOf(lines) }
  const path = join(folder, `raw-${randomUUID()}.keyrite`)
  writeLines(path, [await signMaterialManifest(manifest, vault.practice, vault.root), ...lines])
  return path
}

/** Every alarm that the runtime stated so far. */
export async function alarmsOf({ runtime, enrollment }: TestRuntime): Promise<string[]> {
  const { path } = await runtime.exportReceipts(temporaryFolder())
  const { receiptSigner: signer } = enrollment
  const read = await readReceipts(path, { signer, runtimeId: RUNTIME_ID, after: null, practice: false })
  return read.receipts.flatMap(({ stated }) => (stated.type === 'import-refused' ? [stated.code] : []))
}
