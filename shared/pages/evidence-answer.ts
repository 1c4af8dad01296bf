import { type ScheduledKey, signerAt } from '../domain/key.ts'
import type { EvidenceBody } from '../formats/evidence.ts'
import { capital, counted, numberWord, spellDate } from './words.ts'

/** "Are we all right?", answered from the pack before anything else is told. */

export type Finding = { grave: boolean; title: string; text: string }
export type Answer = { headline: string; findings: Finding[] }

type Tenant = EvidenceBody['tenants'][number]
type Key = Tenant['keys'][number]

const grave = (title: string, text: string): Finding => ({ grave: true, title, text })
const note = (title: string, text: string): Finding => ({ grave: false, title, text })

export function answer(body: EvidenceBody): Answer {
  const silent = body.tenants.filter((tenant) => unsigned(tenant, body.builtAt).length > 0)
  const findings = [
    ...isolationFindings(body),
    ...silent.map((tenant) =>
      grave('No signing key', `${tenant.name} has no key that signs ${unsigned(tenant, body.builtAt).join(' and ')}.`),
    ),
    ...body.tenants.flatMap((tenant) => keyFindings(tenant)),
    ...scheduleFindings(body),
    ...body.ceremonies
      .filter((one) => one.outcome !== 'completed')
      .map((one) => note('Ceremony not completed', `${one.ceremony} is ${one.outcome}.`)),
    ...body.runtimes.flatMap(runtimeFindings),
  ].sort((a, b) => Number(b.grave) - Number(a.grave))
  return { headline: headline(body.tenants.length, silent.length, findings), findings }
}

function headline(tenants: number, silent: number, findings: readonly Finding[]): string {
  const signing =
    tenants === 0
      ? 'No tenant has keys yet.'
      : silent > 0
        ? `${capital(numberWord(tenants - silent))} of ${counted(tenants, 'tenant')} can sign.`
        : tenants === 1
          ? 'The one tenant can sign.'
          : `All ${numberWord(tenants)} tenants can sign.`
  const bad = findings.some((one) => one.grave)
  const things = findings.length
  const rest =
    things === 0
      ? 'Nothing needs attention.'
      : `${capital(counted(things, 'thing'))} ${things === 1 ? 'needs' : 'need'} attention.`
  return `${bad ? 'No. ' : ''}${signing} ${rest}`
}

const specOf = (key: Key): ScheduledKey => ({ kid: key.kid, spec: key.spec, ...key.times })

/** The algorithms of a tenant's policy for which no key signs by the schedule at `now`. */
function unsigned(tenant: Tenant, now: number): string[] {
  return tenant.policy.signingAlgorithms.filter((spec) => {
    const usable = tenant.keys.filter((key) => key.spec === spec && !key.compromised && !key.destroyed)
    return (
      signerAt(usable.map(specOf), () => ({ hasPrivate: true, tainted: false, firstPublishedAt: null }), 0, now) ===
      null
    )
  })
}

/** True when every foreign token was refused, by policy and by signature. */
export const isolated = (matrix: NonNullable<EvidenceBody['isolation']>): boolean =>
  matrix.accepted === 0 &&
  matrix.rejectedByPolicy === matrix.pairs &&
  matrix.rejectedBySignature === matrix.pairs &&
  matrix.pairs >= matrix.tenants * (matrix.tenants - 1)

function isolationFindings({ isolation, tenants }: EvidenceBody): Finding[] {
  if (!isolation)
    return [note('Isolation not tried', 'No token was presented to another tenant’s verifier for this pack.')]
  if (isolation.accepted > 0)
    return [
      grave(
        'Tenants are not isolated',
        `${capital(counted(isolation.accepted, 'token'))} of one tenant passed at another.`,
      ),
    ]
  if (!isolated(isolation)) return [grave('Isolation not shown', 'Some checks of the isolation matrix have no result.')]
  if (isolation.tenants < tenants.length)
    return [
      note(
        'Isolation tried in part',
        `The matrix covers ${numberWord(isolation.tenants)} of ${numberWord(tenants.length)} tenants.`,
      ),
    ]
  return []
}

function keyFindings({ name, keys }: Tenant): Finding[] {
  return keys.flatMap((key) => {
    const open = key.copies.filter((copy) => copy.status === 'open')
    if (key.destroyed && open.length > 0)
      return [
        note(
          `${capital(counted(open.length, 'open copy', 'open copies'))}`,
          `${key.label} of ${name} is destroyed in the vault; still open: ${open.map((copy) => copy.what).join(', ')}.`,
        ),
      ]
    if (key.compromised && !key.destroyed)
      return [
        note(
          'Compromised key kept',
          `${key.label} of ${name} was named compromised on ${spellDate(key.compromised.at)}; its private half is not destroyed.`,
        ),
      ]
    return []
  })
}

/** Tenants whose last scheduled key ends, told together by day so that a fleet stays readable. */
function scheduleFindings({ tenants, builtAt }: EvidenceBody): Finding[] {
  const days = new Map<string, string[]>()
  for (const { name, keys, policy } of tenants) {
    const ends = keys.filter((key) => !key.compromised && !key.destroyed).map((key) => key.times.signUntil)
    const last = Math.max(...ends)
    if (ends.length === 0 || last - builtAt > policy.rotationInterval) continue
    days.set(spellDate(last), [...(days.get(spellDate(last)) ?? []), name])
  }
  return [...days].map(([day, names]) =>
    note(
      'Next key not made',
      `${names.length > 4 ? `${capital(counted(names.length, 'tenant'))}: the last key` : `${names.join(', ')}: the last key`} stops signing on ${day}.`,
    ),
  )
}

function runtimeFindings({ runtimeId, handoffs, receipts }: EvidenceBody['runtimes'][number]): Finding[] {
  if (handoffs.length === 0 || receipts.upTo > 0) return []
  return [
    note(
      'Receipts missing',
      `${runtimeId} has taken ${counted(handoffs.length, 'handoff')} and sent no receipts back.`,
    ),
  ]
}
