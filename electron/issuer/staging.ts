import { createPrivateKey, createPublicKey } from 'node:crypto'
import type { Slot } from '../../shared/domain/slots.ts'
import { KeyriteError, must } from '../../shared/errors.ts'
import type { BundleKey, TenantLine } from '../../shared/formats/bundle.ts'
import { checkTenantLine, type TenantEntry } from '../../shared/formats/bundle-check.ts'
import type { OpenBundle } from '../../shared/formats/bundle-file.ts'
import { wipe } from '../../shared/formats/bytes.ts'
import { publicJwkSchema } from '../../shared/formats/common.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import { openSealed, type Unseal } from '../../shared/formats/jwe.ts'
import { materialBinding, materialTyp } from '../../shared/formats/material.ts'
import type { OpenMaterial } from '../../shared/formats/material-file.ts'
import type { Context } from './context.ts'
import { checkSharedFactors, checkTenant, knownEntry, latePublication, locationOf } from './import-checks.ts'
import { mustNotBeRemoved, stageRemoved } from './removed.ts'
import { createSigner, verifySignature } from './signing.ts'
import type { Reader, Store, Value, Writer } from './store/store.ts'
import { readEntry } from './tenant-state.ts'
import { signedBy } from './verifying.ts'

/** Takes files into the staging tables, some lines at a time, so that memory does not grow with the number of tenants. */

/** Characters of signed sets, and sealed keys, that one change takes: each has its price, and holds others up meanwhile. */
const MOST_SIGNED = 2_000_000
const MOST_KEYS = 4096

export type Progress = (done: number, total: number) => void

/** Empties the staging tables and drops slots that belong to no current tenant: leftovers and replaced ones. */
export async function clearStaging(store: Store): Promise<void> {
  await store.change(async (tx) => {
    for (const table of ['staged_tenants', 'staged_keys', 'staged_private_keys', 'staged_tombstones', 'staged_removed'])
      await tx.run(`DELETE FROM ${table}`)
    await tx.run(
      'DELETE FROM slots WHERE NOT EXISTS (SELECT 1 FROM tenants t WHERE t.tenant = slots.tenant AND t.import = slots.import)',
    )
  })
}

/** Verifies every tenant of a bundle and stages it under the import's id. Codes of `checkTenantLine`, `checkTenant`, `latePublication`. */
export async function stageBundle(
  context: Context,
  id: number,
  { manifest, tenants, removed }: OpenBundle,
  now: number,
  progress: Progress,
): Promise<void> {
  const { store, anchor } = context
  const { practice, key } = anchor
  const pin = { practice, key, isSigned: signedBy(key) }
  let done = 0
  for await (const batch of inBatches(checkedTenants(tenants, manifest.iat, pin), MOST_SIGNED, signedIn)) {
    await store.change(async (tx) => {
      for (const { line, slots } of batch) {
        const known = await knownEntry(tx, line.tenant)
        await mustNotBeRemoved(tx, line)
        await checkTenant(tx, line, known, now, manifest.catchUp !== undefined)
        await stageTenant(context, tx, id, line)
        await tx.insert(
          INTO_STAGED_KEYS,
          line.keys.map((key) => stagedKey(line, key, slots, latePublication(line, key, known, now))),
        )
      }
    })
    done += batch.length
    progress(done, manifest.tenants)
  }
  await store.change(async (tx) => {
    for (const line of removed) await stageRemoved(tx, id, line)
  })
  await checkSharedFactors(store)
}

type Checked = { line: TenantLine; slots: Slot[] }

async function* checkedTenants(
  tenants: AsyncIterable<TenantLine>,
  iat: number,
  pin: Parameters<typeof checkTenantLine>[2],
): AsyncGenerator<Checked> {
  for await (const line of tenants) {
    yield { line, slots: await checkTenantLine(line, iat, pin) }
    await breathe()
  }
}

