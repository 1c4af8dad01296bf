import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import { KEY_SPECS, type KeySpec } from '../../../shared/domain/algorithms.ts'
import { DAY, DEFAULT_POLICY, HOUR, type Policy } from '../../../shared/domain/policy.ts'
import { keysOf, type VaultState } from '../../../shared/domain/state.ts'
import { must } from '../../../shared/errors.ts'
import { thumbprint } from '../../../shared/formats/fingerprint.ts'
import { canonicalText } from '../../../shared/formats/json.ts'
import type { Plan } from '../../../shared/formats/plan.ts'
import { makeFolder, writeNewFile } from '../../files/write.ts'
import type { PracticeWorld } from './world.ts'

/** What a plan takes for granted, made up in a practice vault, and the plan that then names what was made up. */

/** The plan as its file says it, so that durations stay as they were written. */
export type Written = Record<string, unknown> & { kind: Plan['kind'] }
/** One thing that stands in for another, in words. */
export type StandIns = string[]
type Standing = { world: PracticeWorld; plan: Written; real: VaultState | null; said: StandIns }

const MOST = 20
/** The stand-in for the tenants of a plan that names none. */
const SOMEBODY = ['acme', 'globex']

/** Makes what must exist before the plan can be carried out, and gives the plan for the practice vault. */
export async function standIn(
  world: PracticeWorld,
  plan: Written,
  real: VaultState | null,
): Promise<{ plan: Written; said: StandIns }> {
  const standing: Standing = { world, plan, real, said: [] }
  must(
    plan.kind !== 'restore',
    'ceremony-conflict',
    'a restore begins with a lost vault, a backup of it, and what its runtimes did since.',
  )
  const tenants = tenantsOf(standing)
  const policies = tenants.map((tenant) => policyOf(tenant, standing))
  await world.begin(PAST[plan.kind]?.(plan, policies) ?? HOUR)
  if (plan.kind === 'genesis') return { plan, said: [] }
  const kids = kidsOf(plan)
  await onboard(standing, [...tenants, ...kids.map((_, index) => `key-${index + 1}`)])
  for (const runtime of runtimesOf(plan)) await runtimeWithKeys(standing, runtime)
  await holdsOf(standing)
  world.arrive()
  const keyed = await withKeys(standing, kids)
  return { plan: await (FILES[plan.kind] ?? noFiles)({ ...standing, plan: keyed }), said: standing.said }
}

/** How long before now the world begins: long enough for keys to retire, or for a horizon to run out. */
const PAST: Partial<Record<Plan['kind'], (plan: Written, policies: readonly Policy[]) => number>> = {
  destroy: (_, policies) => Math.max(...lengths(policies, (one) => one.rotationInterval + one.extension)) + DAY,
  rotate: (plan, policies) => {
    const within = typeof plan['endingWithin'] === 'string' ? Number.parseInt(plan['endingWithin'], 10) * DAY : 0
    return Math.max(
      ...lengths(policies, (one) => {
        const whole = (one.horizon + 1) * one.rotationInterval
        return Math.min(whole - DAY, Math.max(one.rotationInterval + DAY, within > 0 ? whole - within + DAY : 0))
      }),
    )
  },
}
const lengths = (policies: readonly Policy[], of: (policy: Policy) => number): number[] =>
  [DEFAULT_POLICY, ...policies].map(of)

const texts = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value]).filter((one) => typeof one === 'string')
const objects = (value: unknown): Record<string, unknown>[] =>
  (Array.isArray(value) ? value : []).filter((one) => typeof one === 'object' && one !== null)

/** Tenants that must be there already: those the plan names, or somebody. */
function tenantsOf({ plan, real, said }: Standing): string[] {
  if (plan.kind === 'onboard' || plan.kind === 'import-key' || plan.kind === 'genesis') return []
  const scope = objects([plan['scope']])
  const changes = objects(plan['changes']).flatMap((one) => [...texts(one['tenant']), ...texts(one['offboard'])])
  const named = [
    ...texts(plan['tenants']),
    ...texts(plan['tenant']),
    ...scope.flatMap((one) => texts(one['tenant'])),
    ...changes,
  ]
  const wanted = named.filter((one) => one !== 'all')
  const all = wanted.length > 0 ? wanted : real && real.tenants.size > 0 ? [...real.tenants.keys()] : SOMEBODY
  if (all.length > MOST) said.push(`The first ${MOST} of ${all.length} tenants stand in for all of them.`)
  return [...new Set(all)].slice(0, MOST)
}

/** Envelopes hold standby keys, so a policy must ask for one. */
const policyOf = (tenant: string, { real, plan }: Pick<Standing, 'real' | 'plan'>): Policy => {
  const known = real?.tenants.get(tenant)?.policy ?? { ...DEFAULT_POLICY, signingAlgorithms: ['ES256'] }
  return plan.kind === 'envelope' && known.standby === 'none' ? { ...known, standby: 'cold' } : known
}

/** "90d": the largest unit that divides it. */
function duration(seconds: number): string {
  const units: [string, number][] = [
    ['d', DAY],
    ['h', HOUR],
    ['m', 60],
  ]
  const [unit, size] = units.find(([, one]) => seconds % one === 0) ?? ['s', 1]
  return `${seconds / size}${unit}`
}

const writtenPolicy = (policy: Policy): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(policy).map(([name, value]) =>
      typeof value === 'number' && name !== 'horizon' && name !== 'materialAhead'
        ? [name, duration(value)]
        : [name, value],
    ),
  )

