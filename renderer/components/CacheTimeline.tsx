import { DAY, HOUR, spellDuration } from '../../shared/domain/policy.ts'
import { text } from '../text/index.ts'
import { classes } from './classes.ts'
import { briefly, dayMonth, fullDay, roughly, shortDay } from './format.ts'
import { HiddenTable } from './HiddenTable.tsx'
import css from './Timeline.module.css'
import { percent, place, type Scale } from './timeline.ts'

/** When one relying party holds the new key at the latest. */
export type CacheParty = { name: string; cacheSeconds: number; knowsAt: number }

export type CacheTimelineProps = { announceAt: number; signFrom: number; parties: readonly CacheParty[] }

/** Whether every relying party knows the new key before it signs: when the last one does, against the switch. */
export function CacheTimeline({ announceAt, signFrom, parties }: CacheTimelineProps) {
  const span = Math.max(DAY, signFrom - announceAt)
  const last = Math.max(signFrom, ...parties.map((party) => party.knowsAt))
  const scale: Scale = { from: announceAt - span * 0.07, to: last + span * 0.2 }
  const { cache } = text.timelines
  return (
    <figure className={css.chart}>
      <header className={css.head}>
        <h2>{cache.title}</h2>
        <span className={css.aside}>{cache.around(dayMonth(signFrom))}</span>
      </header>
      {parties.length === 0 ? (
        <p className={css.aside}>{cache.none}</p>
      ) : (
        <Parties parties={parties} scale={scale} announceAt={announceAt} signFrom={signFrom} />
      )}
      <PartyTable parties={parties} signFrom={signFrom} />
    </figure>
  )
}

type PartiesProps = CacheTimelineProps & { scale: Scale }

function Parties({ parties, scale, announceAt, signFrom }: PartiesProps) {
  const { cache } = text.timelines
  return (
    <>
      <div className={css.planAxis}>
        <span />
        <svg className={css.months} width="100%" height="20" aria-hidden="true">
          <text className={css.mark} x={place(scale, announceAt)} y="14">
            {cache.announced(shortDay(announceAt))}
          </text>
          <text className={css.mark} x={place(scale, signFrom)} y="14" textAnchor="end">
            {cache.starts(shortDay(signFrom))}
          </text>
        </svg>
      </div>
      <ul>
        {parties.map((party) => (
          <li key={party.name} className={classes(css.planRow, css.low)}>
            <div className={css.who}>
              <span className={css.name}>{party.name}</span>
              <span className={css.note}>{cache.cache(briefly(party.cacheSeconds))}</span>
            </div>
            <PartyBar party={party} scale={scale} announceAt={announceAt} signFrom={signFrom} />
          </li>
        ))}
      </ul>
      <ul className={classes(css.legend, css.below)}>
        <li>
          <Sample look={css.old} /> {cache.old}
        </li>
        <li>
          <Sample look={css.fresh} /> {cache.new}
        </li>
      </ul>
    </>
  )
}

const Sample = ({ look }: { look: string | undefined }) => (
  <svg width="22" height="12" aria-hidden="true">
    <rect className={look} x="0.5" y="0.5" width="21" height="11" rx="2" />
  </svg>
)

type PartyBarProps = { party: CacheParty; scale: Scale; announceAt: number; signFrom: number }

function PartyBar({ party, scale, announceAt, signFrom }: PartyBarProps) {
  const late = party.knowsAt > signFrom
  const words = knows(party, announceAt, signFrom)
  const share = (from: number, to: number) => `${percent(scale, to) - percent(scale, from)}%`
  return (
    <svg className={css.bars} width="100%" height="50" role="img" aria-label={text.timelines.label(party.name, words)}>
      <rect
        className={css.fresh}
        x={place(scale, party.knowsAt)}
        width={share(party.knowsAt, scale.to)}
        y="15.5"
        height="19"
        rx="2"
      />
      <rect
        className={classes(css.old, late && css.late)}
        x={place(scale, announceAt)}
        width={share(announceAt, party.knowsAt)}
        y="15"
        height="20"
        rx="2"
      />
      <rect className={classes(css.old, late && css.late)} x={place(scale, announceAt)} width="4" y="15" height="20" />
      <svg x={place(scale, late ? announceAt : party.knowsAt)} y="15" height="20" width="100%" aria-hidden="true">
        <text x="10" y="14.5" className={late ? css.lateText : css.freshText}>
          {words}
        </text>
      </svg>
      <line className={css.edgeLine} x1={place(scale, announceAt)} x2={place(scale, announceAt)} y1="0" y2="100%" />
      <line className={css.edgeLine} x1={place(scale, signFrom)} x2={place(scale, signFrom)} y1="0" y2="100%" />
    </svg>
  )
}

function knows({ knowsAt }: CacheParty, announceAt: number, signFrom: number): string {
  const { cache } = text.timelines
  if (knowsAt > signFrom) return cache.knowsLate(dayMonth(knowsAt), roughly(knowsAt - signFrom))
  if (knowsAt - announceAt <= HOUR) return cache.knowsSoon
  return cache.knowsBy(dayMonth(knowsAt), roughly(signFrom - knowsAt))
}

function PartyTable({ parties, signFrom }: { parties: readonly CacheParty[]; signFrom: number }) {
  const { cache } = text.timelines
  const margin = (knowsAt: number) =>
    knowsAt > signFrom
      ? cache.tooLate(spellDuration(knowsAt - signFrom))
      : cache.early(spellDuration(signFrom - knowsAt))
  return (
    <HiddenTable
      caption={cache.title}
      heads={[cache.party, cache.keeps, cache.knows, cache.margin]}
      rows={parties.map(({ name, cacheSeconds, knowsAt }) => ({
        id: name,
        cells: [name, spellDuration(cacheSeconds), fullDay(knowsAt), margin(knowsAt)],
      }))}
    />
  )
}
