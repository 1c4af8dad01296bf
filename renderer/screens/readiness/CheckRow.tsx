import type { Check } from '../../../shared/contract/machine.ts'
import { TextField } from '../../components/Field.tsx'
import { MarginRow } from '../../components/Page.tsx'
import { Status } from '../../components/Status.tsx'
import { text } from '../../text/index.ts'
import css from './readiness.module.css'
import { isReason, type Readiness } from './use-readiness.ts'

const KIND = { pass: 'done', fail: 'danger', unknown: 'warn' } as const

/** A check that passes: what was found, in one line. */
export function PassedRow({ check: { title, found } }: { check: Check }) {
  return (
    <li className={css.row}>
      <MarginRow margin={<Status kind={KIND.pass}>{text.readiness.state.pass}</Status>}>
        <h3>{title}</h3>
        <p className={css.quiet}>{found}</p>
      </MarginRow>
    </li>
  )
}

type OpenRowProps = { check: Check; readiness: Readiness }

/** A check that does not pass: what was found, why it matters, what to do, and why people go on all the same. */
export function OpenRow({ check, readiness }: OpenRowProps) {
  const { id, state, title, found, why, fix } = check
  return (
    <li className={css.row}>
      <MarginRow margin={<Status kind={KIND[state]}>{text.readiness.state[state]}</Status>}>
        <h3>{title}</h3>
        {id === 'app' ? <AppFound found={found} /> : <p>{found}</p>}
        <dl className={css.more}>
          <dt>{text.readiness.why}</dt>
          <dd>{why}</dd>
          <dt>{text.readiness.fix}</dt>
          <dd>{fix}</dd>
        </dl>
        <Reason check={check} readiness={readiness} />
      </MarginRow>
    </li>
  )
}

const GROUPS = /^((?:[0-9A-F]{4} ?){16})(.*)$/

/** The fingerprint of the app is compared group by group with paper. */
function AppFound({ found }: { found: string }) {
  const [, groups, rest] = GROUPS.exec(found) ?? []
  if (!groups) return <p>{found}</p>
  const rows = [0, 4, 8, 12].map((first) => ({
    first,
    row: groups
      .trim()
      .split(' ')
      .slice(first, first + 4),
  }))
  return (
    <>
      <p className={css.print}>
        {rows.map(({ first, row }) => (
          <span key={first}>{`${row.join(' ')} `}</span>
        ))}
      </p>
      <p className={css.quiet}>{rest}</p>
    </>
  )
}

const REASON_MAX = 500

function Reason({ check: { id, title, state }, readiness }: OpenRowProps) {
  const words = text.readiness.reason
  const reason = readiness.reasonOf(id)
  const asked = id === 'app' ? words.app : state === 'fail' ? words.fail : words.unknown
  const short = reason.trim() !== '' && !isReason(reason)
  return (
    <div className={css.reason}>
      <TextField
        label={
          <>
            {asked}
            <span className={css.about}>{title}</span>
          </>
        }
        value={reason}
        onChange={(written) => readiness.setReason(id, written)}
        maxLength={REASON_MAX}
        hint={readiness.practice ? words.practice : words.hint}
        state={
          short
            ? { kind: 'waiting', words: words.short }
            : isReason(reason)
              ? { kind: 'done', words: words.given }
              : undefined
        }
      />
    </div>
  )
}
