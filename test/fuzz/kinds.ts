import { KeyObject } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readLinesGuarded } from '../../electron/files/read.ts'
import { writeRevocation } from '../../electron/handoff/revocation.ts'
import { BUNDLE_CAPS, openBundle } from '../../shared/formats/bundle-file.ts'
import { digest } from '../../shared/formats/bytes.ts'
import { openEnrollment, signEnrollment } from '../../shared/formats/enrollment.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import { ed25519JwkSchema } from '../../shared/formats/jws.ts'
import { openMaterial } from '../../shared/formats/material-file.ts'
import { openRevocation } from '../../shared/formats/revocation-file.ts'
import { parseStatementFile, statementFile } from '../../shared/formats/statement-file.ts'
import { openSuccession, parseSuccessionFile, signSuccession, successionFile } from '../../shared/formats/succession.ts'
import { openTrustAnchor, signTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import {
  ENVIRONMENT,
  entryOf,
  makeHandoff,
  makeRoot,
  makeServing,
  makeTenant,
  makeVault,
  RUNTIME_ID,
  T0,
  type TestVault,
  temporaryFolder,
} from '../issuer/fixtures.ts'

/** One good file of each kind that crosses the air gap, what reads it, and the key that signed its first line. */

export type Kind = { file: Buffer; open: (bytes: Buffer) => Promise<unknown>; own: KeyObject }

async function drain(items: AsyncGenerator<unknown>): Promise<void> {
  for await (const _ of items);
}

/** Reads bytes as a file of lines, as imports do. */
function asFile(open: (lines: Iterable<Uint8Array>) => Promise<unknown>): (bytes: Buffer) => Promise<unknown> {
  const path = join(temporaryFolder(), 'file.keyrite')
  return (bytes) => {
    writeFileSync(path, bytes)
    return open(readLinesGuarded(path, BUNDLE_CAPS))
  }
}

export async function makeKinds() {
  const next = await makeRoot()
  const vault = await vaultBefore(next)
  const tenants = [makeTenant('acme'), makeTenant('beta')]
  const made = await makeServing(vault, tenants)
  const { anchor, root, vaultId } = vault
  const handoff = await makeHandoff(vault, temporaryFolder(), tenants, {
    previous: made.first,
    transportKey: made.transportKey,
  })
  const revocation = await revocationOf(vault, tenants[0] ?? makeTenant('acme'))
  const key = KeyObject.from(root.key)
  const succession = await successionOf(vault, next)
  const kinds: Record<string, Kind> = {
    bundle: {
      file: readFileSync(handoff.bundle),
      open: asFile(async (lines) => drain((await openBundle(lines, anchor)).tenants)),
      own: key,
    },
    'key material': {
      file: readFileSync(handoff.material ?? ''),
      open: asFile(async (lines) => drain((await openMaterial(lines, anchor)).keys)),
      own: key,
    },
    revocation: {
      file: readFileSync(revocation),
      open: asFile(async (lines) => drain((await openRevocation(lines, anchor)).tenants)),
      own: key,
    },
    'trust anchor': {
      file: Buffer.from(statementFile(anchor.jws)),
      open: async (bytes) => openTrustAnchor(parseStatementFile(bytes)),
      own: key,
    },
    succession: {
      file: succession,
      open: async (bytes) => openSuccession(parseSuccessionFile(bytes), anchor),
      own: key,
    },
    enrollment: await enrollmentOf(vaultId, made.transportKey),
  }
  return { kinds, made, handoff, revocation, vault }
}

/** A vault whose anchor names this root as its successor. */
async function vaultBefore(next: Awaited<ReturnType<typeof makeRoot>>): Promise<TestVault> {
  const vault = await makeVault()
  const { vaultId, root, key, practice } = vault
  const jwk = key.jwk.kty === 'EC' ? key.jwk : next.jwk
  const claims = { vaultId, name: 'Test vault', practice, root: jwk, successor: next.root.kid, iat: T0 - 86_400 }
  return { ...vault, anchor: await openTrustAnchor(await signTrustAnchor(claims, root)) }
}

async function successionOf(
  { vaultId, practice, root, anchor }: TestVault,
  next: Awaited<ReturnType<typeof makeRoot>>,
) {
  const after = {
    vaultId,
    name: 'Test vault',
    practice,
    root: next.jwk,
    successor: (await makeRoot()).root.kid,
    iat: T0,
  }
  const jws = await signTrustAnchor(after, next.root)
  const claims = { vaultId, from: root.kid, to: next.root.kid, anchor: digest(jws), compromised: false, iat: T0 }
  const [old, said] = [await signSuccession(claims, practice, root), await signSuccession(claims, practice, next.root)]
  return Buffer.from(successionFile({ old, next: said, before: anchor.jws, anchor: jws }))
}

async function revocationOf({ vaultId, practice, root }: TestVault, tenant: ReturnType<typeof makeTenant>) {
  const said = { vaultId, runtimeId: RUNTIME_ID, environment: ENVIRONMENT, reason: 'Stolen', order: 1 }
  const revocation = { ...said, id: '0f8fad5b-d9cb-469f-a165-000000000001', iat: T0, exp: T0 + 86_400 }
  const tenants = [{ entry: entryOf(tenant), revoke: [tenant.keys[0]?.kid ?? ''], standby: null }]
  return (await writeRevocation(temporaryFolder(), { revocation, tenants, root, practice })).path
}

async function enrollmentOf(
  vaultId: string,
  transportKey: Parameters<typeof signEnrollment>[0]['transportKey'],
): Promise<Kind> {
  const pair = (await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as CryptoKeyPair
  const { kty, crv, x } = await crypto.subtle.exportKey('jwk', pair.publicKey)
  const receiptKey = ed25519JwkSchema.parse({ kty, crv, x })
  const about = { runtimeId: RUNTIME_ID, environment: ENVIRONMENT, practice: false, vaultId, iat: T0 }
  const signer = { kid: thumbprint(receiptKey), alg: 'Ed25519' as const, key: pair.privateKey }
  const jws = await signEnrollment({ ...about, receiptKey, transportKey }, signer)
  return {
    file: Buffer.from(statementFile(jws)),
    open: async (bytes) => openEnrollment(parseStatementFile(bytes)),
    own: KeyObject.from(pair.privateKey),
  }
}
