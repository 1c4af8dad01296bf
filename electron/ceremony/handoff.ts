import { nextPlace, notInVault } from '../../shared/domain/copies.ts'
import type { EventOf } from '../../shared/domain/events.ts'
import { decideHandoff, exportedKeys } from '../../shared/domain/handoff.ts'
import { knownRuntime } from '../../shared/domain/known.ts'
import { pastKeys } from '../../shared/domain/past-keys.ts'
import { count } from '../../shared/domain/plural.ts'
import { spellDuration } from '../../shared/domain/policy.ts'
import type { Runtime, Tenant, VaultKey, VaultState } from '../../shared/domain/state.ts'
import { must } from '../../shared/errors.ts'
import type { BundleKey, RemovedLine } from '../../shared/formats/bundle.ts'
import type { TenantEntry, TenantToSign } from '../../shared/formats/bundle-check.ts'
import { digest, wipe } from '../../shared/formats/bytes.ts'
import { openAcceptance, openEnrollment, signAcceptance } from '../../shared/formats/enrollment.ts'
import { hexGroups, spoken, thumbprint } from '../../shared/formats/fingerprint.ts'
import type { P256Jwk, StatementKey } from '../../shared/formats/jws.ts'
import type { PlanOf } from '../../shared/formats/plan.ts'
import { openReceipt, type Receipt } from '../../shared/formats/receipt.ts'
import type { Anchor } from '../../shared/formats/trust-anchor.ts'
import { act, type Context, listed, type Outcome } from './context.ts'
import { AHEAD } from './time.ts'

/** What crosses the air gap: accepting a runtime, exporting to it, taking its receipts. */

async function readEnrollment(context: Context) {
  const plan = context.plan as PlanOf<'enroll-runtime'>
  const { state, anchor } = context.vault
  const jws = context.ports.media.readEnrollment(plan.enrollment)
  const enrollment = await openEnrollment(jws)
  must(
    enrollment.practice === anchor.practice,
    'practice-refused',
    'The runtime and the vault are not both for practice.',
  )
  must(enrollment.vaultId === anchor.vaultId, 'vault-mismatch', 'The runtime was initialised for another vault.')
  must(
    !state.runtimes.has(enrollment.runtimeId),
    'enrollment-refused',
    `The vault knows a runtime ${enrollment.runtimeId} already.`,
  )
  must(
    enrollment.fingerprint === plan.fingerprint,
    'comparison-failed',
    'The fingerprint that was read aloud is not the one of this file. Nothing was accepted.',
  )
  return { jws, enrollment }
}

/** Which runtime the file is of: everything but the comparison by voice. */
export async function checkEnrollment(context: Context): Promise<string> {
  const { runtimeId, fingerprint } = (await readEnrollment(context)).enrollment
  return `Runtime ${runtimeId}, fingerprint ${spoken(fingerprint)}`
}

/** Code `comparison-failed` as soon as a word differs from what is read aloud at the runtime. */
export async function compareEnrollment(context: Context): Promise<Outcome> {
  const { runtimeId, fingerprint } = (await readEnrollment(context)).enrollment
  const compared = await context.ports.desk.compare(`the fingerprint of ${runtimeId}`, fingerprint)
  return { observed: `Runtime ${runtimeId}, fingerprint ${compared}` }
}

export async function acceptRuntime(context: Context): Promise<Outcome> {
  const { jws, enrollment } = await readEnrollment(context)
  const { runtimeId, environment, receiptKey } = enrollment
  const { anchor } = context.vault
  const claims = {
    vaultId: anchor.vaultId,
    runtimeId,
    environment,
    enrollment: digest(jws),
    receiptKey,
    iat: context.ports.now(),
  }
  const { result, approved } = await act(context, claims, async (quorum) =>
    signAcceptance(claims, anchor.practice, await quorum.root()),
  )
  return {
    observed: `Runtime ${runtimeId} is accepted for ${environment}.`,
    events: [
      approved,
      {
        type: 'runtime-enrolled',
        runtimeId,
        environment,
        enrollment: jws,
        acceptance: result,
      },
    ],
  }
}

/**
 * The keys of a runtime, from signatures alone: the root accepted this very enrollment, the enrollment names the receipt
 * key, and that key signed the newest offer. What the log merely says counts for nothing here. Code
 * `vault-history-broken`.
 */
