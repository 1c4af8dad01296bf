import { useState } from 'react'
import { Button } from '../components/Button.tsx'
import { Dialog } from '../components/Dialog.tsx'
import { TextField } from '../components/Field.tsx'
import { Frame } from '../components/Frame.tsx'
import { Announcer, FailureNotice, Notice } from '../components/Notice.tsx'
import { Page, Stack } from '../components/Page.tsx'
import { NOW } from './sample.ts'

const nothing = () => {}

/** What is told on a screen: information, success, attention, failure. */
export const Failed = () => (
  <Frame title="Notices" network="detected" now={NOW}>
    <Page title="What is told">
      <Announcer polite="Key 7 of 20 is made." />
      <Stack>
        <Notice tone="info" title="The plan was made for this vault as it was on 8 June.">
          <p>Two records were written since. Check it again.</p>
        </Notice>
        <Notice tone="done" title="Both keys are sealed. Recorded 10:02 UTC." onDismiss={nothing} />
        <Notice
          tone="warn"
          title="A network came up. The ceremony is paused and recorded."
          actions={<Button onPress={nothing}>Look again</Button>}
        >
          <p>Pull the cable of eth0, then go on.</p>
        </Notice>
        <FailureNotice
          failure={{
            code: 'passphrase-wrong',
            message: 'That passphrase does not open Custodian 4’s share.',
            lost: 'Nothing has changed.',
            hint: 'Type it again.',
          }}
        />
      </Stack>
    </Page>
  </Frame>
)

/** A question above a screen. */
export function Asking() {
  const [open, setOpen] = useState(true)
  const [why, setWhy] = useState('')
  return (
    <Frame title="Rotation of Acme" id="R-2026-014" network="offline" now={NOW}>
      <Page title="Approve making two keys for Acme" takesFocus={false}>
        <Button onPress={() => setOpen(true)}>Abort…</Button>
        <Dialog
          title="Abort this ceremony?"
          open={open}
          onClose={() => setOpen(false)}
          actions={
            <>
              <Button onPress={() => setOpen(false)}>Go on with it</Button>
              <Button kind="danger" waitsFor={why === '' ? 'Waits for a reason.' : undefined} onPress={nothing}>
                Abort and record
              </Button>
            </>
          }
        >
          <p>Nothing was made yet, so nothing is lost. The record stays and says why.</p>
          <TextField label="Why" value={why} onChange={setWhy} lines={2} />
        </Dialog>
      </Page>
    </Frame>
  )
}
