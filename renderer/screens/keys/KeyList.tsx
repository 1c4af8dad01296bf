import { useMemo, useState } from 'react'
import type { KeyRow } from '../../../shared/contract/records.ts'
import { BackTo } from '../../app/BackTo.tsx'
import { Choice } from '../../components/Choice.tsx'
import { TextField } from '../../components/Field.tsx'
import { fullDay } from '../../components/format.ts'
import { Page } from '../../components/Page.tsx'
import { Status } from '../../components/Status.tsx'
import { VirtualList } from '../../components/VirtualList.tsx'
import { useKeyrite } from '../../state.tsx'
import { text } from '../../text/index.ts'
import css from './keys.module.css'
import { KEY_FILTERS, type KeyFilter, selected } from './select.ts'

const words = text.keys

export type KeyListProps = { keys: readonly KeyRow[]; tenant: string | undefined; only: 'open-copies' | undefined }

/** Every key that was ever made or taken in, with its states and its open copies. */
export function KeyList({ keys, tenant, only }: KeyListProps) {
  const { go } = useKeyrite()
  const [find, setFind] = useState('')
  const [filter, setFilter] = useState<KeyFilter>(only === undefined ? 'all' : 'copies')
  const shown = useMemo(
    () => selected(keys, find, filter, tenant).map((key) => ({ ...key, id: key.kid })),
    [keys, find, filter, tenant],
  )
  const name = tenant === undefined ? undefined : (keys.find((key) => key.tenant === tenant)?.tenantName ?? tenant)
  const open = keys.reduce((sum, key) => sum + key.openCopies, 0)
  return (
    <>
      {name !== undefined && <BackTo to={{ screen: 'keys' }}>{words.allTenants}</BackTo>}
      <Page title={name === undefined ? words.title : words.ofTenant(name)} lead={words.lead(keys.length, open)}>
        <div className={css.finding}>
          <TextField label={words.find} hint={words.findHint} value={find} onChange={setFind} maxLength={80} />
          <Choice
            label={words.show}
            look="select"
            value={filter}
            onChange={(value) => setFilter(KEY_FILTERS.find((known) => known === value) ?? 'all')}
            options={KEY_FILTERS.map((value) => ({ value, label: words.filters[value] }))}
          />
        </div>
        <p className={css.count} role="status">
          {words.shown(shown.length, keys.length)}
        </p>
        <Heads />
        <VirtualList
          label={words.title}
          items={shown}
          rowHeight={60}
          nameOf={(key) => `${key.label} ${key.tenantName}`}
          onOpen={({ kid }) => go({ screen: 'keys', kid })}
          empty={words.none}
        >
          {(key) => <Row row={key} />}
        </VirtualList>
      </Page>
    </>
  )
}

function Heads() {
  const { columns } = words
  return (
    <div className={css.heads} aria-hidden="true">
      <span>{columns.key}</span>
      <span>{columns.phase}</span>
      <span className={css.wide}>{columns.state}</span>
      <span>{columns.until}</span>
      <span>{columns.copies}</span>
    </div>
  )
}

function Row({ row }: { row: KeyRow }) {
  return (
    <div className={css.row}>
      <span className={css.cell}>
        <span className={css.name}>{row.label}</span>
        <span className={`${css.small} ${css.clip}`}>
          {row.tenantName} · {row.spec}
          {row.standby && ` · ${words.standby}`}
        </span>
      </span>
      <span className={css.cell}>
        <Phase row={row} />
      </span>
      <span className={`${css.cell} ${css.wide}`}>{row.state}</span>
      <span className={css.cell}>{fullDay(row.times.signUntil)}</span>
      <span className={css.cell}>
        {row.openCopies > 0 ? <Status kind="open">{words.openCopies(row.openCopies)}</Status> : words.openCopies(0)}
      </span>
    </div>
  )
}

/** Where the key is in its life; a compromise says more than its schedule. */
export function Phase({ row }: { row: KeyRow }) {
  if (row.compromisedAt !== null)
    return <Status kind="danger">{words.compromisedOn(fullDay(row.compromisedAt))}</Status>
  if (row.destroyedAt !== null) return <Status kind="closed">{words.destroyedOn(fullDay(row.destroyedAt))}</Status>
  if (row.standby && row.phase === 'signing') return <Status kind="todo">{words.standby}</Status>
  if (row.phase === 'signing') return <Status kind="now">{row.phase}</Status>
  return <Status kind={row.phase === 'retired' || row.phase === 'removed' ? 'done' : 'todo'}>{row.phase}</Status>
}
