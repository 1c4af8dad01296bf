import { type FormEvent, useState } from 'react'
import type { Verified } from '../../../shared/contract/records.ts'
import { BackTo } from '../../app/BackTo.tsx'
import { FolderDialog } from '../../app/FolderDialog.tsx'
import { useAsk } from '../../app/use-ask.ts'
import { Button, Buttons } from '../../components/Button.tsx'
import { Choice } from '../../components/Choice.tsx'
import { TextField } from '../../components/Field.tsx'
import { FailureNotice } from '../../components/Notice.tsx'
import { Page } from '../../components/Page.tsx'
import { useKeyrite } from '../../state.tsx'
import { text } from '../../text/index.ts'
import { Findings } from './Findings.tsx'
import css from './records.module.css'

const words = text.records.verification

/** Any record folder or file of this machine or a medium, checked from a trust anchor that somebody chooses. */
export function VerifyPage() {
  const { overview, call } = useKeyrite()
  const [verified, setVerified] = useState<Verified | null>(null)
  const { pending, failure, ask } = useAsk()
  const verify = (path: string, anchor: string | null) =>
    ask(() => call('verify', { what: { path }, anchor }), setVerified)
  return (
    <>
      {overview && <BackTo to={{ screen: 'records' }}>{text.records.back}</BackTo>}
      <Page title={words.title} lead={words.lead}>
        <Form pending={pending} onVerify={verify} />
        {failure && <FailureNotice failure={failure} />}
        {pending && <p role="status">{words.working}</p>}
        {verified && !pending && <Findings verified={verified} />}
      </Page>
    </>
  )
}

type FormProps = { pending: boolean; onVerify: (path: string, anchor: string | null) => void }

function Form({ pending, onVerify }: FormProps) {
  const { overview, hello } = useKeyrite()
  const [path, setPath] = useState('')
  const [against, setAgainst] = useState(overview ? 'own' : 'other')
  const [anchor, setAnchor] = useState('')
  const [choosing, setChoosing] = useState(false)
  const [missing, setMissing] = useState(false)
  /** What is said to be missing holds until somebody types. */
  const typed = (set: (value: string) => void) => (value: string) => {
    setMissing(false)
    set(value)
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const complete = path.trim() !== '' && (against === 'own' || anchor.trim() !== '')
    setMissing(!complete)
    if (complete) onVerify(path.trim(), against === 'own' ? null : anchor.trim())
  }
  return (
    <form className={css.form} onSubmit={submit}>
      <TextField
        label={words.path}
        hint={words.pathHint}
        error={missing ? words.missing : undefined}
        value={path}
        onChange={typed(setPath)}
        mono
      />
      {overview && (
        <Choice
          label={words.anchor}
          value={against}
          onChange={setAgainst}
          options={[
            { value: 'own', label: words.own(overview.name) },
            { value: 'other', label: words.other },
          ]}
        />
      )}
      {against === 'other' && (
        <TextField label={words.anchorPath} hint={words.anchorHint} value={anchor} onChange={typed(setAnchor)} mono />
      )}
      <Buttons>
        <Button kind="filled" type="submit" pending={pending}>
          {words.go}
        </Button>
        <Button onPress={() => setChoosing(true)}>{words.choose}</Button>
      </Buttons>
      {choosing && (
        <FolderDialog
          title={words.path}
          from={path.trim() || hello.home}
          onLeave={() => setChoosing(false)}
          onChoose={(folder) => {
            setPath(folder)
            setChoosing(false)
          }}
        />
      )}
    </form>
  )
}
