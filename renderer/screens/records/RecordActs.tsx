import { useState } from 'react'
import type { RecordView, Verified } from '../../../shared/contract/records.ts'
import { useAsk } from '../../app/use-ask.ts'
import { Button, Buttons } from '../../components/Button.tsx'
import { FailureNotice, Notice } from '../../components/Notice.tsx'
import { Stack } from '../../components/Page.tsx'
import { useKeyrite } from '../../state.tsx'
import { text } from '../../text/index.ts'
import { Findings } from './Findings.tsx'

const words = text.records

/** Verify the record folder from the trust anchor; copy it to the medium. */
export function RecordActs({ record }: { record: RecordView }) {
  const { call } = useKeyrite()
  const verifying = useAsk()
  const copying = useAsk()
  const [verified, setVerified] = useState<Verified | null>(null)
  const [copied, setCopied] = useState<string | null>(null)
  const { ceremony, folder } = record
  if (folder === null) return record.how === 'completed' ? <WriteAgain ceremony={ceremony} /> : null
  const copy = () => {
    setCopied(null)
    copying.ask(
      () => call('exportRecord', { ceremony }),
      (made) => setCopied(made.folder),
    )
  }
  return (
    <Stack>
      <Buttons>
        <Button
          kind="filled"
          pending={verifying.pending}
          onPress={() => verifying.ask(() => call('verify', { what: { ceremony }, anchor: null }), setVerified)}
        >
          {words.verify}
        </Button>
        <Button pending={copying.pending} onPress={copy}>
          {words.exportIt}
        </Button>
      </Buttons>
      {verifying.failure && <FailureNotice failure={verifying.failure} onDismiss={verifying.forget} />}
      {copying.failure && <FailureNotice failure={copying.failure} onDismiss={copying.forget} />}
      {copied !== null && <Notice tone="done" title={words.exported(copied)} onDismiss={() => setCopied(null)} />}
      {verified && <Findings verified={verified} />}
    </Stack>
  )
}

/** The folder is not where it was written, or never was: everything in it follows from the vault, so it is written again. */
function WriteAgain({ ceremony }: { ceremony: string }) {
  const { call, go } = useKeyrite()
  const { pending, failure, ask, forget } = useAsk()
  const write = () =>
    ask(
      () => call('writeRecord', { ceremony }),
      () => go({ screen: 'records', ceremony }),
    )
  return (
    <Stack>
      <p>{words.noFolder}</p>
      <Buttons>
        <Button kind="filled" pending={pending} onPress={write}>
          {words.writeAgain}
        </Button>
      </Buttons>
      {failure && <FailureNotice failure={failure} onDismiss={forget} />}
    </Stack>
  )
}
