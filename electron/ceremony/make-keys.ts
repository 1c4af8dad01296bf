import { KEY_SPECS, type KeySpec, type PublicJwk } from '../../shared/domain/algorithms.ts'
import { decideOnboard, decideRotate } from '../../shared/domain/decide.ts'
import { awaitingReplacement, decideReplacements, type Replacements } from '../../shared/domain/emergency.ts'
import type { EventOf, VaultEvent } from '../../shared/domain/events.ts'
import { decideImport } from '../../shared/domain/imported.ts'
import type { KeyJob } from '../../shared/domain/key-jobs.ts'
import { lintKey, modulusOf } from '../../shared/domain/lint.ts'
import { madeObjects } from '../../shared/domain/objects.ts'
import { count } from '../../shared/domain/plural.ts'
import { SKEW } from '../../shared/domain/policy.ts'
import { auditSharedFactors } from '../../shared/domain/shared-factors.ts'
import { utcDay } from '../../shared/domain/utc.ts'
import { KeyriteError, must } from '../../shared/errors.ts'
import { wipe } from '../../shared/formats/bytes.ts'
import { hexGroups, thumbprint, words } from '../../shared/formats/fingerprint.ts'
import { merkleRootOf } from '../../shared/formats/merkle.ts'
import type { Plan } from '../../shared/formats/plan.ts'
import { checkIssuerUrl } from '../../shared/formats/tenant-id.ts'
import { type CertificateFor, NO_END } from '../../shared/formats/x509.ts'
import { act, type Context, listed, type Outcome } from './context.ts'
import type { MadeKey, MadeKeys, MakeJob } from './ports.ts'

/** Making keys for onboarding, rotation and replacement: decide, generate, lint, seal, in one transaction. */

/** What the plan asks for: new tenants and the keys to make. The same decision is taken before the ceremony starts. */
export function jobsOf(
  context: Pick<Context, 'vault' | 'ceremony'> & { plan: Plan },
  now: number,
): { events: VaultEvent[]; jobs: KeyJob[]; places?: KeyJob[] } {
  const { state, anchor } = context.vault
  const { plan } = context
  switch (plan.kind) {
    case 'onboard':
      for (const { issuer } of plan.tenants) checkIssuerUrl(issuer, anchor.practice)
      return decideOnboard(state, plan.tenants, now)
    case 'import-key': {
      checkIssuerUrl(plan.tenant.issuer, anchor.practice)
      const specs = plan.keys.map(({ spec }) => spec)
      return decideImport(state, plan.tenant, specs, plan.signFor ?? null, now)
    }
    case 'rotate':
      return { events: [], jobs: decideRotate(state, plan.tenants, plan.endingWithin ?? null, now).jobs }
    case 'emergency':
      return replacementsOf(decideReplacements(state, awaitingReplacement(state, plan.scope, now), now))
    default:
      return { events: [], jobs: [] }
  }
}

const replacementsOf = ({ called, jobs }: Replacements) => ({ events: called, jobs })

/** Makes the keys that the plan needs; `taken` are imported keys that are sealed in the same transaction. */
export async function makeKeys(context: Context, taken: readonly TakenKey[] = []): Promise<Outcome> {
  const { ports, vault } = context
  const stirred = await rollDice(context)
  const now = ports.now()
  const { events, jobs, places = [] } = jobsOf(context, now)
  const imported = places.flatMap((place, at) => takenEvent(place, taken[at]))
  const asked = askedFor(jobs, events, vault.state)
  const made =
    asked.length === 0
      ? new Map<string, MadeKeys>()
      : await ports.makeKeys(asked, (done, total) => ports.progress('Making keys', done, total))
  try {
    const linted = match(
      jobs,
      made,
      vault.state,
      imported.map(({ event }) => event.jwk),
    )
    const root = merkleRootOf(linted.map(({ kid }) => kid))
    const { result, approved } = await act(
      context,
      madeObjects(
        events,
        linted.map(({ job, kid, key }) => ({ ...job, kid, spec: key.spec, x5c: key.x5c })),
        imported.map(({ event }) => event),
      ),
      async (quorum) => [
        ...imported.map(({ event, pkcs8 }) => ({
          event,
          rows: quorum.seal(event.tenant, event.kid, event.spec, pkcs8),
        })),
        ...linted.map(({ job, kid, key, generator }) => ({
          event: bornEvent(job, kid, key, generator),
          rows: quorum.seal(job.tenant, kid, key.spec, key.pkcs8),
        })),
      ],
    )
    const born = result.map(({ event, rows }): VaultEvent => ({ ...event, sealed: rows.digests }))
    const put = new Map(result.flatMap(({ rows }) => [...rows.put]))
    const observed = `${describe(linted.length, asked.length, root)}${describeCalled(events, vault.state)}${stirred}`
    return { observed, events: [approved, ...events, ...born], put }
  } finally {
    for (const { keys } of made.values()) for (const key of keys) wipe(key.pkcs8)
  }
}