async function accepted(
  { runtimeId, enrollment: jws, acceptance, offer }: Runtime,
  anchor: Anchor,
): Promise<{ receiptSigner: StatementKey; transportKey: P256Jwk }> {
  const said = await openAcceptance(acceptance, anchor.key, anchor.practice)
  const enrollment = await openEnrollment(jws)
  const { receiptSigner } = enrollment
  const fits = said.vaultId === anchor.vaultId && said.runtimeId === runtimeId && said.enrollment === digest(jws)
  must(fits, 'vault-history-broken', `The root did not accept the enrollment that the vault holds for ${runtimeId}.`)
  if (offer === null) return { receiptSigner, transportKey: enrollment.transportKey }
  const receipt = await openReceipt(offer, receiptSigner, anchor.practice)
  const { stated } = receipt
  must(
    receipt.runtimeId === runtimeId && stated.type === 'transport-key-offered',
    'vault-history-broken',
    `The offer that the vault holds for ${runtimeId} is not one.`,
  )
  return { receiptSigner, transportKey: stated.key }
}

/** Exports bundle and material: the intent is committed first, the verified outcome after. */
export async function exportFiles(context: Context): Promise<Outcome> {
  const plan = context.plan as PlanOf<'handoff'>
  const { ports, vault } = context
  const { state, anchor } = vault
  const { practice } = anchor
  const now = ports.now()
  const { tenants, keys, removed } = decideHandoff(state, plan.runtime, plan.tenants, now, plan.lost)
  const runtime = knownRuntime(state, plan.runtime)
  const { transportKey: jwk } = await accepted(runtime, anchor)
  const { number, previous, catchUp } = nextPlace(state, runtime)
  const names = { runtimeId: plan.runtime, number, transportKey: thumbprint(jwk) }
  const interrupted = runtime.handoffs.some((handoff) => !handoff.exported && handoff.number === number)
  const takenBack = interrupted
    ? ports.media.removeLeftovers({ what: 'handoff', vaultId: anchor.vaultId, runtimeId: plan.runtime, number })
    : []
  vault.commit(
    [
      {
        type: 'handoff-intended',
        ...names,
        tenants: [...tenants, ...removed].map((one) => one.tenant),
        keys: keys.map((key) => key.kid),
      },
    ],
    now,
    context.actor,
  )

  const head = {
    vaultId: anchor.vaultId,
    runtimeId: plan.runtime,
    environment: runtime.environment,
    number,
    iat: now,
    exp: now + plan.validFor,
  }
  const { result, approved } = await act(context, { ...names, keys: keys.map((key) => key.kid) }, async (quorum) => {
    const root = await quorum.root()
    const checkpoint = state.checkpoint?.statement ?? ''
    const bundle = await ports.media.writeBundle(
      { ...head, previous, checkpoint, receiptsSeen: runtime.receipts.upTo, ...(catchUp && { catchUp }) },
      [...tenants.map((tenant) => toSign(state, tenant, now)), ...removed.map(removedLine)],
      root,
      practice,
    )
    try {
      const material = await ports.media.writeMaterial(
        { ...head, bundle: bundle.manifestDigest },
        { key: jwk, keys: unsealEach(keys, (kid) => quorum.unseal(kid)) },
        root,
        practice,
      )
      return { bundle, material }
    } catch (error) {
      // A bundle without its material must not stay: the next try makes another bundle with the same number.
      ports.media.remove(bundle.name)
      throw error
    }
  })
  const { bundle, material } = result
  const files = { [bundle.name]: bundle.digest, [material.name]: material.digest }
  return {
    observed: `Bundle ${number} for ${plan.runtime}: ${count(tenants.length, 'tenant')}, ${count(keys.length, 'private key')}.${givenUp(removed)}${caughtUp(catchUp)} Digest ${hexGroups(bundle.merkleRoot).slice(0, 4).join(' ')} …${leftBehind(interrupted, takenBack)}`,
    events: [
      approved,
      {
        type: 'handoff-exported',
        runtimeId: plan.runtime,
        number,
        manifest: bundle.manifestDigest,
        merkleRoot: bundle.merkleRoot,
        files,
      },
    ],
  }
}