/** Checking and decrypting leave the event loop no turn: whatever else this process does gets one now and then. */
const TURN = 10
let turnedAt = 0
async function breathe(): Promise<void> {
  if (performance.now() - turnedAt < TURN) return
  await new Promise(setImmediate)
  turnedAt = performance.now()
}

const signedIn = ({ line }: Checked): number =>
  line.slots.flatMap(({ set, without }) => [set, ...Object.values(without)]).reduce((sum, jws) => sum + jws.length, 0)

async function stageTenant({ sealer }: Context, tx: Writer, id: number, line: TenantLine): Promise<void> {
  const { slots: _, historical = null, ...entry } = line
  const { tenant } = entry
  const held = await tx.get<{ data_key: Uint8Array }>('SELECT data_key FROM tenants WHERE tenant = ?', tenant)
  await tx.run(
    'INSERT INTO staged_tenants (tenant, location, entry, historical, import, data_key) VALUES (?, ?, ?, ?, ?, ?)',
    tenant,
    locationOf(entry.issuer),
    JSON.stringify(entry),
    historical,
    id,
    held?.data_key ?? sealer.newDataKey(tenant),
  )
  await tx.insert(
    'INSERT INTO staged_tombstones (kid, tenant, at) VALUES',
    entry.tombstones.map(({ kid, at }) => [kid, tenant, at]),
    'ON CONFLICT DO NOTHING',
  )
  await stageSlots(tx, id, line)
}

/** Writes a tenant's signed sets under the import's id: they are in force once the tenant's row names it. */
export const stageSlots = (tx: Writer, id: number, { tenant, slots }: Pick<TenantLine, 'tenant' | 'slots'>) =>
  tx.insert(
    'INSERT INTO slots (import, tenant, start, jws, without) VALUES',
    slots.map(({ from, set, without }) => [id, tenant, from, set, JSON.stringify(without)]),
  )

const INTO_STAGED_KEYS =
  'INSERT INTO staged_keys (kid, tenant, spec, jwk, announce_at, first_published, delivered_until) VALUES'

function stagedKey({ tenant }: TenantLine, key: BundleKey, slots: Slot[], late: number | null): Value[] {
  const holding = slots.filter((slot) => slot.kids.includes(key.kid))
  const until = Math.max(0, ...holding.map((slot) => slot.expires))
  return [key.kid, tenant, key.spec, JSON.stringify(key.jwk), key.announceAt, late, until]
}

/**
 * Checks for whom each sealed key claims to be, before anything is decrypted. Codes `bundle-refused` for a key that the
 * bundle does not name, `tombstone-hit`, `bundle-late` for a key that may not sign any more.
 */
export async function checkMaterialNames({ store }: Context, { keys }: OpenMaterial, now: number): Promise<void> {
  const find = keyFinder(store)
  for await (const { tenant, kid } of keys) {
    const destroyed =
      (await store.get('SELECT 1 FROM tombstones WHERE kid = ?', kid)) ??
      (await store.get('SELECT 1 FROM staged_tombstones WHERE kid = ?', kid))
    must(!destroyed, 'tombstone-hit', `Key ${kid} of tenant ${tenant} was destroyed and came back.`)
    const { key } = await find(tenant, kid)
    must(now < key.extendUntil, 'bundle-late', `Key ${kid} of tenant ${tenant} may not sign any more.`)
  }
}

const INTO_STAGED_PRIVATE_KEYS = 'INSERT INTO staged_private_keys (kid, tenant, import, sealed) VALUES'

/** Decrypts every key, compares it with its public half and stages it sealed. Codes of `openSealed`, and `key-refused`. */
export async function stageMaterial(
  context: Context,
  id: number,
  { manifest, keys }: OpenMaterial,
  unseal: Unseal,
  progress: Progress,
): Promise<void> {
  let done = 0
  for await (const rows of inBatches(resealed(context, id, { manifest, keys }, unseal), MOST_KEYS)) {
    await context.store.change((tx) => tx.insert(INTO_STAGED_PRIVATE_KEYS, rows))
    done += rows.length
    progress(done, manifest.keys)
  }
}

