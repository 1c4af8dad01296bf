import { useState } from 'react'
import { Frame } from '../components/Frame.tsx'
import { Page, Section } from '../components/Page.tsx'
import { Playback, type PlaybackStep } from '../components/Playback.tsx'
import { NOW } from './sample.ts'

const STEPS: PlaybackStep[] = [
  { number: 1, name: 'Prepare the room', at: NOW + 240 },
  { number: 2, name: 'Who is here', at: NOW + 420 },
  { number: 3, name: 'Confirm the time', at: NOW + 540, mark: 'deviation' },
  { number: 4, name: 'Approve making two keys', at: NOW + 1500 },
  { number: 5, name: 'Make acme-2026-06', at: NOW + 1560 },
  { number: 6, name: 'Seal both keys', at: NOW + 1680, mark: 'noWayBack' },
  { number: 7, name: 'Sign the record', at: NOW + 2700 },
]

export function PlaybackPage() {
  const [step, setStep] = useState(2)
  return (
    <Frame title="Playback" network="unknown" now={NOW}>
      <Page title="What happened">
        <Section title="Playback">
          <Playback startedAt={NOW} endedAt={NOW + 2820} steps={STEPS} current={step} onMove={setStep}>
            <p>Two watches agree with this machine to the second.</p>
          </Playback>
        </Section>
        <Section title="Playback of nothing">
          <Playback startedAt={NOW} endedAt={NOW} steps={[]} current={0} onMove={setStep} />
        </Section>
      </Page>
    </Frame>
  )
}
