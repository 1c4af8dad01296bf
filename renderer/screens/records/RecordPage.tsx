import type { RecordView } from '../../../shared/contract/records.ts'
import { BackTo } from '../../app/BackTo.tsx'
import { Loading } from '../../app/Loading.tsx'
import { useLoaded } from '../../app/use-loaded.ts'
import { Fingerprint } from '../../components/Fingerprint.tsx'
import { clock, dayAndClock } from '../../components/format.ts'
import { Notice } from '../../components/Notice.tsx'
import { Page, Section } from '../../components/Page.tsx'
import { text } from '../../text/index.ts'
import { digestOf } from './digest.ts'
import { Deviations, RecordFiles, RecordSteps, Signatures } from './parts.tsx'
import { RecordActs } from './RecordActs.tsx'
import { RecordPlayback } from './RecordPlayback.tsx'
import css from './records.module.css'

const words = text.records

/** One ceremony: what was planned, what happened, who signed, and the files that show it. */
export function RecordPage({ ceremony }: { ceremony: string }) {
  const { value: record, failure } = useLoaded('record', { ceremony })
  return (
    <>
      <BackTo to={{ screen: 'records' }}>{words.back}</BackTo>
      {record ? (
        <Shown record={record} />
      ) : (
        <Page title={ceremony}>
          <Loading failure={failure} />
        </Page>
      )}
    </>
  )
}

function Shown({ record }: { record: RecordView }) {
  const { ceremony, kind, startedAt, endedAt } = record
  return (
    <Page
      title={`${text.app.kinds[kind]} ${ceremony}`}
      lead={
        endedAt === null
          ? words.began(dayAndClock(startedAt))
          : words.from(dayAndClock(startedAt).replace(' UTC', ''), clock(endedAt))
      }
    >
      <p className={css.about}>{record.about}</p>
      <RecordActs record={record} />
      {record.reason && (
        <Notice tone="warn" title={words.reason}>
          {record.reason}
        </Notice>
      )}
      <RecordPlayback record={record} />
      <Section title={words.planned}>
        <PlanLines lines={record.plan} />
      </Section>
      <RecordSteps record={record} />
      <Deviations record={record} />
      <Signatures record={record} />
      <RecordFiles record={record} />
      <Fingerprint title={words.planDigest} digest={digestOf(record.planDigest)} wordless />
      {record.recordDigest && <Fingerprint title={words.recordDigest} digest={digestOf(record.recordDigest)} />}
    </Page>
  )
}

/** Two blanks deeper: it belongs to the line above. */
export function PlanLines({ lines }: { lines: readonly string[] }) {
  return (
    <ul className={css.lines}>
      {lines.map((line, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines of a text that does not change
        <li key={index} className={line.startsWith('  ') ? css.deeper : undefined}>
          {line.trim()}
        </li>
      ))}
    </ul>
  )
}
