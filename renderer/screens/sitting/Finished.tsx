import { useState } from 'react'
import type { Sitting } from '../../../shared/contract/sitting.ts'
import { Button, Buttons } from '../../components/Button.tsx'
import { Notice } from '../../components/Notice.tsx'
import { MarginRow, Page } from '../../components/Page.tsx'
import { Table } from '../../components/Table.tsx'
import { useKeyrite } from '../../state.tsx'
import { text } from '../../text/index.ts'
import { Refused } from './act.tsx'
import { useCalling } from './calling.ts'
import { Home, Log } from './Over.tsx'
import { Printing } from './Printing.tsx'
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
      {!rehearsed && <Record result={result} />}
      {!rehearsed && result.certificates.length > 0 && <Certificates result={result} />}
      {sitting.files.length > 0 && <Files files={sitting.files} />}
      <MarginRow margin={words.next}>
        <p className={css.measure}>{text.sitting.next[sitting.kind] ?? words.nothing}</p>
      </MarginRow>
      <Log sitting={sitting} />
      <Home />
    </Page>
  )
}

function Record({ result: { ceremony, record } }: { result: Result }) {
  return (
    <MarginRow margin={words.record}>
      {record !== null && <p className={css.path}>{record}</p>}
      <Buttons>
        <Printing ceremony={ceremony} name="record.html">
          {words.print}
        </Printing>
        <Printing ceremony={ceremony} name="head-card.html">
          {words.printCard}
        </Printing>
      </Buttons>
    </MarginRow>
  )
}

function Certificates({ result: { ceremony, certificates } }: { result: Result }) {
  return (
    <MarginRow margin={words.certificates}>
      <p className={css.measure}>{words.grades}</p>
      <Buttons>
        {certificates.map((id) => (
          <Printing key={id} ceremony={ceremony} name={`${id}.html`}>
            {words.printCertificate(id)}
          </Printing>
        ))}
      </Buttons>
    </MarginRow>
  )
}

function Files({ files }: Pick<Sitting, 'files'>) {
  const { call } = useKeyrite()
  const [said, setSaid] = useState<{ safe: boolean; said: string } | null>(null)
  const { run, pending, failure } = useCalling(async (_: null) => setSaid(await call('unmount', {})))
  return (
    <MarginRow margin={words.files}>
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
      </Buttons>
      {said && <Notice tone={said.safe ? 'done' : 'warn'} title={said.said} />}
      <Refused failure={failure} />
    </MarginRow>
  )
}
