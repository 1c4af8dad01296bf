import { useState } from 'react'
import { Button } from '../components/Button.tsx'
import { Fields, TextField } from '../components/Field.tsx'
import { Fingerprint } from '../components/Fingerprint.tsx'
import { FooterBar, Frame } from '../components/Frame.tsx'
import { words } from '../components/format.ts'
import { Page, Section } from '../components/Page.tsx'
import { StepRail } from '../components/StepRail.tsx'
import { PARTS, waysOut } from './Runner.tsx'
import { at, DIGEST } from './sample.ts'

const nothing = () => {}
const ASKED = [4, 11, 19]

export function Compare() {
  const all = words(DIGEST)
  const [typed, setTyped] = useState<string[]>([all[3] ?? '', all[10] ?? '', 'de'])
  return (
    <Frame
      title="Enrolling a runtime, eu-2"
      id="E-2026-003"
      network="offline"
      now={at('2026-06-09T11:41:05')}
      left={<StepRail parts={PARTS} minutesLeft={15} />}
      footer={
        <FooterBar
          act={
            <>
              <Button kind="danger" onPress={nothing}>
                It does not match: stop
              </Button>
              <Button kind="filled" disabled>
                Finish step 12
              </Button>
            </>
          }
        >
          {waysOut}
        </FooterBar>
      }
    >
      <Page
        title="Is this really eu-2? Compare by voice"
        lead="By telephone, the issuer operator reads from eu-2’s own screen. Everyone here follows on this one."
      >
        <Fingerprint
          digest={DIGEST}
          covered={ASKED}
          qr={DIGEST}
          covers={[
            { label: 'Runtime', value: 'eu-2' },
            { label: 'For', value: 'production' },
            { label: 'Holds', value: 'a receipt key and a first transport key' },
            { label: 'Made', value: '8 June, 15:20 UTC' },
          ]}
        />
      </Page>
      <Section title="Compliance officer 1 types three words, as heard">
        <Fields>
          {ASKED.map((number, index) => {
            const right = typed[index] === all[number - 1]
            return (
              <TextField
                key={number}
                label={`Word ${number}`}
                value={typed[index] ?? ''}
                onChange={(value) => setTyped(typed.with(index, value))}
                state={right ? { kind: 'done', words: 'Matches' } : { kind: 'waiting', words: 'Waiting' }}
                typedOnly
              />
            )
          })}
        </Fields>
      </Section>
    </Frame>
  )
}