/** What is said of numbers that this bundle signs over. */
function caughtUp(catchUp: { from: number; to: number } | null): string {
  if (!catchUp) return ''
  const { from, to } = catchUp
  const which = from === to ? `bundle ${from}` : `bundles ${from} to ${to}`
  return ` It catches up: ${which}, if found, must never be imported.`
}

/** What a bundle says of a tenant that was offboarded. */
const removedLine = ({ tenant, issuer, offboarded }: Tenant): RemovedLine => ({
  tenant,
  issuer,
  removed: offboarded?.at ?? 0,
})

const givenUp = (removed: readonly Tenant[]): string =>
  removed.length === 0 ? '' : ` To be given up: ${listed(removed.map(({ tenant }) => ({ label: tenant })))}.`

/** What is said of an earlier try that was interrupted: its files may have left on another medium. */
function leftBehind(interrupted: boolean, takenBack: readonly string[]): string {
  if (!interrupted) return ''
  const found = takenBack.length === 0 ? 'none was on this medium' : `taken back: ${takenBack.join(', ')}`
  return ` An earlier try was interrupted; its files (${found}) must never be imported.`
}

/** Private keys one at a time, each gone before the next is opened. */
function* unsealEach(keys: readonly VaultKey[], unseal: (kid: string) => Uint8Array) {
  for (const { tenant, kid } of keys) {
    const pkcs8 = unseal(kid)
    try {
      yield { tenant, kid, pkcs8 }
    } finally {
      wipe(pkcs8)
    }
  }
}

const toSign = (state: VaultState, tenant: Tenant, now: number): TenantToSign => ({
  ...tenantExport(state, tenant, now),
  past: pastKeys(state, tenant, now),
})

/** What a bundle says of a tenant, before its slots are cut. */
export function tenantExport(state: VaultState, tenant: Tenant, now: number): TenantEntry {
  const { named: current, destroyed: gone } = exportedKeys(state, tenant, now)
  return {
    tenant: tenant.tenant,
    name: tenant.name,
    issuer: tenant.issuer,
    policy: tenant.policy,
    relyingParties: tenant.relyingParties,
    keys: current.map(
      ({ kid, spec, label, jwk, x5c, times, standby }): BundleKey => ({
        kid,
        spec,
        label,
        jwk,
        ...(x5c && tenant.policy.x509 && { x5c }),
        ...times,
        ...(standby && { standby }),
      }),
    ),
    compromised: current.flatMap(({ kid, compromised }) =>
      compromised ? [{ kid, at: compromised.at, reason: compromised.reason }] : [],
    ),
    tombstones: [...gone.map((key) => ({ kid: key.kid, at: goneAt(state, key) })), ...withdrawn(state, tenant.tenant)],
  }
}

const goneAt = (state: VaultState, { kid, destroyed }: VaultKey): number =>
  destroyed?.at ?? state.elsewhere.get(kid)?.at ?? 0

/** Keys that a restored vault does not have cannot be in what it signs: they end with its first bundle, and say so. */
function withdrawn(state: VaultState, tenant: string): { kid: string; at: number }[] {
  const at = state.restores.at(-1)?.at
  if (at === undefined) return []
  return notInVault(state).flatMap((one) => (one.tenant === tenant ? [{ kid: one.kid, at }] : []))
}

export async function compareFiles(context: Context): Promise<Outcome> {
  const plan = context.plan as PlanOf<'handoff'>
  const { vault, ports } = context
  const files = Object.keys(knownRuntime(vault.state, plan.runtime).handoffs.at(-1)?.exported?.files ?? {})
  const [bundle, material] = [
    files.find((name) => name.startsWith('bundle-')),
    files.find((name) => name.startsWith('material-')),
  ]
  must(bundle && material, 'ceremony-conflict', 'There is no exported file to compare.')
  const { tenants, keys } = await ports.media.checkExport(bundle, material, vault.anchor)
  return {
    observed: `Read back from the medium and checked from the trust anchor alone: ${count(tenants, 'tenant')}, ${count(keys, 'encrypted key')}.`,
  }
}

export type ReceiptsRead = {
  runtime: Runtime
  read: Awaited<ReturnType<Context['ports']['media']['readReceipts']>>
}

