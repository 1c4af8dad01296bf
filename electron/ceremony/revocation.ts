import type { RevocationIntent, VaultEvent } from '../../shared/domain/events.ts'
import { knownRuntime, knownTenant } from '../../shared/domain/known.ts'
import { revocationObjects } from '../../shared/domain/objects.ts'
import { pastKeys } from '../../shared/domain/past-keys.ts'
import { count } from '../../shared/domain/plural.ts'
import { DAY, HOUR, spellDuration } from '../../shared/domain/policy.ts'
import { asHandedOver, decidePrepared, decideRevocations, type RevocationJob } from '../../shared/domain/revocations.ts'
import { must } from '../../shared/errors.ts'
import type { PlanOf } from '../../shared/formats/plan.ts'
import { act, type Context, listed, type Outcome } from './context.ts'
import { tenantExport } from './handoff.ts'
import type { WrittenFile } from './ports.ts'

/** Revocations: the vault's word to runtimes, after a compromise at once, or prepared for a day when no quorum is there. */

type Said = { reason: string; validFor: number; prepared: boolean }
type Job = RevocationJob & { intent: RevocationIntent }

/** Signs a revocation for every runtime that knows a marked key of the plan, and reads each back. */
export async function signRevocations(context: Context): Promise<Outcome> {
  const { scope, reason, validFor } = context.plan as PlanOf<'emergency'>
  const jobs = decideRevocations(context.vault.state, scope, context.ports.now())
  if (jobs.length === 0) return { observed: 'No runtime was handed one of these keys: there is nothing to sign.' }
  const { outcome, files } = await sign(context, jobs, { reason, validFor, prepared: false })
  for (const { name } of files) await context.ports.media.checkRevocation(name, context.vault.anchor)
  const observed = `${outcome.observed} Read back and checked from the trust anchor alone. Import each at its runtime now: it needs no handoff.`
  return { ...outcome, observed }
}

/** What a plan to prepare a revocation will do, in one line. Codes of `decidePrepared`; `plan-invalid`. */
export function describePrepared(context: Pick<Context, 'vault'>, plan: PlanOf<'envelope'>, now: number): string {
  must(
    plan.validFor >= HOUR && plan.validFor <= 2 * 365 * DAY,
    'plan-invalid',
    `A prepared revocation is valid for an hour at least and two years at most. This plan says ${spellDuration(plan.validFor)}.`,
  )
  return described(preparedJob(context, plan, now))
}

const preparedJob = ({ vault }: Pick<Context, 'vault'>, plan: PlanOf<'envelope'>, now: number): RevocationJob =>
  decidePrepared(vault.state, plan.runtime, { tenants: plan.tenants, keys: plan.revoke?.keys }, now)

/** Signs one revocation that is kept sealed. Nothing is marked compromised. */
export async function prepareRevocation(context: Context): Promise<Outcome> {
  const plan = context.plan as PlanOf<'envelope'>
  const { revoke, validFor } = plan
  must(revoke, 'internal', 'The plan prepares no revocation.')
  const job = preparedJob(context, plan, context.ports.now())
  const { outcome } = await sign(context, [job], { reason: revoke.reason, validFor, prepared: true })
  return { ...outcome, observed: `${outcome.observed} It goes into a bag of its own; no key is marked compromised.` }
}

/** Reads the prepared revocation of this ceremony back as a stranger would. */
export async function compareRevocation({ vault, ports, ceremony, plan }: Context): Promise<Outcome> {
  const { revocations } = knownRuntime(vault.state, (plan as PlanOf<'envelope'>).runtime)
  const file = revocations.findLast((one) => one.file && one.ceremony === ceremony)?.file
  must(file, 'ceremony-conflict', 'There is no revocation to compare.')
  const { tenants, keys } = await ports.media.checkRevocation(file.name, vault.anchor)
  return {
    observed: `Read back from the medium and checked from the trust anchor alone: ${count(keys, 'key')} of ${count(tenants, 'tenant')}.`,
  }
}

/** The intent is committed first: a number is used even where its file was never recorded. */
async function sign(
  context: Context,
  decided: readonly RevocationJob[],
  { reason, validFor, prepared }: Said,
): Promise<{ outcome: Outcome; files: WrittenFile[] }> {
  const { ports, vault } = context
  const now = ports.now()
  const takenBack = takeBack(context)
  const jobs = decided.map((job): Job => {
    const { runtimeId, order, tenants } = job
    const keys = tenants.flatMap(({ revoke }) => revoke)
    const standbys = tenants.flatMap(({ standby }) => standby ?? [])
    const exp = now + validFor
    return { ...job, intent: { runtimeId, id: ports.newId(), order, reason, prepared, keys, standbys, exp } }
  })
  const revocations = jobs.map(({ intent }) => intent)
  vault.commit([{ type: 'revocations-intended', revocations }], now, context.actor)
  const { result, approved } = await act(context, revocationObjects(revocations), async (quorum) => {
    const root = await quorum.root()
    const written: { job: Job; file: WrittenFile & { statement: string } }[] = []
    for (const job of jobs) written.push({ job, file: await write(context, job, now, root) })
    return written
  })
  const events = result.map(
    ({ job: { runtimeId, order }, file }): VaultEvent => ({
      type: 'revocation-signed',
      runtimeId,
      order,
      statement: file.statement,
      file: file.name,
      digest: file.digest,
    }),
  )
  const observed = `${listed(jobs.map((job) => ({ label: described(job) })))}.${leftBehind(takenBack)}`
  return { outcome: { observed, events: [approved, ...events] }, files: result.map(({ file }) => file) }
}

function write(
  { vault, ports }: Context,
  { runtimeId, order, tenants, intent }: Job,
  iat: number,
  root: Parameters<Context['ports']['media']['writeRevocation']>[2],
) {
  const { state, anchor } = vault
  const { id, reason, exp, prepared } = intent
  const { environment } = knownRuntime(state, runtimeId)
  const said = { vaultId: anchor.vaultId, runtimeId, environment, id, order, reason, iat, exp }
  const entries = tenants.map(({ tenant, at, revoke, standby }) => {
    const then = asHandedOver(state, tenant, at)
    const entry = tenantExport(then.state, then.tenant, at)
    // Only what is marked is history already; a revocation prepared ahead cannot say when its day will be.
    return { entry, revoke, standby, ...(!prepared && { past: pastKeys(state, knownTenant(state, tenant), iat) }) }
  })
  return ports.media.writeRevocation(said, entries, root, anchor.practice)
}

/** What interrupted tries of this ceremony left on the medium: nobody recorded it, so nobody may keep it. */
const takeBack = ({ vault, ports, ceremony }: Context): string[] =>
  [...vault.state.runtimes.values()].flatMap(({ runtimeId, revocations }) =>
    revocations.flatMap(({ order: number, file, ceremony: of }) =>
      file || of !== ceremony
        ? []
        : ports.media.removeLeftovers({ what: 'revocation', vaultId: vault.anchor.vaultId, runtimeId, number }),
    ),
  )

const leftBehind = (takenBack: readonly string[]): string =>
  takenBack.length === 0 ? '' : ` Taken back, left by an earlier try: ${takenBack.join(', ')}.`

const described = ({ runtimeId, order, tenants }: RevocationJob): string => {
  const keys = tenants.reduce((sum, { revoke }) => sum + revoke.length, 0)
  return `Revocation ${order} for ${runtimeId}: ${count(keys, 'key')} of ${count(tenants.length, 'tenant')}`
}
