import { KEY_SPECS } from '../../shared/domain/algorithms.ts'
import { readyAt } from '../../shared/domain/key.ts'
import { modulusOf } from '../../shared/domain/lint.ts'
import { MINUTE, spellDuration } from '../../shared/domain/policy.ts'
import { auditSharedFactors } from '../../shared/domain/shared-factors.ts'
import { KeyriteError, must } from '../../shared/errors.ts'
import type { BundleKey, Manifest, TenantLine } from '../../shared/formats/bundle.ts'
import type { TenantEntry } from '../../shared/formats/bundle-check.ts'
import type { Envelope } from '../../shared/formats/envelope.ts'
import type { MaterialManifest } from '../../shared/formats/material.ts'
import type { Revocation } from '../../shared/formats/revocation.ts'
import type { Context } from './context.ts'
import type { Reader } from './store/store.ts'
import { readEntry } from './tenant-state.ts'

/** What an import compares with this runtime: who the file is for, where it stands in the sequence, what is known already. */

const AHEAD = 10 * MINUTE

/** Vault, audience, environment, expiry and clock. Codes `vault-mismatch`, `audience-wrong`, `environment-wrong`, `file-expired`, `file-from-future`. */
export function checkBinding(
  { config }: Context,
  manifest: Manifest | MaterialManifest | Envelope | Revocation,
  now: number,
): void {
  const { runtimeId, environment } = config
  must(manifest.vaultId === config.vaultId, 'vault-mismatch', 'This file is of another vault.')
  must(manifest.runtimeId === runtimeId, 'audience-wrong', `This file is for ${manifest.runtimeId}, not ${runtimeId}.`)
  must(
    manifest.environment === environment,
    'environment-wrong',
    `This file is for the environment ${manifest.environment}, not ${environment}.`,
  )
  must(manifest.exp > now, 'file-expired', `This file expired ${spellDuration(now - manifest.exp)} ago.`)
  const ahead = manifest.iat - now
  must(
    ahead <= AHEAD,
    'file-from-future',
    `This file was made ${spellDuration(ahead)} in the future of this clock; at most ${spellDuration(AHEAD)} is allowed.`,
  )
}

/**
 * Where a bundle stands (handoff.md, "Sequence"): `next` in order, or the `same` that is here already. Codes
 * `bundle-lower`, `bundle-gap`, `bundle-forked`.
 */
export async function checkSequence(store: Reader, manifest: Manifest, digest: string): Promise<'next' | 'same'> {
  const current = await store.bundle()
  const { number, previous } = manifest
  const last = current?.number ?? 0
  if (number === last) {
    must(digest === current?.head, 'bundle-forked', `Another bundle with the number ${number} was imported before.`)
    return 'same'
  }
  must(number > last, 'bundle-lower', `This is bundle ${number}; bundle ${last} was imported already.`)
  const missing = number === last + 2 ? `Bundle ${last + 1} is` : `Bundles ${last + 1} to ${number - 1} are`
  must(number === last + 1 || signedOver(manifest, last), 'bundle-gap', `This is bundle ${number}. ${missing} missing.`)
  const follows = previous === (current?.head ?? null)
  must(follows, 'bundle-forked', `Bundle ${number} does not follow the bundle ${last} that was imported.`)
  return 'next'
}

/** A gap is no gap where the vault signed over exactly these numbers: their bundles are lost, and never count again. */
const signedOver = ({ number, catchUp }: Manifest, last: number): boolean =>
  catchUp?.from === last + 1 && catchUp.to === number - 1

/** The vault cannot have taken receipts that this runtime never made. Code `runtime-behind`. */
export async function checkReceiptsSeen({ receipts }: Context, { receiptsSeen }: Manifest): Promise<void> {
  const made = (await receipts.head())?.seq ?? 0
  const message = `The vault has taken receipt ${receiptsSeen} of this runtime, but the store has only ${made}.`
  must(receiptsSeen <= made, 'runtime-behind', message)
}

