import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import type { EncryptedDatabase } from '../electron/sqlite/database.ts'
import { openVaultFile } from '../electron/vault/log.ts'
import { openFileKey, p256Public, type UnlockedPerson } from '../electron/vault/people.ts'
import { readPeople } from '../electron/vault/people-store.ts'
import type { Quorum } from '../electron/vault/quorum.ts'
import { dbPath, Vault } from '../electron/vault/vault.ts'
import type { KeySpec, PublicJwk } from '../shared/domain/algorithms.ts'
import type { VaultEvent } from '../shared/domain/events.ts'
import type { KeyTimes } from '../shared/domain/key.ts'
import { madeObjects } from '../shared/domain/objects.ts'
import { DEFAULT_POLICY } from '../shared/domain/policy.ts'
import { firstKey } from '../shared/domain/schedule.ts'
import { type Bytes, digest } from '../shared/formats/bytes.ts'
import { thumbprint } from '../shared/formats/fingerprint.ts'
import { canonicalText } from '../shared/formats/json.ts'
import { actOf, CEREMONY, CREATED, makePractice, RSA_4096_PKCS8, rsaShaped } from '../test/vault/practice.ts'

/** A practice vault filled through its own commits: real chain, real signatures, real approvals, a checkpoint at the end. */
export type FilledVault = {
  folder: string
  present: ReadonlyMap<string, UnlockedPerson>
  /** The same file, opened once more with its key and nothing else; closed by the caller. */
  database(): EncryptedDatabase
  remove(): void
}

const AT = CREATED + 3600
/** Events that one quorum approves together, and a checkpoint after them. */
const BATCH = 2500

/**
 * Fills a vault: half of its events are tenants with four ES256 keys each (sealed rows of their own), half are what
 * people note. A person signs every one but the checkpoints. With `large` the keys have the size of RSA-4096.
 */
export async function filledVault(
  events: number,
  onProgress: (done: number) => void,
  { large = false } = {},
): Promise<FilledVault> {
  const practice = await makePractice()
  const vault = await Vault.openFor(practice.folder, practice.present)
  const tenants = Math.round(events / 10)
  for (let first = 0; first < tenants; first += BATCH / 5) {
    await onboard(vault, first, Math.min(tenants, first + BATCH / 5), large ? largeKey : smallKey)
    onProgress(vault.state.seq)
  }
  while (vault.state.seq < events) {
    const count = Math.max(0, Math.min(BATCH, events - 1 - vault.state.seq))
    const notes = Array.from({ length: count }, (_, at) => noted(at))
    const act = actOf('checkpoint')
    await vault.withQuorum(act, await vault.approve(act), (quorum) => commit(vault, notes, quorum))
    onProgress(vault.state.seq)
  }
  const fileKey = await fileKeyOf(vault)
  vault.close()
  return {
    ...practice,
    database: () => openVaultFile(dbPath(practice.folder), fileKey),
    remove: () => rmSync(dirname(practice.folder), { recursive: true, force: true }),
  }
}

async function commit(
  vault: Vault,
  events: VaultEvent[],
  quorum: Quorum,
  put = new Map<string, Bytes>(),
): Promise<void> {
  vault.commit(events, AT, 'grace', { put })
  await vault.commitWithCheckpoint([], AT, null, quorum)
}

async function fileKeyOf(vault: Vault): Promise<Uint8Array> {
  const [person] = vault.present.values()
  const [id, jwe] = Object.entries(readPeople(vault.folder).people[person?.id ?? '']?.fileKeys ?? {})[0] ?? []
  if (!person || !id || !jwe) throw new Error('nobody is present')
  return openFileKey(vault.anchor, person, id, jwe)
}

async function onboard(vault: Vault, from: number, to: number, make: () => MadeKey): Promise<void> {
  const names = Array.from({ length: to - from }, (_, at) => `tenant-${from + at}`)
  const tenants = names.map(tenantAdded)
  const times = firstKey(DEFAULT_POLICY, AT)
  const keys = names.flatMap((tenant) => Array.from({ length: 4 }, () => newKey(tenant, times, make())))
  const objects = digest(canonicalText(madeObjects(tenants, keys)))
  const act = { ...actOf('make-keys'), objects }
  const approvals = await vault.approve(act)
  await vault.withQuorum(act, approvals, async (quorum) => {
    const born = keys.map(({ pkcs8, ...key }) => ({ key, sealed: quorum.seal(key.tenant, key.kid, key.spec, pkcs8) }))
    const events = born.map(({ key, sealed }): VaultEvent => ({ ...key, sealed: sealed.digests }))
    const { ceremony, step } = act
    const approved: VaultEvent = { type: 'approved', ceremony, step, objects, approvals }
    await commit(
      vault,
      [approved, ...tenants, ...events],
      quorum,
      new Map(born.flatMap(({ sealed }) => [...sealed.put])),
    )
  })
}

const tenantAdded = (tenant: string): VaultEvent => ({
  type: 'tenant-added',
  tenant,
  name: `The company ${tenant}`,
  issuer: `http://127.0.0.1:47770/t/${tenant}`,
  policy: DEFAULT_POLICY,
  relyingParties: [],
})

type MadeKey = { spec: KeySpec; jwk: PublicJwk; pkcs8: Uint8Array }

function smallKey(): MadeKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { spec: 'ES256', jwk: p256Public(publicKey), pkcs8: privateKey.export({ format: 'der', type: 'pkcs8' }) }
}

/** Only the size of an RSA-4096 key: the vault never looks inside. */
const largeKey = (): MadeKey => ({ spec: 'RS256-4096', jwk: rsaShaped(), pkcs8: randomBytes(RSA_4096_PKCS8) })

const newKey = (tenant: string, times: KeyTimes, { spec, jwk, pkcs8 }: MadeKey) =>
  ({
    type: 'key-generated',
    tenant,
    kid: thumbprint(jwk),
    spec,
    jwk,
    label: `${tenant} 2025`,
    times,
    replaces: null,
    generator: { node: process.versions.node, openssl: process.versions.openssl, process: 'fresh' },
    pkcs8,
  }) as const

/** What needs no quorum. */
function noted(at: number): VaultEvent {
  switch (at % 4) {
    case 0:
      return {
        type: 'step-done',
        ceremony: CEREMONY,
        step: 'prove-shares',
        observed: `Ada Lovelace proved her share of epoch 1; round ${at}.`,
      }
    case 1:
      return { type: 'share-proved', person: 'blaise', epoch: 1 }
    case 2:
      return {
        type: 'deviation',
        ceremony: CEREMONY,
        expected: 'The printer prints the record.',
        happened: `The printer has no paper left, for the ${at}th time.`,
        action: 'Paper was fetched from the cupboard; the record was printed and compared again.',
      }
    default:
      return {
        type: 'copy-attested',
        kids: [digest(`key ${at}`)],
        copy: `backup ${at}`,
        by: 'clara',
        statement: 'I cut the medium with the number above in four pieces, before the eyes of all present.',
      }
  }
}
