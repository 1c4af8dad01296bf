import { join, resolve } from 'node:path'
import { count } from '../../../shared/domain/plural.ts'
import { DAY, HOUR } from '../../../shared/domain/policy.ts'
import type { Reporter } from '../../app/reporter.ts'
import { writeNewFile } from '../../files/write.ts'
import { VirtualClock } from './clock.ts'
import { crossTenantMatrix } from './matrix.ts'
import { CACHE_SECONDS, checkPort, PEOPLE, prepareFolders, THRESHOLD, tenantsToOnboard } from './setup.ts'
import { Stage } from './stage.ts'
import type { Summary } from './summary.ts'
import type { Walked } from './walk.ts'

/** The whole life in one go, in practice mode: from passphrases to a verified token, and back to a certificate. */

export type RehearseOptions = { out: string; tenants: number; port: number; reporter: Reporter }

/** Days of the rehearsal's life: the second handoff, and today. */
const SECOND_HANDOFF = 100
const LAST_DAY = 190

/**
 * Runs the whole rehearsal in a fresh folder and leaves it there with `summary.json`. The virtual clock starts in the
 * past and ends at the present. Codes: `port-in-use`, `folder-not-empty`, `medium-full`, `medium-failed`,
 * `verification-failed`, and whatever a step says.
 */
export async function rehearse({ out, tenants, port, reporter }: RehearseOptions): Promise<Summary> {
  const started = performance.now()
  await checkPort(port)
  const folders = prepareFolders(resolve(out))
  const today = Math.floor(Date.now() / 1000)
  const clock = new VirtualClock(today - LAST_DAY * DAY - 2 * HOUR)
  const stage = new Stage(folders, clock, reporter, port)
  try {
    const told = await tell(stage, tenants)
    await stage.endAt(today)
    const seconds = Math.round((performance.now() - started) / 100) / 10
    const summary: Summary = {
      version: 1,
      ok: true,
      practice: true,
      from: clock.start,
      to: clock.now(),
      ...told,
      seconds,
    }
    writeNewFile(join(folders.out, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`)
    return summary
  } finally {
    await stage.close()
  }
}

type Told = Omit<Summary, 'version' | 'ok' | 'practice' | 'from' | 'to' | 'seconds'>

async function tell(stage: Stage, tenants: number): Promise<Told> {
  const custodians = PEOPLE.filter((person) => person.role === 'custodian').length
  stage.chapter('Genesis: people, shares and a root')
  await stage.genesis()
  stage.line(
    `${count(PEOPLE.length, 'person', 'people')}, ${count(custodians, 'custodian')}; any ${THRESHOLD} of them must act together.`,
  )

  stage.chapter('Onboarding: every tenant gets keys of its own')
  await stage.ceremony({ kind: 'onboard', tenants: tenantsToOnboard(tenants, stage.port) })

  stage.chapter('A runtime is initialised and enrolled')
  await stage.enroll()

  stage.chapter('First handoff: bundle and key material, by file')
  await stage.handoff('all')

  stage.chapter('The issuer serves')
  await stage.serve()
  const verifiedThroughDiscovery = await stage.firstTokens()
  stage.line(`${count(verifiedThroughDiscovery, 'token')}, each verified by an independent library through its own`)
  stage.line('discovery document and key set; the root-signed key sets hold the same keys.')

  stage.chapter('Isolation: every token at every other tenant')
  const matrix = await crossTenantMatrix(
    stage.parties,
    (tenant) => stage.publicKeys(tenant),
    stage.clock.now(),
    stage.progress('Tenants'),
  )
  stage.line(
    `${count(matrix.pairs, 'pair')}: ${matrix.rejectedByPolicy} rejected by policy, ${matrix.rejectedBySignature} by the bare signature under every key the`,
  )
  stage.line(
    `other tenant has (${count(matrix.signatureChecks, 'check')}, key id ignored). ${matrix.accepted} accepted.`,
  )

  stage.chapter('Receipts come back')
  await stage.intake()

  stage.chapter('Time passes: the first keys retire')
  const first = await stage.walkTo(SECOND_HANDOFF)
  sayWalk(stage, first)

  stage.chapter('Rotation ceremony and second handoff')
  await stage.intake()
  await stage.ceremony({ kind: 'rotate', tenants: 'all', endingWithin: '180d' })
  await stage.handoff('all')

  stage.chapter('Time passes: the next keys take over')
  const second = await stage.walkTo(LAST_DAY)
  sayWalk(stage, second)
  const rotation = { ...added(first, second), cacheHours: CACHE_SECONDS / HOUR }

  stage.chapter('Emergency: one tenant, the others untouched')
  const emergency = await stage.emergency()
  stage.line(
    `${emergency.tenant} signs with its replacement; ${emergency.othersIdentical} of ${count(emergency.others, 'other key set')} byte-identical.`,
  )

  stage.chapter('Receipts come back')
  const receipts = await stage.intake()
  stage.line(
    `${count(receipts.taken, 'receipt')} in all; ${count(receipts.erased, 'private half', 'private halves')} erased by the runtime.`,
  )

  stage.chapter('Destruction of a retired key')
  const destruction = await stage.destroy()
  stage.line(
    `Certificate of ${destruction.grade} ${destruction.certificate}: ${destruction.openCopies} of ${count(destruction.copies, 'known copy', 'known copies')} still open.`,
  )

  stage.chapter('Evidence')
  const vault = await stage.evidence(matrix)
  stage.line(
    `${count(vault.events, 'event')} in one chain: ${count(vault.signatures, 'signature')}, ${count(vault.approvals, 'approval')} and ${count(vault.checkpoints, 'checkpoint')} checked again.`,
  )

  return {
    virtualDays: LAST_DAY,
    people: PEOPLE.length,
    custodians,
    threshold: THRESHOLD,
    tenants: stage.parties.length,
    algorithms: stage.algorithms(),
    keysMade: stage.keysMade,
    ceremonies: stage.held,
    bundles: stage.bundles,
    tokens: { verifiedThroughDiscovery, issued: stage.tokensIssued },
    matrix,
    rotation,
    emergency,
    receipts,
    destruction,
    vault,
  }
}

function sayWalk(stage: Stage, walked: Walked): void {
  stage.line(
    `${count(walked.days, 'day')}: ${count(walked.checks, 'token')} verified with cached key sets, ${count(walked.lateChecks, 'token')} again at the end of life;`,
  )
  stage.line(`${count(walked.switches, 'change')} of signing key, ${count(walked.failures, 'verification failure')}.`)
}

const added = (a: Walked, b: Walked): Walked => ({
  days: a.days + b.days,
  checks: a.checks + b.checks,
  lateChecks: a.lateChecks + b.lateChecks,
  failures: a.failures + b.failures,
  switches: a.switches + b.switches,
})
