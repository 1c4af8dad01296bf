import { decideEnvelopes, type EnvelopeJob } from '../../shared/domain/envelopes.ts'
import type { VaultEvent } from '../../shared/domain/events.ts'
import { knownRuntime } from '../../shared/domain/known.ts'
import { envelopeObjects } from '../../shared/domain/objects.ts'
import { count } from '../../shared/domain/plural.ts'
import { must } from '../../shared/errors.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import { p256JwkSchema } from '../../shared/formats/jws.ts'
import type { PlanOf } from '../../shared/formats/plan.ts'
import { act, type Context, type Outcome } from './context.ts'
import type { WrittenFile } from './ports.ts'
import { compareRevocation, prepareRevocation } from './revocation.ts'

/** Sealed emergency envelopes, made while a quorum is there for a day when none is. */

/** What the plan asks for, with the numbers that the envelopes get. */
function jobsOf(context: Context) {
  const plan = context.plan as PlanOf<'envelope'>
  const { state } = context.vault
  const before = knownRuntime(state, plan.runtime).envelopes.length
  return decideEnvelopes(state, plan.runtime, plan.tenants, context.ports.now()).map((job, index) => ({
    ...job,
    number: before + index + 1,
    jwk: p256JwkSchema.parse(job.transportKey),
  }))
}

export const describeEnvelopes = (jobs: readonly EnvelopeJob[], runtime: string): string =>
  `${count(jobs.length, 'emergency envelope')} for ${runtime}.`

/** An envelope that no record names still opens: it must not be taken for one of today's. */
const leftBehind = (takenBack: readonly string[]): string =>
  takenBack.length === 0
    ? ''
    : ` An earlier try was interrupted; what it left on this medium is removed: ${takenBack.join(', ')}.`

/** Writes the envelopes, or the revocation that the plan prepares: the intent is committed first, the outcome after. */
export async function sealEnvelopes(context: Context): Promise<Outcome> {
  const plan = context.plan as PlanOf<'envelope'>
  if (plan.revoke) return prepareRevocation(context)
  const { ports, vault } = context
  const { practice, vaultId } = vault.anchor
  const runtime = knownRuntime(vault.state, plan.runtime)
  const now = ports.now()
  const jobs = jobsOf(context)
  const takenBack = runtime.envelopes
    .filter(({ file }) => !file)
    .flatMap(({ number }) =>
      ports.media.removeLeftovers({ what: 'envelope', vaultId, runtimeId: plan.runtime, number }),
    )
  const intended = jobs.map(({ tenant, standby, number, jwk }) => ({
    number,
    tenant: tenant.tenant,
    kid: standby.kid,
    transportKey: thumbprint(jwk),
  }))
  vault.commit([{ type: 'envelopes-intended', runtimeId: plan.runtime, envelopes: intended }], now, context.actor)
  const { result, approved } = await act(context, envelopeObjects(plan.runtime, intended), async (quorum) => {
    const root = await quorum.root()
    const files: { number: number; file: WrittenFile }[] = []
    for (const { tenant, standby, withdraws, number, jwk } of jobs) {
      const envelope = {
        vaultId,
        runtimeId: plan.runtime,
        environment: runtime.environment,
        number,
        tenant: tenant.tenant,
        standby: standby.kid,
        withdraws,
        iat: now,
        exp: Math.min(now + plan.validFor, standby.times.signUntil),
      }
      const pkcs8 = quorum.unseal(standby.kid)
      files.push({ number, file: await ports.media.writeEnvelope(envelope, { key: jwk, pkcs8 }, root, practice) })
      ports.progress('Sealing envelopes', files.length, jobs.length)
    }
    return files
  })
  const events = result.map(
    ({ number, file }): VaultEvent => ({
      type: 'envelope-sealed',
      runtimeId: plan.runtime,
      number,
      file: file.name,
      digest: file.digest,
    }),
  )
  return {
    observed: `${describeEnvelopes(jobs, plan.runtime)} Each goes into a bag of its own.${leftBehind(takenBack)}`,
    events: [approved, ...events],
  }
}

export async function compareEnvelopes(context: Context): Promise<Outcome> {
  const plan = context.plan as PlanOf<'envelope'>
  if (plan.revoke) return compareRevocation(context)
  const { vault, ports, ceremony } = context
  const sealed = knownRuntime(vault.state, plan.runtime).envelopes.filter(
    (one) => one.file && one.ceremony === ceremony,
  )
  must(sealed.length > 0, 'ceremony-conflict', 'There is no envelope to compare.')
  for (const { file } of sealed) if (file) await ports.media.checkEnvelope(file.name, vault.anchor)
  return {
    observed: `Read back from the medium and checked from the trust anchor alone: ${count(sealed.length, 'envelope')}.`,
  }
}
