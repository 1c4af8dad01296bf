import { useState } from 'react'
import { Button } from '../components/Button.tsx'
import { CopyLedger } from '../components/CopyLedger.tsx'
import { DangerConfirmation } from '../components/DangerConfirmation.tsx'
import { FooterBar, Frame } from '../components/Frame.tsx'
import { Page } from '../components/Page.tsx'
import { StepRail } from '../components/StepRail.tsx'
import { PARTS, waysOut } from './Runner.tsx'
import { at } from './sample.ts'

const PHRASE = 'DESTROY Vq3uT8dZ'
const clock = (time: string) => at(`2026-06-09T${time}:00`)

export function Destroy() {
  const [typed, setTyped] = useState('DESTROY Vq3u')
  const person = (number: number) => ({ id: `c${number}`, name: `Custodian ${number}` })
  return (
    <Frame
      title="Destruction of one key, Contoso"
      id="D-2026-009"
      network="offline"
      now={at('2026-06-09T14:14:33')}
      left={<StepRail parts={PARTS} minutesLeft={25} />}
      footer={
        <FooterBar
          act={
            <Button kind="filled" waitsFor="Stopping here is safe. The vault’s copy is untouched.">
              Continue to step 12
            </Button>
          }
        >
          {waysOut}
        </FooterBar>
      }
    >
      <Page
        title="Destroy contoso-2026-02"
        lead="It stopped signing on 3 May. No token still needs it, and no legal hold names it."
      >
        <CopyLedger
          copies={[
            ['Vault', 'Sealed row, this machine', 'Destroyed in step 12, absence proved in 13', 'ends'],
            ['Backup 6', 'Safe A, Custodian 2', 'Shredded 13:31, attested by the holder', 'closed'],
            ['Runtime eu-1', 'Issuer operators', 'Erasure receipt 31, holder’s attestation', 'closed'],
            ['Runtime us-1', 'Issuer operators', 'Told to erase on 2 June, no receipt yet', 'open'],
            ['Vault medium', 'This machine’s disk', 'Old pages may survive until it is sanitised', 'open'],
          ].map(([name = '', where = '', evidence = '', state]) => ({
            id: name,
            name,
            where,
            evidence,
            state: state === 'ends' || state === 'closed' ? state : 'open',
          }))}
        >
          <strong>You will receive a certificate of deletion.</strong> It becomes a certificate of destruction when
          copies 4 and 5 are closed.
        </CopyLedger>
      </Page>
      <DangerConfirmation
        consequence="Step 12 erases the vault’s copy for good. No backup you hold can bring it back."
        phrase={PHRASE}
        people={[
          { ...person(1), typed: PHRASE, at: clock('14:12') },
          { ...person(3), typed: 'DESTROY Vq4', at: null },
          { ...person(5), typed, at: null },
        ]}
        onType={(id, value) => {
          if (id === 'c5') setTyped(value)
        }}
      />
    </Frame>
  )
}