async function onboard(standing: Standing, tenants: readonly string[]): Promise<void> {
  if (tenants.length === 0) return
  const { world, real } = standing
  const planned = tenants.map((tenant) => ({
    tenant,
    name: `Practice ${tenant}`,
    issuer: real?.tenants.get(tenant)?.issuer ?? `https://${tenant}.example`,
    policy: writtenPolicy(policyOf(tenant, standing)),
  }))
  await world.hold({ kind: 'onboard', tenants: planned })
}

/** Runtimes that must hold keys already. */
function runtimesOf(plan: Written): string[] {
  const attested = objects(plan['attestations']).flatMap((one) => texts(one['copy']))
  const copies = attested.flatMap((copy) => /^(?:runtime|file):([a-z0-9-]+)/.exec(copy)?.[1] ?? [])
  // The keys of a tenant are compromised where they left the vault: so they must have left it.
  const scoped = objects([plan['scope']]).flatMap((one) => (one['tenant'] ? 'runtime-1' : texts(one['runtime'])))
  return [...new Set([...texts(plan['runtime']), ...scoped, ...copies])]
}

async function runtimeWithKeys({ world, plan, said }: Standing, runtime: string): Promise<void> {
  await world.enroll(runtime)
  if (plan.kind === 'handoff') return
  if (plan.kind === 'envelope') {
    await world.withRuntime(runtime, ({ envelopes }) => envelopes.offer(MOST))
    await world.hold({ kind: 'intake', runtime, receipts: await world.receipts(runtime) })
    return
  }
  await world.handOver(runtime)
  said.push(`${runtime} is a runtime in the temporary folder; it imported the practice keys.`)
}

/** Holds that the plan lifts must lie on something. */
async function holdsOf({ world, plan }: Standing): Promise<void> {
  const lifted = objects(plan['changes']).flatMap((one) => texts(one['lift']))
  if (lifted.length === 0) return
  const [tenant = ''] = (await world.state()).tenants.keys()
  const changes = lifted.map((hold) => ({ hold, tenant, reason: 'A hold to practise with' }))
  await world.hold({ kind: 'amend', changes, reason: 'Holds to practise with' })
}

const KIDS = /^[A-Za-z0-9_-]{43}$/

/** Every key that the plan names. */
function kidsOf(plan: Written): string[] {
  const scope = objects([plan['scope']]).flatMap((one) => texts(one['key']))
  const held = objects(plan['changes']).flatMap((one) => texts(one['keys']))
  const named = plan.kind === 'import-key' ? [] : texts(plan['keys'])
  const kids = [...new Set([...named, ...scope, ...held])].filter((kid) => KIDS.test(kid))
  must(
    kids.length <= MOST,
    'ceremony-conflict',
    `The plan names ${kids.length} keys; at most ${MOST} can be stood in. Rehearse a plan with fewer.`,
  )
  return kids
}

/** The plan with the first key of a stand-in tenant for each key that it names. */
async function withKeys({ world, plan, said }: Standing, kids: readonly string[]): Promise<Written> {
  if (kids.length === 0) return plan
  const state = await world.state()
  const made = kids.map((kid, index) => [kid, keysOf(state, `key-${index + 1}`)[0]?.kid ?? kid] as const)
  for (const [kid, instead] of made) said.push(`Key ${instead.slice(0, 8)} stands in for ${kid.slice(0, 8)}.`)
  const text = made.reduce((all, [kid, instead]) => all.replaceAll(kid, instead), JSON.stringify(plan))
  return JSON.parse(text) as Written
}

const noFiles = async ({ plan }: Standing): Promise<Written> => plan

/** Files that the plan expects on the medium. */
const FILES: Partial<Record<Plan['kind'], (standing: Standing) => Promise<Written>>> = {
  'enroll-runtime': async ({ world, plan, said }) => {
    said.push('The runtime to enroll is made up, with an enrollment and a fingerprint of its own.')
    return { ...plan, ...(await world.offer('runtime-1')) }
  },
  intake: async ({ world, plan }) => ({ ...plan, receipts: await world.receipts(texts(plan['runtime'])[0] ?? '') }),
  'import-key': async ({ world, plan, said }) => {
    makeFolder(world.media)
    for (const { file, format, spec } of objects(plan['keys'])) {
      must(format !== 'pfx', 'ceremony-conflict', 'A PFX file cannot be made up here. Rehearse with a PEM or a JWK.')
      writeNewFile(join(world.media, String(file)), privateKey(String(spec) as KeySpec, format === 'jwk'))
    }
    said.push('The keys to import are made up.')
    return plan
  },
  'export-key': async ({ world, plan, said }) => {
    makeFolder(world.media)
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
    const jwk = { kty: 'EC', crv: 'P-256', x, y } as const
    writeNewFile(join(world.media, String(plan['recipient'])), canonicalText(jwk))
    said.push("The recipient's key is made up.")
    return { ...plan, fingerprint: thumbprint(jwk) }
  },
  backup: async ({ plan, said }) => {
    if (!Array.isArray(plan['replaces']) || plan['replaces'].length === 0) return plan
    said.push('Earlier backups are not stood in: this one replaces none.')
    return { ...plan, replaces: [], attestations: [] }
  },
}

function privateKey(spec: KeySpec, jwk: boolean): string {
  const row = KEY_SPECS[spec]
  const { privateKey: made } =
    row.kty === 'RSA'
      ? generateKeyPairSync('rsa', { modulusLength: row.bits })
      : row.kty === 'EC'
        ? generateKeyPairSync('ec', { namedCurve: row.crv })
        : generateKeyPairSync('ed25519')
  return jwk ? canonicalText(made.export({ format: 'jwk' })) : String(made.export({ format: 'pem', type: 'pkcs8' }))
}
