import type { Verified } from '../../../shared/contract/records.ts'
import { Notice } from '../../components/Notice.tsx'
import { Status, type StatusKind } from '../../components/Status.tsx'
import { type Column, Table } from '../../components/Table.tsx'
import { text } from '../../text/index.ts'
import css from './records.module.css'

const words = text.records.verification

type Finding = Verified['files'][number]

const SHAPES: Record<Finding['standing'], StatusKind> = {
  verified: 'done',
  consistent: 'todo',
  failed: 'danger',
  unanchored: 'warn',
}
const ORDER = ['failed', 'unanchored', 'verified', 'consistent']

const COLUMNS: Column<Finding>[] = [
  {
    id: 'result',
    name: words.result,
    nowrap: true,
    cell: ({ standing }) => <Status kind={SHAPES[standing]}>{words.standing[standing]}</Status>,
  },
  {
    id: 'file',
    name: words.file,
    head: true,
    cell: ({ file, kind }) => (
      <>
        {file}
        <div className={css.small}>{kind}</div>
      </>
    ),
  },
  { id: 'found', name: words.found, cell: (found) => <Shown found={found} /> },
]

/** What a verification came to: a sentence, then each file with what it shows. */
export function Findings({ verified }: { verified: Verified }) {
  const { failed, files, anchored } = verified
  const folder = folderOf(files.map(({ file }) => file))
  const named = files.map((found) => ({ ...found, file: found.file.slice(folder.length) }))
  const rows = named.toSorted((one, other) => ORDER.indexOf(one.standing) - ORDER.indexOf(other.standing))
  const standings = [...new Set(rows.map(({ standing }) => standing))]
  return (
    <section className={css.findings}>
      <Notice
        tone={failed > 0 ? 'danger' : anchored ? 'done' : 'warn'}
        title={failed > 0 ? words.fails(failed, files.length) : words.allWell(files.length)}
      >
        {anchored ? words.anchored : words.unanchored}
      </Notice>
      {folder !== '' && <p className={css.small}>{words.inFolder(folder)}</p>}
      <Table label={words.found} columns={COLUMNS} rows={rows} keyOf={({ file }) => file} />
      <ul className={css.means}>
        {standings.map((standing) => (
          <li key={standing}>{words.means[standing]}</li>
        ))}
      </ul>
    </section>
  )
}

/** The folder that all these paths begin with, with its last separator. */
function folderOf([first = '', ...others]: readonly string[]): string {
  const end = Math.max(first.lastIndexOf('/'), first.lastIndexOf('\\')) + 1
  const folder = first.slice(0, end)
  if (folder === '' || others.every((path) => path.startsWith(folder))) return folder
  return folderOf([folder.slice(0, -1), ...others])
}

function Shown({ found: { facts, remarks, problems } }: { found: Finding }) {
  return (
    <ul>
      {problems.map((problem) => (
        <li key={problem} className={css.problem}>
          {problem}
        </li>
      ))}
      {facts.map((fact) => (
        <li key={fact}>{fact}</li>
      ))}
      {remarks.map((remark) => (
        <li key={remark} className={css.small}>
          {remark}
        </li>
      ))}
    </ul>
  )
}
