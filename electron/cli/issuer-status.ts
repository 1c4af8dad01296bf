import { NOT_ATTESTED } from '../../shared/domain/imported.ts'
import { utcTime } from '../../shared/domain/utc.ts'
import type { KeyStatus, Status, TenantStatus } from '../issuer/status.ts'
import { table } from './format.ts'

/** `keyrite issuer status`, for an operator at three in the morning. */

/** The runtime, its clock and every key of every tenant, as text. */
export function statusText(status: Status): string {
  return [...overview(status), ...status.tenants.flatMap(tenantLines)].join('\n')
}

function overview(status: Status): string[] {
  const { bundle, clock } = status
  const rows = [
    ['Runtime', `${status.runtimeId} (${status.environment}${status.practice ? ', practice' : ''})`],
    ['Vault', status.vaultId],
    ['Bundle', bundle ? `${bundle.number}, imported ${utcTime(bundle.at)}` : 'none imported yet'],
    ['Time', `${utcTime(clock.now)}${clock.hold ? `  ${holdText(clock.hold)}` : ''}`],
    ['Receipts', `${status.receiptsNotExported} that no bundle has confirmed yet; the vault may have them already`],
    ['Tenants', String(status.tenants.length)],
    ...status.offboarded.map(({ tenant, at }) => ['Offboarded', `${tenant}, ${utcTime(at)}`]),
  ]
  return [table(rows)]
}

const holdText = (hold: { kind: 'jump' | 'downtime'; from: number; to: number }): string =>
  hold.kind === 'jump'
    ? `HELD: the clock jumped to ${utcTime(hold.to)}. Compare it, then: keyrite issuer clock confirm`
    : `Nothing is erased: nobody served since ${utcTime(hold.from)}. Compare the clock, then: keyrite issuer clock confirm`

function tenantLines(tenant: TenantStatus): string[] {
  const ends = tenant.scheduleEnds === null ? '' : `   schedule ends ${utcTime(tenant.scheduleEnds)}`
  const rows = tenant.phases.map((key) => ['', key.label, key.spec, key.phase, nextOf(key), remarks(key), key.kid])
  const silent = tenant.signingKids.length === 0 ? ['  NO KEY MAY SIGN: the token endpoint answers 503.'] : []
  return [
    '',
    `${tenant.tenant}   ${tenant.name}   ${tenant.issuer}${ends}`,
    ...silent,
    table([['', 'KEY', 'ALGORITHM', 'PHASE', 'UNTIL', 'REMARKS', 'KID'], ...rows]),
    ...propagationLines(tenant),
  ]
}

/** Who has fetched the key that signs next, of those who say who they are. */
function propagationLines({ propagation, phases }: TenantStatus): string[] {
  if (!propagation) return []
  const { kid, signFrom, fetched, missing, unnamed } = propagation
  const label = phases.find((key) => key.kid === kid)?.label ?? kid
  const seen = fetched.map(({ party, at }) => `${party} (${utcTime(at)})`)
  if (unnamed) seen.push('some who do not say who they are')
  const lines = [`  ${label} signs from ${utcTime(signFrom)}. It was fetched by: ${seen.join(', ') || 'nobody yet'}.`]
  if (missing.length > 0) lines.push(`  Not yet by: ${missing.join(', ')}.`)
  return lines
}

/** The end of the phase that a key is in. */
function nextOf(key: KeyStatus): string {
  const ends = {
    planned: key.announceAt,
    announced: key.signFrom,
    signing: key.signUntil,
    retired: key.removeAt,
    removed: null,
  }[key.phase]
  return ends === null ? '' : utcTime(ends)
}

function remarks(key: KeyStatus): string {
  const said = [
    key.tainted ? 'TAINTED' : '',
    key.withdrawn ? 'WITHDRAWN' : '',
    key.imported ? NOT_ATTESTED : '',
    key.hasPrivate ? 'private half here' : '',
  ].filter((word) => word !== '')
  return said.join(', ') || '-'
}
