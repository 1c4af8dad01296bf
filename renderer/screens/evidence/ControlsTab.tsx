import { useState } from 'react'
import type { Gives } from '../../../shared/contract/contract.ts'
import { Loading } from '../../app/Loading.tsx'
import { useLoaded } from '../../app/use-loaded.ts'
import { Choice } from '../../components/Choice.tsx'
import { Section } from '../../components/Page.tsx'
import { Status, type StatusKind } from '../../components/Status.tsx'
import { type Column, Table } from '../../components/Table.tsx'
import { text } from '../../text/index.ts'
import css from './evidence.module.css'

const words = text.evidence.controls
const ALL = 'all'

type Control = Gives<'controls'>['controls'][number]

const SHAPES: Record<Control['met'], StatusKind> = { shown: 'done', partly: 'warn', 'not shown': 'todo' }

const COLUMNS: Column<Control>[] = [
  {
    id: 'control',
    name: words.columns.control,
    head: true,
    cell: ({ control, title }) => (
      <>
        {control}
        <div className={css.small}>{title}</div>
      </>
    ),
  },
  {
    id: 'evidence',
    name: words.columns.evidence,
    cell: ({ evidence }) => (
      <ul>
        {evidence.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
    ),
  },
  {
    id: 'met',
    name: words.columns.met,
    nowrap: true,
    cell: ({ met }) => <Status kind={SHAPES[met]}>{words.met[met]}</Status>,
  },
]

/** Requirements of known frameworks, and what in this vault speaks to each. */
export function ControlsTab() {
  const { value, failure } = useLoaded('controls', {})
  const [chosen, setChosen] = useState(ALL)
  if (!value) return <Loading failure={failure} />
  const frameworks = [...new Set(value.controls.map(({ framework }) => framework))]
  const shown = chosen === ALL ? frameworks : frameworks.filter((framework) => framework === chosen)
  return (
    <>
      <p className={css.text}>{words.lead}</p>
      <div className={css.narrow}>
        <Choice
          label={words.framework}
          look="select"
          value={chosen}
          onChange={setChosen}
          options={[{ value: ALL, label: words.all }, ...frameworks.map((name) => ({ value: name, label: name }))]}
        />
      </div>
      {shown.map((framework) => (
        <Section key={framework} title={framework}>
          <Table
            label={framework}
            columns={COLUMNS}
            rows={value.controls.filter((control) => control.framework === framework)}
            keyOf={({ control }) => control}
          />
        </Section>
      ))}
    </>
  )
}
