import { useState } from 'react'
import type { Isolation } from '../../../shared/contract/records.ts'
import { Loading } from '../../app/Loading.tsx'
import { useLoaded } from '../../app/use-loaded.ts'
import { TextField } from '../../components/Field.tsx'
import { Section } from '../../components/Page.tsx'
import { Status } from '../../components/Status.tsx'
import { type Column, Table } from '../../components/Table.tsx'
import { VirtualList } from '../../components/VirtualList.tsx'
import { text } from '../../text/index.ts'
import css from './evidence.module.css'
import { Matrix } from './Matrix.tsx'

const words = text.evidence.isolation

type Shared = Isolation['shared'][number]
type Tenant = Isolation['tenants'][number]

/** Tenant by tenant: what must never be shared, what was compared, and whether anything was. */
export function IsolationTab() {
  const { value, failure } = useLoaded('isolation', {})
  if (!value) return <Loading failure={failure} />
  const { tenants, shared, checked } = value
  return (
    <>
      <p className={css.verdict}>
        <Status kind={shared.length > 0 ? 'danger' : 'done'}>
          {shared.length > 0 ? words.shared(shared.length) : words.apart(tenants.length)}
        </Status>
      </p>
      <div className={css.beside}>
        <Matrix isolation={value} />
        <Section title={words.checked}>
          <ul className={css.checked}>
            {checked.map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
        </Section>
      </div>
      {shared.length > 0 && <SharedTable isolation={value} />}
      <Tenants tenants={tenants} />
    </>
  )
}

function SharedTable({ isolation: { shared, tenants } }: { isolation: Isolation }) {
  const name = (id: string) => tenants.find(({ tenant }) => tenant === id)?.name ?? id
  const columns: Column<Shared>[] = [
    { id: 'pair', name: words.pair, head: true, cell: ({ first, second }) => `${name(first)}, ${name(second)}` },
    { id: 'what', name: words.what, cell: ({ what }) => <Status kind="danger">{what}</Status> },
  ]
  return <Table label={words.what} columns={columns} rows={shared} keyOf={(_, index) => index} />
}

function Tenants({ tenants }: { tenants: readonly Tenant[] }) {
  const [find, setFind] = useState('')
  const wanted = find.trim().toLowerCase()
  const shown = tenants
    .filter(({ tenant, name, issuer }) => `${tenant} ${name} ${issuer}`.toLowerCase().includes(wanted))
    .map((tenant) => ({ ...tenant, id: tenant.tenant }))
  return (
    <Section title={words.tenants}>
      {tenants.length > 8 && <TextField label={words.find} value={find} onChange={setFind} maxLength={80} />}
      <VirtualList label={words.tenants} items={shown} rowHeight={52} nameOf={({ name }) => name} empty={words.none}>
        {({ name, issuer, keys }) => (
          <div className={css.tenant}>
            <span className={css.name}>{name}</span>
            <code className={css.issuer}>{issuer}</code>
            <span>{text.language.counted(keys, 'key')}</span>
          </div>
        )}
      </VirtualList>
    </Section>
  )
}
