import { useState } from 'react'
import type { RecordView } from '../../../shared/contract/records.ts'
import { Section } from '../../components/Page.tsx'
import { Playback, type PlaybackStep } from '../../components/Playback.tsx'
import { text } from '../../text/index.ts'
import css from './records.module.css'

const words = text.records

type Moment = RecordView['moments'][number]

/** The ceremony over time, moment by moment. */
export function RecordPlayback({ record }: { record: RecordView }) {
  const [current, setCurrent] = useState(0)
  const moment = record.moments[current]
  const last = record.moments.at(-1)?.at ?? record.startedAt
  return (
    <Section title={words.playback}>
      <Playback
        startedAt={record.startedAt}
        endedAt={Math.max(record.endedAt ?? last, last)}
        steps={record.moments.map(stepOf)}
        current={current}
        onMove={setCurrent}
      >
        {moment && (
          <>
            <p className={css.small}>
              {words.moment[moment.what]}
              {moment.by && ` · ${moment.by}`}
            </p>
            {moment.text && <p className={css.momentText}>{moment.text}</p>}
          </>
        )}
      </Playback>
    </Section>
  )
}

const stepOf = ({ title, at, what, noWayBack }: Moment, index: number): PlaybackStep => ({
  number: index + 1,
  name: title,
  at,
  mark: noWayBack ? 'noWayBack' : what === 'deviation' ? 'deviation' : undefined,
})
