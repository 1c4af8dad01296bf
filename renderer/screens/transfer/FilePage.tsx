import { useEffect, useState } from 'react'
import type { Inspected } from '../../../shared/contract/machine.ts'
import type { Failure } from '../../client.ts'
import { Button, Buttons } from '../../components/Button.tsx'
import { Fingerprint } from '../../components/Fingerprint.tsx'
import { FailureNotice } from '../../components/Notice.tsx'
import { MarginRow, Page } from '../../components/Page.tsx'
import { Status } from '../../components/Status.tsx'
import { type PlanStart, useKeyrite } from '../../state.tsx'
import { text } from '../../text/index.ts'
import { digestOf } from './bytes.ts'
import css from './transfer.module.css'

/** What can be shown as QR codes; the engine refuses more. */
export const QR_MAX = 64 * 1024

type FilePageProps = { name: string; size: number | null; onBack: () => void; onShow: () => void }

/** One file before anybody accepts it: who signed it, what it says, its fingerprint. */
export function FilePage({ name, size, onBack, onShow }: FilePageProps) {
  const { file, failure } = useInspected(name)
  const words = text.transfer.file
  const title = failure ? words.refused : file ? text.transfer.kinds[file.kind] : words.looking
  return (
    <Page title={title} lead={<span className={css.fileName}>{name}</span>} subject={title} ruled>
      {failure && (
        <div className={css.failed}>
          <FailureNotice failure={failure} />
        </div>
      )}
      {file && <Told file={file} />}
      <div className={css.acts}>
        <Buttons>
          {file && <PlanWith file={file} />}
          {file && size !== null && size > 0 && size <= QR_MAX && <Button onPress={onShow}>{words.qr}</Button>}
          <Button kind="quiet" onPress={onBack}>
            {words.back}
          </Button>
        </Buttons>
      </div>
    </Page>
  )
}

function useInspected(name: string) {
  const { call } = useKeyrite()
  const [file, setFile] = useState<Inspected | null>(null)
  const [failure, setFailure] = useState<Failure | null>(null)
  useEffect(() => {
    let gone = false
    call('inspect', { name }).then(
      (inspected) => !gone && setFile(inspected),
      (error: Failure) => !gone && setFailure(error),
    )
    return () => {
      gone = true
    }
  }, [call, name])
  return { file, failure }
}

function Told({ file }: { file: Inspected }) {
  const words = text.transfer.file
  const { signer, verified, digest, covers, facts } = file
  return (
    <>
      <div className={css.told}>
        <MarginRow margin={words.signer}>
          <Status kind={verified ? 'done' : 'open'}>{verified ? words.checked : words.unchecked}</Status>
          <p className={css.signer}>{signer}</p>
        </MarginRow>
      </div>
      <div className={css.told}>
        <MarginRow margin={words.says}>
          <dl className={css.facts}>
            {facts.map(({ name, value }) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        </MarginRow>
      </div>
      <Fingerprint digest={digestOf(digest.hex)} title={words.fingerprint} note={words.covers(covers)} />
      <p className={css.quiet}>{words.accepts}</p>
    </>
  )
}

/** The plan that takes this file in, as far as the file tells; voices and choices stay with the people. */
function PlanWith({ file }: { file: Inspected }) {
  const { overview, go, call } = useKeyrite()
  const words = text.transfer.file
  const { kind, name, runtime } = file
  const waitsFor = overview ? undefined : words.waits
  const plan = (start: PlanStart) => go({ screen: 'plan', start })
  if (kind === 'receipts')
    return (
      <Button
        kind="filled"
        waitsFor={waitsFor}
        onPress={() => plan({ kind: 'intake', given: { runtime, receipts: name } })}
      >
        {words.intake}
      </Button>
    )
  if (kind === 'enrollment')
    return (
      <Button
        kind="filled"
        waitsFor={waitsFor}
        onPress={() => plan({ kind: 'enroll-runtime', given: { enrollment: name } })}
      >
        {words.enroll}
      </Button>
    )
  if (kind !== 'plan') return null
  const load = async () => plan({ text: (await call('loadPlan', { place: 'medium', name })).text })
  return (
    <Button kind="filled" onPress={load}>
      {words.plan}
    </Button>
  )
}