/** The issuer without its scheme: what a request is routed by. */
export const locationOf = (issuer: string): string => issuer.replace(/^https?:\/\//, '')

/** What the store knows of a tenant before an import, or null for a new one. */
export async function knownEntry(store: Reader, tenant: string): Promise<TenantEntry | null> {
  const row = await store.get<{ entry: string }>('SELECT entry FROM tenants WHERE tenant = ?', tenant)
  return row ? readEntry(row.entry) : null
}

/**
 * Compares one tenant of a bundle with the store and with the tenants staged before it. Codes: `tombstone-hit`, and
 * `bundle-refused` for a changed or foreign issuer, a key of another tenant, a key that vanished or was cleared.
 */
export async function checkTenant(
  store: Reader,
  line: TenantLine,
  known: TenantEntry | null,
  now: number,
  catchesUp = false,
): Promise<void> {
  const rule = (holds: boolean, what: string) =>
    must(holds, 'bundle-refused', `Tenant ${line.tenant} is refused: ${what}.`)
  rule(!known || known.issuer === line.issuer, 'its issuer changed')
  rule((await ownerOfLocation(store, line)) === null, 'its issuer is that of another tenant')
  for (const key of line.keys) {
    const owner = await ownerOfKey(store, key.kid)
    rule(!owner || owner.tenant === line.tenant, `key ${key.kid} is a key of another tenant`)
    rule(!owner || owner.spec === key.spec, `key ${key.kid} was made for another algorithm`)
    const destroyed = await store.get('SELECT 1 FROM tombstones WHERE kid = ?', key.kid)
    must(!destroyed, 'tombstone-hit', `Key ${key.kid} of tenant ${line.tenant} was destroyed and came back.`)
  }
  for (const { kid } of line.tombstones) {
    const owner = await ownerOfKey(store, kid)
    rule(!owner || owner.tenant === line.tenant, `it names the key ${kid} of another tenant as destroyed`)
  }
  if (known) checkContinuity(line, known, now, catchesUp, rule)
}

/**
 * A bundle replaces what it names; taking a key away, or a compromise back, needs more than silence. A vault that catches
 * up may not know of keys that nobody has seen yet.
 */
function checkContinuity(
  line: TenantLine,
  known: TenantEntry,
  now: number,
  catchesUp: boolean,
  rule: (holds: boolean, what: string) => void,
): void {
  const kids = new Set(line.keys.map((key) => key.kid))
  const compromised = new Set(line.compromised.map((key) => key.kid))
  const destroyed = new Set(line.tombstones.map((stone) => stone.kid))
  for (const { kid } of known.compromised)
    rule(!kids.has(kid) || compromised.has(kid), `key ${kid} was compromised and is not any more`)
  for (const { kid, announceAt, removeAt } of known.keys) {
    const unseen = catchesUp && now < announceAt
    const explained = kids.has(kid) || compromised.has(kid) || destroyed.has(kid) || now >= removeAt || unseen
    rule(explained, `key ${kid} vanished without a tombstone`)
  }
}

export async function ownerOfLocation(
  store: Reader,
  { issuer, tenant }: Pick<TenantLine, 'issuer' | 'tenant'>,
): Promise<string | null> {
  const sql = (table: string) => `SELECT tenant FROM ${table} WHERE location = ? AND tenant <> ?`
  const find = (table: string) => store.get<{ tenant: string }>(sql(table), locationOf(issuer), tenant)
  return ((await find('tenants')) ?? (await find('staged_tenants')))?.tenant ?? null
}

type Owner = { tenant: string; spec: string }
const ownerOfKey = async (store: Reader, kid: string): Promise<Owner | undefined> =>
  (await store.get<Owner>('SELECT tenant, spec FROM keys WHERE kid = ?', kid)) ??
  store.get<Owner>('SELECT tenant, spec FROM staged_keys WHERE kid = ?', kid)

/**
 * When this runtime first publishes a key that comes with this bundle, if that is later than scheduled; null otherwise.
 * A tenant's first bundle is never late: whoever has its key set has these keys. With an imported key it is different:
 * relying parties still hold the key set of the issuer before, with that key alone. Code `bundle-late` when the key would
 * not be known long enough before its predecessor must stop (lifecycle.md, "Schedule").
 */
export function latePublication(
  line: TenantLine,
  key: BundleKey,
  known: TenantEntry | null,
  now: number,
): number | null {
  const held =
    known?.keys ?? line.keys.filter((one) => one.propagation === 'none (imported key)' && now < one.extendUntil)
  const isNew = held.length > 0 && !held.some((one) => one.kid === key.kid)
  if (!isNew || key.announceAt >= now || now >= key.extendUntil) return null
  const predecessor = predecessorOf(line, key)
  const ready = readyAt(key, line.policy.propagationTime, now)
  must(
    key.propagation !== 'full' || !predecessor || ready <= predecessor.extendUntil,
    'bundle-late',
    `This bundle comes too late for tenant ${line.tenant}: key ${key.kid} would be announced less than ${spellDuration(line.policy.propagationTime)} before its predecessor must stop.`,
  )
  return now
}

function predecessorOf(line: TenantLine, key: BundleKey): BundleKey | undefined {
  const compromised = new Set(line.compromised.map((one) => one.kid))
  return line.keys
    .filter((one) => KEY_SPECS[one.spec].alg === KEY_SPECS[key.spec].alg && !compromised.has(one.kid))
    .filter((one) => one.signFrom < key.signFrom)
    .sort((a, b) => b.signFrom - a.signFrom)[0]
}

/** The keys that have a modulus: of others there may be tens of thousands, which need not be held at once. */
const IS_RSA = `spec IN (${Object.entries(KEY_SPECS)
  .filter(([, { kty }]) => kty === 'RSA')
  .map(([spec]) => `'${spec}'`)
  .join(', ')})`

/** Audits the RSA moduli of staged new keys against all that were ever delivered. Code `key-refused`. */
export async function checkSharedFactors(store: Reader): Promise<void> {
  const moduliIn = async (sql: string) =>
    (await store.all<{ kid: string; jwk: string }>(sql)).flatMap(({ kid, jwk }) => {
      const modulus = modulusOf(JSON.parse(jwk))
      return modulus ? [{ kid, modulus }] : []
    })
  const fresh = await moduliIn(`SELECT kid, jwk FROM staged_keys WHERE ${IS_RSA} AND kid NOT IN (SELECT kid FROM keys)`)
  if (fresh.length === 0) return
  const all = [...fresh, ...(await moduliIn(`SELECT kid, jwk FROM keys WHERE ${IS_RSA}`))]
  const shared = auditSharedFactors(all.map((one) => one.modulus)).flatMap((index) => all[index]?.kid ?? [])
  if (shared.length > 0)
    throw new KeyriteError('key-refused', `These RSA keys share a factor: ${shared.slice(0, 4).join(', ')}.`)
}
