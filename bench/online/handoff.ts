import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { writeBundle } from '../../electron/handoff/bundle.ts'
import { writeMaterial } from '../../electron/handoff/material.ts'
import { readEnrollment, writeTrustAnchor } from '../../electron/handoff/statements.ts'
import { initRuntime } from '../../electron/issuer/init.ts'
import { p256Public, statementSigner } from '../../electron/vault/people.ts'
import { KEY_SPECS, type KeySpec } from '../../shared/domain/algorithms.ts'
import { DAY, DEFAULT_POLICY, HOUR } from '../../shared/domain/policy.ts'
import { extendSchedule, keyLabel } from '../../shared/domain/schedule.ts'
import type { BundleKey } from '../../shared/formats/bundle.ts'
import type { TenantEntry } from '../../shared/formats/bundle-check.ts'
import { signCheckpoint } from '../../shared/formats/checkpoint.ts'
import { publicJwkSchema } from '../../shared/formats/common.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import type { P256Jwk } from '../../shared/formats/jws.ts'
import { signTrustAnchor } from '../../shared/formats/trust-anchor.ts'

/** A production runtime that has not imported yet, and the files for it, signed by a throw-away root. */
export type Handoff = {
  dir: string
  bundle: string
  material: string
  root: P256Jwk
  tenants: string[]
  keys: number
}

/** Makes so many tenants, each with keys of its own for its first schedule, and writes everything into `folder`. */
export async function makeHandoff(folder: string, tenants: number, spec: KeySpec, host: string): Promise<Handoff> {
  const at = Math.floor(Date.now() / 1000) - HOUR
  const root = makeRoot()
  const vaultId = randomUUID()
  const anchor = {
    vaultId,
    name: 'Benchmark',
    practice: false,
    root: root.jwk,
    successor: makeRoot().kid,
    iat: at - DAY,
  }
  const dir = join(folder, 'issuer')
  const runtime = { runtimeId: 'runtime-1', environment: 'production' }
  const made = await initRuntime({
    ...runtime,
    dir,
    trustAnchorFile: writeTrustAnchor(folder, await signTrustAnchor(anchor, root), at),
    listen: { host: '127.0.0.1', port: 0 },
    enrollmentFolder: folder,
    practice: false,
  })
  const { transportKey } = await readEnrollment(made.enrollmentFile)
  const checkpoint = await signCheckpoint(
    { vaultId, seq: 1, head: root.kid, roster: root.kid, sealed: root.kid, iat: at - DAY },
    false,
    root,
  )
  const head = { vaultId, ...runtime, number: 1, iat: at, exp: at + 30 * DAY }
  const secrets = new Map<string, { tenant: string; pkcs8: Uint8Array }>()
  const names = Array.from({ length: tenants }, (_, index) => `tenant-${String(index).padStart(5, '0')}`)
  const bundle = await writeBundle(folder, {
    manifest: { ...head, previous: null, checkpoint, receiptsSeen: 0 },
    tenants: entries(
      names.map((tenant) => ({ tenant, issuer: `https://${host}/t/${tenant}` })),
      spec,
      at,
      secrets,
    ),
    root,
    practice: false,
  })
  const material = await writeMaterial(folder, {
    manifest: { ...head, bundle: bundle.manifestDigest },
    transportKey,
    keys: [...secrets].map(([kid, one]) => ({ kid, ...one })),
    root,
    practice: false,
  })
  return { dir, bundle: bundle.path, material: material.path, root: root.jwk, tenants: names, keys: secrets.size }
}

function makeRoot() {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = p256Public(pair.publicKey)
  return { ...statementSigner(thumbprint(jwk), pair.privateKey), jwk }
}

function* entries(
  named: readonly { tenant: string; issuer: string }[],
  spec: KeySpec,
  at: number,
  secrets: Map<string, { tenant: string; pkcs8: Uint8Array }>,
): Generator<TenantEntry> {
  const policy = { ...DEFAULT_POLICY, signingAlgorithms: [spec] }
  for (const { tenant, issuer } of named) {
    const keys = extendSchedule(policy, [], at).map((times): BundleKey => {
      const { jwk, pkcs8 } = makeKey(spec)
      const kid = thumbprint(jwk)
      secrets.set(kid, { tenant, pkcs8 })
      return { ...times, kid, spec, label: keyLabel(tenant, spec, times), jwk }
    })
    yield {
      tenant,
      issuer,
      name: `The company ${tenant}`,
      policy,
      relyingParties: [],
      keys,
      compromised: [],
      tombstones: [],
    }
  }
}

function makeKey(spec: KeySpec) {
  const row = KEY_SPECS[spec]
  const pair =
    row.kty === 'RSA'
      ? generateKeyPairSync('rsa', { modulusLength: row.bits })
      : generateKeyPairSync('ec', { namedCurve: row.kty === 'EC' ? row.crv : 'P-256' })
  const jwk = publicJwkSchema.parse(pair.publicKey.export({ format: 'jwk' }))
  return { jwk, pkcs8: new Uint8Array(pair.privateKey.export({ format: 'der', type: 'pkcs8' })) }
}
