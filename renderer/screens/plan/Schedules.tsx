import { useState } from 'react'
import type { TenantSchedule } from '../../../shared/contract/plan.ts'
import { CacheTimeline } from '../../components/CacheTimeline.tsx'
import { Choice } from '../../components/Choice.tsx'
import { fullDay, roughly } from '../../components/format.ts'
import { type PlanKey, PlanTimeline } from '../../components/PlanTimeline.tsx'
import { Status } from '../../components/Status.tsx'
import { useNow } from '../../state.tsx'
import { text } from '../../text/index.ts'
import css from './plan.module.css'

/** The schedules that a plan touches, one tenant at a time, those with an outage first. */
export function Schedules({ schedule, tenants }: { schedule: readonly TenantSchedule[]; tenants: number }) {
  const { review } = text.plan
  const [chosen, setChosen] = useState(schedule[0]?.tenant)
  const one = schedule.find(({ tenant }) => tenant === chosen) ?? schedule[0]
  if (!one) return null
  return (
    <>
      <Proved schedule={schedule} one={one} tenants={tenants} />
      {schedule.length > 1 && (
        <div className={css.tenantChoice}>
          <Choice
            label={review.tenant}
            hint={review.tenantsMany(schedule.length, tenants)}
            look="select"
            options={schedule.map(({ tenant, name, verdict }) => ({
              value: tenant,
              label: name,
              note: verdict === 'outage' ? `${tenant}, ${review.outage}` : tenant,
            }))}
            value={one.tenant}
            onChange={setChosen}
          />
        </div>
      )}
      <Charts one={one} />
    </>
  )
}

type ProvedProps = { schedule: readonly TenantSchedule[]; one: TenantSchedule; tenants: number }

/** The prover's verdict: what it says of all, in the words of the tenant shown. */
function Proved({ schedule, one, tenants }: ProvedProps) {
  const { review } = text.plan
  const outages = schedule.filter(({ verdict }) => verdict === 'outage').length
  const { verdict, until, states, margin, why } = one
  const tried = review.tried(states.toLocaleString(text.language.locale), margin === null ? null : roughly(margin))
  return (
    <div className={css.verdict}>
      <p className={css.verdictHead}>
        {outages > 0 ? <Status kind="danger">{review.outage}</Status> : <Status kind="done">{review.noOutage}</Status>}
        {outages > 0 && tenants > 1 && <span className={css.quiet}>{review.outages(outages, tenants)}</span>}
      </p>
      <div>
        <p>{verdict === 'outage' ? why : until === null ? tried : review.until(fullDay(until))}</p>
        {verdict !== 'outage' && until !== null && <p className={css.quiet}>{tried}</p>}
        {verdict !== 'outage' && why && (
          <p className={css.quiet}>
            <Status kind="warn">{review.accepted}</Status> {why}
          </p>
        )}
      </div>
    </div>
  )
}

function Charts({ one }: { one: TenantSchedule }) {
  const now = useMinute()
  const keys = one.keys.map(
    (key): PlanKey => ({ ...key.times, id: `${key.kid} ${key.label}`, name: nameOf(key), note: noteOf(key, now) }),
  )
  const [first] = one.relyingParties
  return (
    <>
      <div className={css.charted}>
        <PlanTimeline keys={keys} now={now} />
      </div>
      {first && (
        <div className={css.charted}>
          <CacheTimeline
            announceAt={first.announcedAt}
            signFrom={first.signsFrom}
            parties={one.relyingParties.map(({ relyingParty, cacheSeconds, knowsBy }) => ({
              name: relyingParty,
              cacheSeconds,
              knowsAt: knowsBy,
            }))}
          />
        </div>
      )}
    </>
  )
}

/** The algorithm stands below the name. */
const nameOf = ({ label, spec }: TenantSchedule['keys'][number]): string => label.replace(`-${spec.toLowerCase()}`, '')

/** A chart need not move with every second. */
const useMinute = (): number => Math.floor(useNow() / 60) * 60

function noteOf(key: TenantSchedule['keys'][number], now: number): string {
  const { review } = text.plan
  if (key.planned) return key.standby ? review.keyStandby(review.keyNew(key.spec)) : review.keyNew(key.spec)
  if (key.compromisedAt !== null) return review.keyLost(key.spec)
  if (key.standby) return review.keyStandby(key.spec)
  if (now >= key.times.signUntil) return review.keyOver(key.spec)
  return now >= key.times.signFrom ? review.keyNow(key.spec) : review.keyThere(key.spec)
}
