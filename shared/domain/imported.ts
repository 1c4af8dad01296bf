import { KeyriteError, must } from '../errors.ts'
import { KEY_SPECS, type KeySpec, type PublicJwk } from './algorithms.ts'
import { decideTenants, type NewTenant } from './decide.ts'
import type { VaultEvent } from './events.ts'
import { job, type KeyJob, mustFit, planned, standbyJob } from './key-jobs.ts'
import { sameAlgorithm } from './known.ts'
import { lintKey, modulusOf } from './lint.ts'
import { spellDuration } from './policy.ts'
import { announcedKey, extendSchedule, importedKey } from './schedule.ts'
import { auditSharedFactors } from './shared-factors.ts'
import { planTimes } from './slots.ts'
import type { VaultState } from './state.ts'

/** Keys that another issuer made and used: what must hold of them, and what follows them. */

/** What stands in every place where an imported key is shown. */
export const NOT_ATTESTED = 'imported: independence not attested'

/** An imported key's place in the schedule, and the keys to make. */
export type ImportPlan = { events: VaultEvent[]; places: KeyJob[]; jobs: KeyJob[] }

/**
 * A new tenant whose first key of each named algorithm is imported: it signs at once, because relying parties hold it
 * already, for `signFor` seconds (a rotation interval where null), while generated keys are announced. An algorithm
 * without an imported key is announced in full before it signs. `specs` in the order of the plan's keys; `places` in the
 * same order. Codes as `decideTenants`, `plan-invalid`.
 */
export function decideImport(
  state: VaultState,
  tenant: NewTenant,
  specs: readonly KeySpec[],
  signFor: number | null,
  now: number,
): ImportPlan {
  const events = decideTenants(state, [tenant])
  const { policy } = tenant
  mustBeOfPolicy(tenant, specs)
  const span = signFor ?? policy.rotationInterval
  must(
    span >= policy.propagationTime && span <= policy.rotationInterval,
    'plan-invalid',
    `An imported key signs for ${spellDuration(policy.propagationTime)} at least, so that its successor can be announced meanwhile, and not longer than a key made here: ${spellDuration(policy.rotationInterval)}. This plan says ${spellDuration(span)}.`,
  )
  const places = new Map<KeySpec, KeyJob>()
  const jobs = policy.signingAlgorithms.flatMap((spec) => {
    const taken = specs.find((one) => sameAlgorithm(one, spec))
    if (!taken) return extendSchedule(policy, [], now, announcedKey).map((times) => job(tenant.tenant, spec, times))
    const [first, ...rest] = extendSchedule(policy, [], now, (of, from) => importedKey(of, from, span))
    if (first) places.set(taken, marked(job(tenant.tenant, taken, first)))
    return rest.map((times) => job(tenant.tenant, spec, times))
  })
  jobs.push(...standbyJob(tenant.tenant, policy, [], now))
  mustFit(tenant.tenant, planTimes(policy, [...places.values(), ...jobs].map(planned), new Set(), now).finding)
  return { events, places: specs.flatMap((spec) => places.get(spec) ?? []), jobs }
}

/** The label says at every glance what the key is. */
const marked = (place: KeyJob): KeyJob => ({ ...place, label: `${place.label}-imported` })

function mustBeOfPolicy({ tenant, policy }: NewTenant, specs: readonly KeySpec[]): void {
  const algorithms = policy.signingAlgorithms.map((spec) => KEY_SPECS[spec].alg)
  const imported = specs.map((spec) => KEY_SPECS[spec].alg)
  must(new Set(imported).size === imported.length, 'plan-invalid', 'One key for each signing algorithm is imported.')
  const foreign = imported.find((alg) => !algorithms.includes(alg))
  must(!foreign, 'plan-invalid', `The plan imports a key for ${foreign}, which is no signing algorithm of ${tenant}.`)
  const [first] = algorithms
  must(
    first && imported.includes(first),
    'plan-invalid',
    `The first signing algorithm of ${tenant} is ${first}: without an imported key for it, nobody could sign until a new one is announced.`,
  )
}

/** An imported key as far as it is public. */
export type Taken = { file: string; spec: KeySpec; kid: string; jwk: PublicJwk }

/**
 * What must hold of imported keys: the lint that every generated key passes, no shared factor with any key that the vault
 * knows, never seen before. Codes `key-refused`; `tombstone-hit` for a key that was destroyed in this vault.
 */
export function checkTaken(state: VaultState, keys: readonly Taken[]): void {
  const moduli = [...state.keys.values()].flatMap(({ jwk }) => modulusOf(jwk) ?? [])
  const seen = new Set<string>()
  for (const { file, spec, kid, jwk } of keys) {
    const known = state.keys.get(kid)
    if (known?.destroyed)
      throw new KeyriteError('tombstone-hit', `${file} holds ${known.label}, which was destroyed in this vault.`)
    const findings = lintKey(spec, jwk).map((finding) => finding.message)
    if (known) findings.push(`It is a key of ${known.tenant} already: ${known.label}.`)
    if (seen.has(kid)) findings.push('The plan imports the very same key twice.')
    const modulus = modulusOf(jwk)
    if (modulus && findings.length === 0) {
      const shared = auditSharedFactors([modulus], moduli)
      if (shared.length > 0) findings.push('The modulus shares a prime factor with another key.')
      moduli.push(modulus)
    }
    must(findings.length === 0, 'key-refused', `The key in ${file} is refused: ${findings.join(' ')}`, {
      hint: 'Do not import this key. Onboard the tenant with new keys, and let relying parties learn them.',
    })
    seen.add(kid)
  }
}
