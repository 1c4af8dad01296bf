import { useState } from 'react'
import type { MediumFile } from '../../../shared/contract/machine.ts'
import { Button } from '../../components/Button.tsx'
import { Empty } from '../../components/Facts.tsx'
import { dayAndClock } from '../../components/format.ts'
import { Notice } from '../../components/Notice.tsx'
import { Section } from '../../components/Page.tsx'
import { Table } from '../../components/Table.tsx'
import { text } from '../../text/index.ts'
import { spellBytes } from './bytes.ts'
import { Choosing, ChosenMedium } from './Media.tsx'
import css from './transfer.module.css'
import type { MediumState } from './use-medium.ts'

type OnMediumProps = { medium: MediumState; onOpen: (name: string) => void }

/** The chosen medium and what lies on it, or the media to choose from. */
export function OnMedium({ medium, onOpen }: OnMediumProps) {
  const [another, setAnother] = useState(false)
  const { known, letGo } = medium
  if (!known) return null
  const choosing = another || !known.chosen
  const choose = async (folder: string) => {
    if (await medium.choose(folder)) setAnother(false)
  }
  return (
    <>
      {letGo && (
        <div className={css.notice}>
          <Notice
            tone={letGo.safe ? 'done' : 'warn'}
            title={letGo.safe ? text.transfer.chosen.safe : text.transfer.chosen.unsafe}
          >
            {letGo.said}
          </Notice>
        </div>
      )}
      {choosing && <Choosing medium={medium} onChoose={choose} onKeep={known.chosen && (() => setAnother(false))} />}
      {!choosing && known.chosen && (
        <ChosenMedium chosen={known.chosen} medium={medium} onAnother={() => setAnother(true)} />
      )}
      {!choosing && known.files && <Files files={known.files} onOpen={onOpen} medium={medium} />}
    </>
  )
}

function Files({ files, onOpen, medium }: OnMediumProps & { files: readonly MediumFile[] }) {
  const words = text.transfer.files
  return (
    <Section
      title={words.title}
      aside={
        <Button kind="link" onPress={medium.again}>
          {words.again}
        </Button>
      }
    >
      <Table
        label={words.label}
        rows={files}
        keyOf={({ name }) => name}
        empty={<Empty title={words.none}>{words.noneWords}</Empty>}
        columns={[
          {
            id: 'kind',
            name: words.kind,
            head: true,
            cell: ({ kind }) => text.transfer.kinds[kind],
            sortBy: ({ kind }) => text.transfer.kinds[kind],
          },
          {
            id: 'name',
            name: words.name,
            cell: ({ name }) => <span className={css.fileName}>{name}</span>,
            sortBy: ({ name }) => name,
          },
          {
            id: 'size',
            name: words.size,
            align: 'end',
            nowrap: true,
            cell: ({ size }) => spellBytes(size),
            sortBy: ({ size }) => size,
          },
          {
            id: 'modified',
            name: words.modified,
            cell: ({ modified }) => dayAndClock(modified),
            sortBy: ({ modified }) => modified,
          },
          {
            id: 'open',
            name: words.open,
            quiet: true,
            nowrap: true,
            cell: ({ name }) => (
              <Button kind="link" label={words.openNamed(name)} onPress={() => onOpen(name)}>
                {words.open}
              </Button>
            ),
          },
        ]}
      />
    </Section>
  )
}
