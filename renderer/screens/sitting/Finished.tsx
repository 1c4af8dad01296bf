import { useState } from 'react'
import type { Sitting } from '../../../shared/contract/sitting.ts'
import { Button, Buttons } from '../../components/Button.tsx'
import { Notice } from '../../components/Notice.tsx'
import { MarginRow, Page, Stack } from '../../components/Page.tsx'
import { Table } from '../../components/Table.tsx'
import { useKeyrite } from '../../state.tsx'
import { text } from '../../text/index.ts'
import { Refused } from './act.tsx'
import { useCalling } from './calling.ts'
import { Home, Log } from './Ending.tsx'
import { isNew, useLeave } from './leave.ts'
import { Pages } from './Pages.tsx'
import css from './sitting.module.css'

const words = text.sitting.finished
type Result = NonNullable<Sitting['result']>
type Props = { sitting: Sitting; result: Result }

/** The signed record, what lies on the medium, and what is due now. */
export function Finished({ sitting, result }: Props) {
  const rehearsed = sitting.doing === 'rehearse'
  return (
    <Page
      title={rehearsed ? words.rehearsed : words.title(result.ceremony)}
      lead={rehearsed ? words.rehearsedLead : words.lead(sitting.people.filter((one) => one.hereSince !== null).length)}
      subject="finished"
      ruled
    >
      {!rehearsed && (
        <MarginRow margin={words.record}>
          <Pages sitting={sitting} result={result} />
        </MarginRow>
      )}
      {sitting.files.length > 0 && <Files files={sitting.files} />}
      <Next sitting={sitting} />
      <Log sitting={sitting} />
      <Home />
    </Page>
  )
}

/** What is due because of it, and the plan for that where it is another ceremony. */
const NEXT: Partial<Record<Sitting['kind'], Sitting['kind']>> = {
  genesis: 'onboard',
  onboard: 'handoff',
  rotate: 'handoff',
  'enroll-runtime': 'handoff',
  emergency: 'handoff',
  'import-key': 'handoff',
  restore: 'handoff',
  custody: 'backup',
}

function Next({ sitting }: Pick<Props, 'sitting'>) {
  const { kind, doing, vault } = sitting
  const { overview } = useKeyrite()
  const { leave, pending } = useLeave()
  const closed = isNew(sitting, overview?.folder)
  const next = NEXT[kind]
  return (
    <MarginRow margin={words.next}>
      <Stack>
        <p className={css.measure}>
          {doing === 'rehearse' ? words.nothing : (text.sitting.next[kind] ?? words.nothing)}
        </p>
        {closed && (
          <>
            <p className={css.measure}>{words.openFirst}</p>
            <Buttons>
              <Button onPress={() => leave({ screen: 'home', open: vault.folder })} disabled={pending}>
                {words.open(vault.name)}
              </Button>
            </Buttons>
          </>
        )}
        {next && doing !== 'rehearse' && !closed && (
          <Buttons>
            <Button onPress={() => leave({ screen: 'plan', start: { kind: next } })} disabled={pending}>
              {words.plan(text.sitting.kinds[next])}
            </Button>
          </Buttons>
        )}
      </Stack>
    </MarginRow>
  )
}

function Files({ files }: Pick<Sitting, 'files'>) {
  const { call } = useKeyrite()
  const { leave, pending: leaving } = useLeave()
  const [said, setSaid] = useState<{ safe: boolean; said: string } | null>(null)
  const { run, pending, failure } = useCalling(async (_: null) => setSaid(await call('unmount', {})))
  return (
    <MarginRow margin={words.files}>
      <Stack>
        <Table
          label={words.files}
          columns={[
            { id: 'name', name: words.fileName, head: true, cell: ({ name }) => name },
            { id: 'size', name: words.fileSize, align: 'end', nowrap: true, cell: ({ size }) => words.size(size) },
          ]}
          rows={files}
          keyOf={({ name }) => name}
        />
        <Buttons>
          <Button onPress={() => run(null)} pending={pending}>
            {words.letGo}
          </Button>
          <Button onPress={() => leave({ screen: 'transfer' })} disabled={leaving}>
            {words.qr}
          </Button>
        </Buttons>
        {said && <Notice tone={said.safe ? 'done' : 'warn'} title={said.said} />}
        <Refused failure={failure} />
      </Stack>
    </MarginRow>
  )
}
