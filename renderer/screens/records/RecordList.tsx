import { useMemo, useState } from 'react'
import type { RecordRow } from '../../../shared/contract/records.ts'
import { Loading } from '../../app/Loading.tsx'
import { useLoaded } from '../../app/use-loaded.ts'
import { Button } from '../../components/Button.tsx'
import { Choice } from '../../components/Choice.tsx'
import { TextField } from '../../components/Field.tsx'
import { fullDay } from '../../components/format.ts'
import { Page } from '../../components/Page.tsx'
import { Status, type StatusKind } from '../../components/Status.tsx'
import { VirtualList } from '../../components/VirtualList.tsx'
import { useKeyrite } from '../../state.tsx'
import { text } from '../../text/index.ts'
import css from './records.module.css'

const words = text.records
const ALL = 'all'
const HOW: Record<RecordRow['how'], StatusKind> = { open: 'now', completed: 'done', aborted: 'skipped' }

/** Every ceremony of the vault, newest first. */
export function RecordList() {
  const { go } = useKeyrite()
  const { value, failure } = useLoaded('records', {})
  const [find, setFind] = useState('')
  const [kind, setKind] = useState(ALL)
  const all = useMemo(
    () => (value?.records ?? []).toSorted((one, other) => other.startedAt - one.startedAt).map(named),
    [value],
  )
  const shown = all.filter((row) => (kind === ALL || row.kind === kind) && matches(row, find))
  if (!value) return <Page title={words.title}>{<Loading failure={failure} />}</Page>
  return (
    <Page title={words.title} lead={words.lead(all.length)}>
      <div className={css.finding}>
        <TextField label={words.find} hint={words.findHint} value={find} onChange={setFind} maxLength={80} />
        <Choice label={words.kind} look="select" value={kind} onChange={setKind} options={kindsOf(all)} />
        <Button onPress={() => go({ screen: 'records', verify: true })}>{words.verifyOther}</Button>
      </div>
      <p className={css.count} role="status">
        {words.shown(shown.length, all.length)}
      </p>
      <VirtualList
        label={words.title}
        items={shown}
        rowHeight={68}
        nameOf={(row) => `${row.ceremony} ${text.app.kinds[row.kind]} ${row.about}`}
        onOpen={({ ceremony }) => go({ screen: 'records', ceremony })}
        empty={words.none}
      >
        {(row) => <Row row={row} />}
      </VirtualList>
    </Page>
  )
}

const named = (row: RecordRow) => ({ ...row, id: row.ceremony })

const matches = (row: RecordRow, find: string): boolean => {
  const said = [row.ceremony, row.about, text.app.kinds[row.kind], ...row.people].join(' ').toLowerCase()
  return find
    .toLowerCase()
    .split(/\s+/)
    .every((word) => said.includes(word))
}

const kindsOf = (rows: readonly RecordRow[]) => [
  { value: ALL, label: words.allKinds },
  ...[...new Set(rows.map((row) => row.kind))].sort().map((kind) => ({ value: kind, label: text.app.kinds[kind] })),
]

function Row({ row }: { row: RecordRow }) {
  return (
    <div className={css.row}>
      <div className={css.when}>
        <span className={css.id}>{row.ceremony}</span>
        <span className={css.small}>{fullDay(row.startedAt)}</span>
      </div>
      <div className={css.what}>
        <span className={css.name}>{text.app.kinds[row.kind]}</span>
        <span className={css.small}>{row.about}</span>
      </div>
      <div className={css.standing}>
        <Status kind={HOW[row.how]}>{words.how[row.how]}</Status>
        <span className={css.small}>{words.deviations(row.deviations)}</span>
      </div>
    </div>
  )
}
