import { must } from '../errors.ts'
import { KEY_SPECS, type KeySpec } from './algorithms.ts'
import type { VaultEvent } from './events.ts'
import { findingOf } from './key-jobs.ts'
import { knownKey, knownTenant, livingTenant, sameAlgorithm } from './known.ts'
import { count } from './plural.ts'
import { checkPolicy, type Policy, type RelyingParty } from './policy.ts'
import { keysOf, type Tenant, type VaultState } from './state.ts'

/** Changes to tenants and legal holds. What is signed and handed over is never changed by them. */

export type TenantChange = {
  tenant: string
  name?: string
  /** Members that are not named stay as they are. */
  policy?: Partial<Policy>
  relyingParties?: RelyingParty[]
}

export type Change =
  | TenantChange
  | { hold: string; keys: string[]; reason: string }
  | { hold: string; tenant: string; reason: string }
  | { lift: string }
  | { offboard: string }

/** One change as an event, and in words for the record. */
export type Decided = { event: VaultEvent; said: string }

/**
 * What an amendment changes, in the order of the plan. Codes `plan-invalid` for a tenant or hold that stands twice or a
 * change that changes nothing, `tenant-unknown`, `key-unknown`, `policy-rejected`, `ceremony-conflict` for a tenant that
 * was offboarded, a hold that exists, or one to lift that does not.
 */
export function decideAmend(state: VaultState, changes: readonly Change[], reason: string, now: number): Decided[] {
  const names = changes.map(nameOf)
  must(new Set(names).size === names.length, 'plan-invalid', 'A tenant or a hold stands twice in the plan.')
  return changes.map((change): Decided => {
    if ('hold' in change) return placeHold(state, change)
    if ('lift' in change) return liftHold(state, change.lift, reason)
    if ('offboard' in change) return offboard(state, change.offboard, reason)
    return amendTenant(state, change, now)
  })
}

function nameOf(change: Change): string {
  if ('hold' in change) return `hold ${change.hold}`
  if ('lift' in change) return `hold ${change.lift}`
  return `tenant ${'offboard' in change ? change.offboard : change.tenant}`
}

function placeHold(state: VaultState, change: Extract<Change, { hold: string }>): Decided {
  const { hold, reason } = change
  must(!state.holds.has(hold), 'ceremony-conflict', `A hold ${hold} exists already.`)
  const kids = 'keys' in change ? change.keys : knownTenant(state, change.tenant).kids
  must(new Set(kids).size === kids.length, 'plan-invalid', `A key stands twice in the hold ${hold}.`)
  const kept = kids.filter((kid) => !knownKey(state, kid).destroyed)
  must(kept.length > 0, 'ceremony-conflict', `Every key that the hold ${hold} names is destroyed already.`)
  return {
    event: { type: 'hold-placed', hold, kids: kept, reason },
    said: `Hold ${hold}: ${count(kept.length, 'key')} must not be destroyed.`,
  }
}

function liftHold(state: VaultState, hold: string, reason: string): Decided {
  must(state.holds.has(hold), 'ceremony-conflict', `There is no hold ${hold}.`)
  return { event: { type: 'hold-lifted', hold, reason }, said: `Hold ${hold} is lifted.` }
}

function offboard(state: VaultState, id: string, reason: string): Decided {
  livingTenant(state, id)
  const due = keysOf(state, id).filter((key) => !key.destroyed)
  return {
    event: { type: 'tenant-offboarded', tenant: id, reason },
    said: `${id} is offboarded: none of its keys is to sign any more, runtimes learn it with their next handoff, and ${count(due.length, 'private key is', 'private keys are')} due for destruction. Its id and issuer are never given out again.`,
  }
}

function amendTenant(state: VaultState, change: TenantChange, now: number): Decided {
  const before = livingTenant(state, change.tenant)
  const after: Tenant = {
    ...before,
    name: change.name ?? before.name,
    policy: { ...before.policy, ...change.policy },
    relyingParties: change.relyingParties ?? before.relyingParties,
  }
  const { tenant, name, policy, relyingParties } = after
  if (change.policy || change.relyingParties) mustFitSchedule(state, before, after, now)
  const changed = ['name', 'policy', 'relyingParties'].filter((member) => member in change)
  must(changed.length > 0, 'plan-invalid', `The plan names ${tenant}, but nothing to change.`)
  return {
    event: { type: 'tenant-amended', tenant, name, policy, relyingParties },
    said: [
      `${tenant}: ${changed.map((member) => WORDS[member]).join(', ')} changed.`,
      ...keyless(state, after),
      ...publishedAnew(state, before, after),
    ].join(' '),
  }
}

const WORDS: Record<string, string> = { name: 'name', policy: 'policy', relyingParties: 'relying parties' }

function mustFitSchedule(state: VaultState, before: Tenant, after: Tenant, now: number): void {
  checkPolicy(after.policy, after.relyingParties)
  const [first] = after.policy.signingAlgorithms
  const changed = first && before.policy.signingAlgorithms[0] !== first
  must(
    !changed || signsNow(state, after.tenant, first, now),
    'policy-rejected',
    `Tenant ${after.tenant}: tokens are signed with the first algorithm of the list, and no key for ${first} signs yet.`,
    { hint: 'Add it after the others first, make its keys with a rotation, and put it first once its key signs.' },
  )
  const finding = findingOf(state, after, [], [], now)
  must(
    finding === null,
    'policy-rejected',
    `Tenant ${after.tenant}: ${finding}. Keys that are made already keep their times.`,
    {
      hint: 'Choose times that these keys meet, or make the change when the last of them signs and before the next rotation.',
    },
  )
}

const signsNow = (state: VaultState, tenant: string, spec: KeySpec, now: number): boolean =>
  keysOf(state, tenant, { usable: true }).some(
    (key) => sameAlgorithm(key.spec, spec) && key.times.signFrom <= now && now < key.times.signUntil,
  )

/** What adding an algorithm means: its first key is made by a rotation, and announced before it signs. */
function keyless(state: VaultState, { tenant, policy }: Tenant): string[] {
  const keys = keysOf(state, tenant, { usable: true })
  const missing = policy.signingAlgorithms.filter((spec) => !keys.some((key) => sameAlgorithm(key.spec, spec)))
  const named = missing.map((spec) => KEY_SPECS[spec].alg).join(', ')
  return missing.length > 0
    ? [`${named} has no key yet: a rotation makes it, and it is announced before it signs.`]
    : []
}

/**
 * What changes of the keys that are published already. The next bundle cuts and signs every slot anew, so that the signed
 * sets and what the runtime serves change together.
 */
function publishedAnew(state: VaultState, before: Tenant, { tenant, policy }: Tenant): string[] {
  const kinds = new Set(keysOf(state, tenant, { usable: true }).map(({ spec }) => KEY_SPECS[spec].kty))
  const { ed25519Name, x509 } = policy
  const renamed = ed25519Name !== before.policy.ed25519Name && kinds.has('OKP')
  const certificates = x509 !== before.policy.x509 && kinds.has('RSA')
  return [
    ...(renamed
      ? [
          `From the next handoff on its Ed25519 keys are called ${ed25519Name}: verifiers that hold the former name may refuse its tokens until they fetch the key set again.`,
        ]
      : []),
    ...(certificates
      ? [
          x509
            ? 'RSA keys that are made from now on get a certificate; those made before have none.'
            : 'From the next handoff on no certificate is published.',
        ]
      : []),
  ]
}
