import { createPublicKey, hash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { KEY_SPECS, type KeySpec } from '../../shared/domain/algorithms.ts'
import type { Context } from './context.ts'
import { onCopy, storeDigest } from './drill-copy.ts'
import { discoveryAnswer } from './http/discovery.ts'
import { jwksAnswer, signedJwksAnswer } from './http/jwks.ts'
import type { TenantService } from './service.ts'
import { verifySignature } from './signing.ts'
import { type Tainted, taint } from './taint.ts'
import { StoredTenant } from './tenant-service.ts'
import { loadTenants, servedTenant, signersAt, type TenantState } from './tenant-state.ts'

/**
 * The blast-radius drill (issuer.md, "Isolation"): on a copy of the store, the keys of one tenant that sign are tainted
 * and withdrawn, and what every other tenant serves is compared byte by byte with what it served before.
 */

export type Drill = {
  tenant: string
  at: number
  /** What happened to the tenant's keys that signed, one by one. */
  tainted: Tainted[]
  /** Tokens of the tenant's keys that its own key set does not verify any more, of how many. */
  refused: { of: number; refused: number }
  /** Algorithms for which nobody could sign for the tenant: token requests would be refused (503). */
  unsigned: string[]
  /** The longest exposure of the tainted keys. */
  residualUntil: number | null
  others: {
    tenants: number
    /** Tenants with what differs. */
    changed: { tenant: string; what: Part[] }[]
    /** Tokens that were signed before the taint, and verify after it under what is published then. */
    tokens: { signed: number; verified: number }
  }
  /** Digest of the real store's tenants, keys and receipts, before and after. */
  store: { before: string; after: string }
  /** True where nothing of anybody else changed, their tokens verify, and the tenant's own do not. */
  held: boolean
}

const PARTS = ['jwks.json', 'jwks.jwt', 'discovery', 'signers'] as const
type Part = (typeof PARTS)[number]
type Token = { kid: string; spec: KeySpec; input: string; signature: string }
/** What one tenant shows the world: a digest of each document, and one token per algorithm. */
type Shown = { parts: Record<Part, string>; tokens: Token[] }

type Progress = (stage: 'before' | 'after', done: number, total: number) => void

/**
 * Holds the drill. The copy lies in the runtime's own folder, encrypted like the store, and is removed again. Codes
 * `tenant-unknown`, and those of `onCopy`.
 */
export async function drill(context: Context, tenant: string, progress: Progress = () => {}): Promise<Drill> {
  await servedTenant(context.store, tenant)
  const before = await storeDigest(context.store)
  const on = await onCopy(context, (copy) => drillOn(copy, tenant, progress))
  const after = await storeDigest(context.store)
  return { ...on, store: { before, after } }
}

async function drillOn(copy: Context, tenant: string, progress: Progress): Promise<Omit<Drill, 'store'>> {
  const at = copy.clock.now()
  const shown = new Map<string, Shown>()
  for await (const [state, total] of tenantsOf(copy)) {
    shown.set(state.tenant, await show(copy, state, at, { signs: true }))
    progress('before', shown.size, total)
  }
  const own = await servedTenant(copy.store, tenant)
  const tainted: Tainted[] = []
  for (const key of signersAt(own, at).values())
    if (key) tainted.push(await taint(copy, tenant, key.kid, { withdraw: true, actor: 'drill' }))
  const others: Drill['others'] = { tenants: 0, changed: [], tokens: { signed: 0, verified: 0 } }
  const refused = { of: 0, refused: 0 }
  for await (const [state, total] of tenantsOf(copy)) {
    const was = shown.get(state.tenant)
    const verified = (was?.tokens ?? []).filter((token) => verifies(copy, state, token, at)).length
    const signed = was?.tokens.length ?? 0
    if (state.tenant === tenant) Object.assign(refused, { of: signed, refused: signed - verified })
    else await compare(copy, state, was, { at, verified }, others)
    progress('after', others.tenants, total - 1)
  }
  const unsigned = tainted.at(-1)?.unsigned ?? own.entry.policy.signingAlgorithms.map((spec) => KEY_SPECS[spec].alg)
  const residualUntil = tainted.length === 0 ? null : Math.max(...tainted.map((one) => one.residualUntil))
  const sound =
    others.tenants === shown.size - 1 && others.changed.length === 0 && others.tokens.verified === others.tokens.signed
  const held = sound && refused.refused === refused.of
  return { tenant, at, tainted, refused, unsigned, residualUntil, others, held }
}

async function compare(
  copy: Context,
  state: TenantState,
  was: Shown | undefined,
  { at, verified }: { at: number; verified: number },
  others: Drill['others'],
): Promise<void> {
  const is = await show(copy, state, at, { signs: false })
  const what = PARTS.filter((part) => was?.parts[part] !== is.parts[part])
  if (what.length > 0) others.changed.push({ tenant: state.tenant, what })
  others.tenants += 1
  others.tokens.signed += was?.tokens.length ?? 0
  others.tokens.verified += verified
}

/** Every tenant that is served, one at a time in memory, with how many there are. */
async function* tenantsOf({ store }: Context): AsyncGenerator<[TenantState, number]> {
  const [counted] = await store.all<{ n: number }>(
    'SELECT count(*) AS n FROM tenants t WHERE NOT EXISTS (SELECT 1 FROM removed_tenants r WHERE r.tenant = t.tenant)',
  )
  for (let after = ''; ; ) {
    const page = await loadTenants(store, after, 100)
    for (const state of page) yield [state, counted?.n ?? 0]
    await setImmediate()
    const last = page.at(-1)
    if (!last) return
    after = last.tenant
  }
}

/** The tenant's documents as the HTTP side makes them, and, with `signs`, a token of each key that signs. */
async function show(copy: Context, state: TenantState, now: number, { signs }: { signs: boolean }): Promise<Shown> {
  const service = new StoredTenant(copy, state)
  const fetch = { now, ifNoneMatch: undefined }
  const signers = [...signersAt(state, now)].map(([alg, key]) => `${alg} ${key?.kid ?? 'nobody'}`)
  const digest = (answer: unknown) => hash('sha256', JSON.stringify(answer), 'base64url')
  const parts = {
    'jwks.json': digest(jwksAnswer(service, fetch)),
    'jwks.jwt': digest(await signedJwksAnswer(service, fetch)),
    discovery: digest(await discoveryAnswer(service, fetch)),
    signers: signers.join(),
  }
  return { parts, tokens: signs ? await tokensOf(service, state, now) : [] }
}

/**
 * What is signed here never leaves this process and is nobody's token: it expired in 1970, and has a type of its own.
 */
async function tokensOf(service: TenantService, state: TenantState, now: number): Promise<Token[]> {
  const tokens: Token[] = []
  for (const spec of state.entry.policy.signingAlgorithms) {
    const signer = await service.signer(KEY_SPECS[spec].alg, now)
    if (!signer) continue
    const { kid } = signer
    const parts = [
      { alg: signer.alg, typ: 'keyrite-drill', kid },
      { iss: service.issuer, exp: 1 },
    ]
    const input = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
    tokens.push({ kid, spec, input, signature: signer.sign(input) })
  }
  return tokens
}

/** Whether a token verifies under the key set that its tenant publishes now. */
function verifies(copy: Context, state: TenantState, { kid, spec, input, signature }: Token, now: number): boolean {
  const jwk = new StoredTenant(copy, state).published(now).keys.find((key) => key.kid === kid)
  return (
    jwk !== undefined && verifySignature(spec, createPublicKey({ key: { ...jwk }, format: 'jwk' }), input, signature)
  )
}