/** What the generating processes are to make: for each tenant its specs, and certificates where its policy asks for them. */
function askedFor(
  jobs: readonly KeyJob[],
  events: readonly VaultEvent[],
  { tenants }: Context['vault']['state'],
): MakeJob[] {
  const added = new Map(events.flatMap((event) => (event.type === 'tenant-added' ? [[event.tenant, event]] : [])))
  return [...Map.groupBy(jobs, (job) => job.tenant)].map(([tenant, of]) => {
    const { issuer = '', policy } = added.get(tenant) ?? tenants.get(tenant) ?? {}
    const wanted = of.map((job) => (policy?.x509 ? certificateFor(job, issuer) : null))
    return { tenant, specs: of.map((job) => job.spec), certificates: wanted }
  })
}

/**
 * From its announcement to its removal, and the clocks' tolerance on both sides. How long a standby key will be published
 * is not known before it is called upon.
 */
function certificateFor({ spec, times, standby }: KeyJob, issuer: string): CertificateFor | null {
  if (KEY_SPECS[spec].kty !== 'RSA') return null
  return { issuer, from: times.announceAt - SKEW, to: standby ? NO_END : times.removeAt + SKEW }
}

/** Where the plan asks for dice: what was rolled goes into the pool that seeds every generating process. */
async function rollDice({ ports, plan }: Context): Promise<string> {
  if (!('dice' in plan) || !plan.dice) return ''
  return ` ${ports.stir(await ports.desk.dice(plan.dice))}`
}

/** An imported key on its way into the vault; whoever read it wipes `pkcs8`. */
export type TakenKey = Pick<EventOf<'key-imported'>, 'kid' | 'jwk' | 'imported'> & { pkcs8: Uint8Array }

function takenEvent({ tenant, spec, label, times }: KeyJob, taken: TakenKey | undefined) {
  if (!taken) return []
  const { kid, jwk, imported, pkcs8 } = taken
  return [{ event: { type: 'key-imported', tenant, kid, spec, jwk, label, times, imported } as const, pkcs8 }]
}

type Linted = { job: KeyJob; kid: string; key: MadeKey; generator: { node: string; openssl: string } }

/** Pairs each job with its key and lints every key: alone, against the others, and against all that the vault ever made. */
function match(
  jobs: readonly KeyJob[],
  made: ReadonlyMap<string, MadeKeys>,
  state: Context['vault']['state'],
  taken: readonly PublicJwk[],
): Linted[] {
  const known = [...[...state.keys.values()].map(({ jwk }) => jwk), ...taken]
  const used = new Map<string, number>()
  const seen = new Set(state.keys.keys())
  const linted = jobs.map((job) => {
    const at = used.get(job.tenant) ?? 0
    used.set(job.tenant, at + 1)
    const from = made.get(job.tenant)
    const key = from?.keys[at]
    if (!from || key?.spec !== job.spec)
      throw new KeyriteError('generator-failed', `The generator did not make the keys that ${job.tenant} needs.`)
    const kid = thumbprint(key.jwk)
    const findings = lintKey(key.spec, key.jwk).map((finding) => finding.message)
    if (seen.has(kid)) findings.push('the very same key was made before')
    must(findings.length === 0, 'key-refused', `A new key of ${job.tenant} is refused: ${findings.join('; ')}.`)
    seen.add(kid)
    return { job, kid, key, generator: { node: from.node, openssl: from.openssl } }
  })
  const rsa = linted.flatMap((one) => modulusOf(one.key.jwk) ?? [])
  const shared = auditSharedFactors(
    rsa,
    known.flatMap((jwk) => modulusOf(jwk) ?? []),
  )
  must(shared.length === 0, 'key-refused', 'A new key is refused: its modulus shares a prime factor with another key.')
  return linted
}

function bornEvent(job: KeyJob, kid: string, key: MadeKey, generator: { node: string; openssl: string }) {
  const { tenant, label, times, replaces, standby } = job
  const spec: KeySpec = key.spec
  return {
    type: 'key-generated',
    tenant,
    kid,
    spec,
    jwk: key.jwk,
    ...(key.x5c && { x5c: key.x5c }),
    label,
    times,
    replaces,
    ...(standby && { standby }),
    generator: { ...generator, process: 'fresh' },
  } as const
}

/** Standby keys that take over in this very step. */
function describeCalled(events: readonly VaultEvent[], state: Context['vault']['state']): string {
  const called = events.flatMap((event) =>
    event.type === 'standby-activated' ? (state.keys.get(event.kid) ?? []) : [],
  )
  if (called.length === 0) return ''
  const since = Math.max(...called.map((key) => key.times.announceAt))
  return ` Called upon: ${listed(called)}, announced since ${utcDay(since)}.`
}

function describe(keys: number, tenants: number, root: string): string {
  if (keys === 0) return 'No key had to be made.'
  return `${count(keys, 'key')} made for ${count(tenants, 'tenant')}, linted and sealed. One digest stands for all of them: ${hexGroups(root).join(' ')}, words ${words(root).slice(0, 4).join(' ')} …`
}
