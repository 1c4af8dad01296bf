import { useState } from 'react'
import type { Gives } from '../../../shared/contract/contract.ts'
import type { Verified } from '../../../shared/contract/records.ts'
import { useAsk } from '../../app/use-ask.ts'
import { useOpenPage } from '../../app/use-open-page.ts'
import { Button, Buttons } from '../../components/Button.tsx'
import { FailureNotice, Notice } from '../../components/Notice.tsx'
import { Section, Stack } from '../../components/Page.tsx'
import { Progress } from '../../components/Progress.tsx'
import { useKeyrite } from '../../state.tsx'
import { text } from '../../text/index.ts'
import { Findings } from '../records/Findings.tsx'
import css from './evidence.module.css'

const words = text.evidence.pack

/** Verifying the whole vault, and building what an auditor takes away. */
export function PackTab() {
  return (
    <>
      <Whole />
      <Pack />
    </>
  )
}

function Whole() {
  const { call } = useKeyrite()
  const { pending, failure, ask } = useAsk()
  const [said, setSaid] = useState<string[] | null>(null)
  return (
    <Section title={words.verifyTitle}>
      <Stack>
        <p className={css.text}>{words.verifyBody}</p>
        <div>
          <Button
            pending={pending}
            onPress={() => {
              setSaid(null)
              ask(
                () => call('verifyVault', {}),
                (found) => setSaid(found.said),
              )
            }}
          >
            {words.verify}
          </Button>
        </div>
        {pending && <Underway label={words.verifying} />}
        {failure && <FailureNotice failure={failure} />}
        {said && (
          <Notice tone="done" title={words.whole}>
            <ul>
              {said.map((sentence) => (
                <li key={sentence}>{sentence}</li>
              ))}
            </ul>
          </Notice>
        )}
      </Stack>
    </Section>
  )
}

/** How far long work is, where the engine tells. */
function Underway({ label }: { label: string }) {
  const { progress } = useKeyrite()
  if (!progress) return <p role="status">{label}…</p>
  return <Progress label={label} done={progress.done} of={progress.of} words={progress.label} />
}

function Pack() {
  const { call, overview } = useKeyrite()
  const { pending, failure, ask } = useAsk()
  const [built, setBuilt] = useState<Gives<'buildEvidence'> | null>(null)
  const page = useOpenPage()
  return (
    <Section title={words.buildTitle}>
      <Stack>
        <p className={css.text}>{words.buildBody(overview?.openedBy.name ?? '')}</p>
        <Buttons>
          <Button kind="filled" pending={pending} onPress={() => ask(() => call('buildEvidence', {}), setBuilt)}>
            {words.build}
          </Button>
          <Button pending={page.pending} onPress={() => page.open({ page: 'evidence' })}>
            {words.print}
          </Button>
        </Buttons>
        {pending && <Underway label={words.building} />}
        {failure && <FailureNotice failure={failure} />}
        {page.failure && <FailureNotice failure={page.failure} onDismiss={page.forget} />}
        {built && <Built built={built} key={built.folder} />}
      </Stack>
    </Section>
  )
}

function Built({ built: { folder, files, missing } }: { built: Gives<'buildEvidence'> }) {
  const { call } = useKeyrite()
  const { pending, failure, ask } = useAsk()
  const [verified, setVerified] = useState<Verified | null>(null)
  const verify = () => ask(() => call('verify', { what: { path: folder }, anchor: null }), setVerified)
  return (
    <>
      <Notice
        tone="done"
        title={words.built(files.length)}
        actions={
          <Button pending={pending} onPress={verify}>
            {words.verifyIt}
          </Button>
        }
      >
        <p>
          {words.where} <code>{folder}</code>
        </p>
        {missing.length > 0 && (
          <>
            <p className={css.missing}>{words.missing}</p>
            <ul className={css.checked}>
              {missing.map((sentence) => (
                <li key={sentence}>{sentence}</li>
              ))}
            </ul>
          </>
        )}
      </Notice>
      {failure && <FailureNotice failure={failure} />}
      {verified && <Findings verified={verified} />}
    </>
  )
}
