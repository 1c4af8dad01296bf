import { readReceipts } from '../../electron/handoff/receipts.ts'
import { writeRevocation } from '../../electron/handoff/revocation.ts'
import type { Runtime } from '../../electron/issuer/runtime.ts'
import { DAY } from '../../shared/domain/policy.ts'
import { openJwkSet } from '../../shared/formats/bundle.ts'
import type { Stated } from '../../shared/formats/receipt.ts'
import type { Revocation } from '../../shared/formats/revocation.ts'
import {
  ENVIRONMENT,
  entryOf,
  makeServing,
  makeTenant,
  makeVault,
  policyWith,
  RUNTIME_ID,
  T0,
  type TestRuntime,
  type TestTenant,
  type TestVault,
  temporaryFolder,
} from './fixtures.ts'

/** Revocations that a real root signs, and a real runtime that has tenants to revoke keys of. */

export const IAT = T0 + 40 * DAY
export const uuid = (n: number) => `0f8fad5b-d9cb-469f-a165-${String(n).padStart(12, '0')}`
/** One key signs and one is announced at the time of the revocations. */
const POLICY = policyWith({ horizon: 2, rotationInterval: 50 * DAY, slotLength: 30 * DAY })
export const two = (tenant: string): TestTenant => makeTenant(tenant, { policy: POLICY })
/** The same, and one that stands by, with its private half at the runtime. */
export const hot = (tenant: string): TestTenant => {
  const made = two(tenant)
  const spare = makeTenant(tenant, { policy: policyWith({ horizon: 1 }) })
  const [key] = spare.keys
  if (!key) throw new Error('no key')
  const times = { announceAt: T0, signFrom: T0 + 14 * DAY, signUntil: T0 + 379 * DAY, extendUntil: T0 + 386 * DAY }
  made.keys.push({ ...key, ...times, removeAt: T0 + 393 * DAY, propagation: 'full', standby: true })
  made.secrets.set(key.kid, spare.secrets.get(key.kid) ?? new Uint8Array())
  return made
}
export const kidOf = (tenant: TestTenant, at: number): string => tenant.keys[at]?.kid ?? ''
export const standbyOf = (tenant: TestTenant): string => tenant.keys.find((key) => key.standby)?.kid ?? ''

export type Of = { tenant: TestTenant; revoke: string[]; standby?: string | null }

export async function revocation(vault: TestVault, of: Of[], changes: Partial<Revocation> = {}): Promise<string> {
  const { root, practice, vaultId } = vault
  const order = changes.order ?? 1
  const said = { vaultId, runtimeId: RUNTIME_ID, environment: ENVIRONMENT, id: uuid(order), order, reason: 'Stolen' }
  const tenants = of.map(({ tenant, revoke, standby = null }) => ({ entry: entryOf(tenant), revoke, standby }))
  const revocation = { ...said, iat: IAT, exp: IAT + 7 * DAY, ...changes }
  return (await writeRevocation(temporaryFolder(), { revocation, tenants, root, practice })).path
}

export async function serving(tenants: TestTenant[]) {
  const vault = await makeVault()
  const made = await makeServing(vault, tenants)
  made.clock.to(IAT)
  await made.runtime.tick()
  return { vault, ...made }
}

export const find = async ({ runtime }: { runtime: Runtime }, tenant: string) => {
  const service = await runtime.find(`${tenant}.example.com`, '')
  if (!service) throw new Error('no service')
  return service
}
export const signerOf = async (made: { runtime: Runtime }, tenant: string, at = IAT) =>
  (await (await find(made, tenant)).signer('ES256', at))?.kid
export const servedBy = async (made: { runtime: Runtime }, tenant: string, at = IAT) =>
  (await find(made, tenant)).published(at).keys.map(({ kid }) => kid)
export async function signedBy(made: { runtime: Runtime; vault: TestVault }, tenant: string, at = IAT) {
  const jws = await (await find(made, tenant)).signedSet(at)
  return jws === null ? null : (await openJwkSet(jws, made.vault.key)).keys.map(({ kid }) => kid)
}
export async function statedBy({
  runtime,
  enrollment,
}: Pick<TestRuntime, 'runtime' | 'enrollment'>): Promise<Stated[]> {
  const { path } = await runtime.exportReceipts(temporaryFolder(), { all: true })
  const expected = { signer: enrollment.receiptSigner, runtimeId: RUNTIME_ID, after: null, practice: false }
  return (await readReceipts(path, expected)).receipts.map(({ stated }) => stated)
}
