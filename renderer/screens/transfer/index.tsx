import { useState } from 'react'
import { FailureNotice } from '../../components/Notice.tsx'
import { Page } from '../../components/Page.tsx'
import { Tabs } from '../../components/Tabs.tsx'
import { text } from '../../text/index.ts'
import { ByQr } from './ByQr.tsx'
import { FilePage } from './FilePage.tsx'
import { OnMedium } from './OnMedium.tsx'
import { ShowFrames } from './ShowFrames.tsx'
import { type MediumState, useMedium } from './use-medium.ts'

type Looking = { at: 'list' } | { at: 'file' | 'frames'; name: string }

/** The files that come and go: on a medium, or as QR codes. */
export function TransferScreen() {
  const medium = useMedium()
  const [looking, look] = useState<Looking>({ at: 'list' })
  const [tab, setTab] = useState('medium')
  const back = () => look({ at: 'list' })
  if (looking.at === 'file') {
    const { name } = looking
    return (
      <FilePage name={name} size={sizeOf(medium, name)} onBack={back} onShow={() => look({ at: 'frames', name })} />
    )
  }
  if (looking.at === 'frames') return <ShowFrames name={looking.name} onBack={back} />
  const onOpen = (name: string) => look({ at: 'file', name })
  const onShow = (name: string) => look({ at: 'frames', name })
  return (
    <Page title={titleOf(medium)} lead={leadOf(medium)}>
      {medium.failure && <FailureNotice failure={medium.failure} />}
      <Tabs
        label={text.transfer.tabs.label}
        selected={tab}
        onSelect={setTab}
        tabs={[
          { id: 'medium', title: text.transfer.tabs.medium, content: <OnMedium medium={medium} onOpen={onOpen} /> },
          { id: 'qr', title: text.transfer.tabs.qr, content: <ByQr medium={medium} onOpen={onOpen} onShow={onShow} /> },
        ]}
      />
    </Page>
  )
}

const titleOf = ({ known }: MediumState): string =>
  known?.chosen ? text.transfer.title.chosen(known.chosen.label) : text.transfer.title.none

const leadOf = ({ known }: MediumState): string => (known?.chosen ? text.transfer.lead.chosen : text.transfer.lead.none)

const sizeOf = ({ known }: MediumState, name: string): number | null =>
  known?.files?.find((file) => file.name === name && file.kind !== 'backup')?.size ?? null
