import { Framed } from '../../app/Framed.tsx'
import { Button } from '../../components/Button.tsx'
import { Facts } from '../../components/Facts.tsx'
import { FooterBar } from '../../components/Frame.tsx'
import { Announcer, FailureNotice } from '../../components/Notice.tsx'
import { Page, Section } from '../../components/Page.tsx'
import { type Intent, useKeyrite } from '../../state.tsx'
import { text } from '../../text/index.ts'
import { OpenRow, PassedRow } from './CheckRow.tsx'
import css from './readiness.module.css'
import { type Readiness, useReadiness } from './use-readiness.ts'

/** Is this machine fit for what people are about to begin? Each check passes, fails, or is theirs to look at. */
export function ReadinessScreen() {
  const { at } = useKeyrite()
  return at.screen === 'readiness' ? <Checked then={at.then} /> : null
}

function Checked({ then }: { then: Intent }) {
  const readiness = useReadiness(then)
  const { checks, failure } = readiness
  return (
    <Framed
      title={text.readiness.name[wayOf(then)]}
      right={checks && <Summary readiness={readiness} />}
      footer={<Foot readiness={readiness} then={then} />}
    >
      <Announcer polite={saidOf(readiness)} />
      <Page title={titleOf(readiness)} lead={leadOf(readiness)} subject={checks ? 'checked' : 'checking'}>
        {failure && <FailureNotice failure={failure} />}
        {checks && readiness.open.length > 0 && <Open readiness={readiness} />}
        {checks && <Passed checks={checks} />}
      </Page>
    </Framed>
  )
}

const wayOf = ({ doing }: Intent): 'hold' | 'resume' => (doing === 'resume' ? 'resume' : 'hold')

function titleOf({ checks, open }: Readiness): string {
  if (!checks) return text.readiness.checking
  return open.length === 0 ? text.readiness.title.ready : text.readiness.title.open(open.length)
}

function leadOf({ checks, open, practice }: Readiness): string | undefined {
  if (!checks) return undefined
  const { ready, ...lead } = text.readiness.lead
  if (open.length === 0) return ready
  return practice ? lead.practice : lead.open
}

const countsOf = (checks: NonNullable<Readiness['checks']>) => {
  const count = (state: string) => checks.filter((one) => one.state === state).length
  return { pass: count('pass'), fail: count('fail'), unknown: count('unknown') }
}

function saidOf({ checks, checking }: Readiness): string {
  if (checking || !checks) return text.readiness.checking
  const { pass, fail, unknown } = countsOf(checks)
  return text.readiness.counts(pass, fail, unknown)
}

function Open({ readiness }: { readiness: Readiness }) {
  return (
    <Section title={text.readiness.undecided}>
      <ul className={css.rows}>
        {readiness.open.map((check) => (
          <OpenRow key={check.id} check={check} readiness={readiness} />
        ))}
      </ul>
    </Section>
  )
}

function Passed({ checks }: { checks: NonNullable<Readiness['checks']> }) {
  const passed = checks.filter(({ state }) => state === 'pass')
  if (passed.length === 0) return null
  return (
    <Section title={text.readiness.passed}>
      <ul className={css.rows}>
        {passed.map((check) => (
          <PassedRow key={check.id} check={check} />
        ))}
      </ul>
    </Section>
  )
}

function Summary({ readiness }: { readiness: Readiness }) {
  const words = text.readiness.summary
  const { pass, fail, unknown } = countsOf(readiness.checks ?? [])
  const facts = [
    { label: words.passing, value: pass },
    { label: words.failing, value: fail },
    { label: words.looking, value: unknown },
    ...(readiness.practice ? [] : [{ label: words.missing, value: words.reasons(readiness.missing) }]),
  ]
  return (
    <div className={css.summary}>
      <h2>{words.title}</h2>
      <Facts facts={facts} ruled />
      <h2>{words.time}</h2>
      <p>{words.timeWords}</p>
      <h2>{words.network}</h2>
      <p>{words.networkWords}</p>
    </div>
  )
}

function Foot({ readiness, then }: { readiness: Readiness; then: Intent }) {
  const { go } = useKeyrite()
  const { checks, checking, missing, sitting } = readiness
  const back = () => go(then.doing === 'hold' ? { screen: 'plan', start: { text: then.plan } } : { screen: 'home' })
  const waitsFor = !checks ? text.readiness.checking : missing > 0 ? text.readiness.waits(missing) : undefined
  return (
    <FooterBar
      act={
        <>
          <Button onPress={readiness.check} pending={checking}>
            {text.readiness.again}
          </Button>
          <Button kind="filled" onPress={readiness.sit} pending={sitting} waitsFor={waitsFor}>
            {text.readiness.go[wayOf(then)]}
          </Button>
        </>
      }
    >
      <Button kind="quiet" onPress={back}>
        {text.readiness.back}
      </Button>
    </FooterBar>
  )
}