/** A runtime's receipts after those that the vault has, checked from signatures alone. Codes of the medium's `readReceipts`. */
export async function readReceiptsOf(
  { vault, ports }: Context,
  runtimeId: string,
  file: string,
): Promise<ReceiptsRead> {
  const { state, anchor } = vault
  const runtime = knownRuntime(state, runtimeId)
  const { receiptSigner } = await accepted(runtime, anchor)
  const { upTo, head } = runtime.receipts
  const after = head === null ? null : { seq: upTo, digest: head }
  const expected = { signer: receiptSigner, runtimeId, after, practice: anchor.practice }
  return { runtime, read: await ports.media.readReceipts(file, expected) }
}

function readReceipts(context: Context): Promise<ReceiptsRead> {
  const { runtime, receipts } = context.plan as PlanOf<'intake'>
  return readReceiptsOf(context, runtime, receipts)
}

/** While a restored vault waits for a runtime, receipts that it has already are an answer too: there are no newer ones. */
function mustBeNew({ runtime, read }: ReceiptsRead, { vault }: Context): void {
  const awaited = vault.state.awaited.has(runtime.runtimeId)
  must(read.receipts.length > 0 || awaited, 'ceremony-conflict', 'The vault has all of these receipts already.')
}

export async function checkReceipts(context: Context): Promise<Outcome> {
  const { runtime, read } = await readReceipts(context)
  mustBeNew({ runtime, read }, context)
  for (const receipt of read.receipts) mustBeOurs(receipt, runtime, context)
  return {
    observed: `${count(read.receipts.length, 'new receipt')} of ${runtime.runtimeId}, an unbroken chain after receipt ${runtime.receipts.upTo}.`,
  }
}

/** A runtime that imported what this vault never exported has met a newer copy of it. Codes `vault-rolled-back`, `file-from-future`. */
export function mustBeOurs(
  { seq, at, stated }: Receipt,
  runtime: Runtime,
  { vault, ports }: Pick<Context, 'vault' | 'ports'>,
  { restored } = { restored: vault.state.awaited.has(runtime.runtimeId) },
): void {
  const ahead = at - ports.now()
  must(ahead <= AHEAD, 'file-from-future', `Receipt ${seq} was made ${spellDuration(ahead)} from now.`)
  // What the vault that was lost exported after the backup, only receipts can tell.
  if (restored) return
  if (stated.type === 'revoked') {
    const signed = runtime.revocations.some((one) => one.id === stated.id && one.order === stated.order)
    must(
      signed,
      'vault-rolled-back',
      `${runtime.runtimeId} took revocation ${stated.order}, which this vault has no record of.`,
    )
  }
  if (stated.type !== 'imported') return
  const handoff = runtime.handoffs.findLast((one) => one.number === stated.number && one.exported)
  const known = handoff?.exported?.manifest === stated.manifest && stated.eventSeq <= vault.state.seq
  must(
    known,
    'vault-rolled-back',
    `${runtime.runtimeId} imported bundle ${stated.number}, which this vault has no record of.`,
  )
}

/** What the history keeps of receipts. */
export function takenFrom({ runtime, read }: ReceiptsRead): Omit<EventOf<'receipts-taken'>, 'type'> {
  const { receipts, head, offer: offered, fileDigest: file } = read
  must(head, 'ceremony-conflict', 'This file holds no receipt.')
  const statements = receipts.map((receipt) => ({ seq: receipt.seq, at: receipt.at, stated: { ...receipt.stated } }))
  return { runtimeId: runtime.runtimeId, file, upTo: head.seq, head: head.digest, offered, statements }
}

export async function takeReceipts(context: Context): Promise<Outcome> {
  const found = await readReceipts(context)
  mustBeNew(found, context)
  const { receipts } = found.read
  const taken = takenFrom(found)
  const { approved } = await act(context, taken, async () => undefined)
  const erased = receipts.filter((receipt) => receipt.stated.type === 'erased').length
  return {
    observed: `${count(receipts.length, 'receipt')} taken; ${count(erased, 'private half was', 'private halves were')} erased, by the runtime's word.`,
    events: [approved, { type: 'receipts-taken', ...taken }],
  }
}