/** One private half at a time is open in memory. */
async function* resealed(
  { store, sealer, config }: Context,
  id: number,
  { manifest, keys }: Pick<OpenMaterial, 'manifest' | 'keys'>,
  unseal: Unseal,
): AsyncGenerator<Value[]> {
  const { runtimeId, number, transportKey } = manifest
  const typ = materialTyp(config.practice)
  const find = keyFinder(store)
  for await (const { tenant, kid, jwe } of keys) {
    const binding = materialBinding({ tenant, key: kid, runtimeId, number })
    const pkcs8 = await openSealed(jwe, { typ, kid: transportKey, key: unseal, binding })
    try {
      const { key, dataKey } = await find(tenant, kid)
      mustMatch(key, tenant, pkcs8)
      yield [kid, tenant, id, sealer.sealKey(tenant, kid, dataKey, pkcs8)]
    } finally {
      wipe(pkcs8)
    }
    await breathe()
  }
}

/** The private half must belong to the public one that the root signed, and sign with it. Code `key-refused`. */
export function mustMatch(key: BundleKey, tenant: string, pkcs8: Uint8Array): void {
  const refuse = (cause?: unknown) =>
    new KeyriteError('key-refused', `The private half of key ${key.kid} of ${tenant} does not belong to it.`, { cause })
  try {
    const privateKey = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' })
    const publicKey = createPublicKey(privateKey)
    const jwk = publicJwkSchema.parse(publicKey.export({ format: 'jwk' }))
    const input = `keyrite.${key.kid}`
    const signature = createSigner(key.spec, key.kid, privateKey).sign(input)
    if (thumbprint(jwk) !== key.kid || !verifySignature(key.spec, publicKey, input, signature)) throw refuse()
  } catch (error) {
    throw error instanceof KeyriteError ? error : refuse(error)
  }
}

type Found = { key: BundleKey; dataKey: Uint8Array }
type EntryRow = { entry: string; data_key: Uint8Array | null }

/** Finds the key that a sealed one claims to be, in the staged bundle or the current one. Keys come tenant by tenant. */
function keyFinder(store: Reader): (tenant: string, kid: string) => Promise<Found> {
  let last: { tenant: string; entry: TenantEntry; dataKey: Uint8Array } | null = null
  return async (tenant, kid) => {
    if (last?.tenant !== tenant) {
      const staged = await store.get<EntryRow>('SELECT entry, data_key FROM staged_tenants WHERE tenant = ?', tenant)
      const current = await store.get<EntryRow>('SELECT entry, data_key FROM tenants WHERE tenant = ?', tenant)
      const entry = staged?.entry ?? current?.entry
      const dataKey = staged?.data_key ?? current?.data_key
      must(entry && dataKey, 'bundle-refused', `The material holds a key of ${tenant}, which the bundle does not name.`)
      last = { tenant, entry: readEntry(entry), dataKey }
    }
    const key = last.entry.keys.find((one) => one.kid === kid)
    must(key, 'bundle-refused', `The material holds a key of ${tenant} that the bundle does not name: ${kid}.`)
    return { key, dataKey: last.dataKey }
  }
}

/** Collects items until they weigh as much as a batch may; each weighs one unless `weightOf` says otherwise. */
export async function* inBatches<T>(
  items: AsyncIterable<T>,
  most: number,
  weightOf: (item: T) => number = () => 1,
): AsyncGenerator<T[]> {
  let [batch, weight]: [T[], number] = [[], 0]
  for await (const item of items) {
    batch.push(item)
    weight += weightOf(item)
    if (weight < most) continue
    yield batch
    ;[batch, weight] = [[], 0]
  }
  if (batch.length > 0) yield batch
}
