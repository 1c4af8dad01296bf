import { useEffect, useState } from 'react'
import type { Gives } from '../../../shared/contract/contract.ts'
import { Framed } from '../../app/Framed.tsx'
import { Button } from '../../components/Button.tsx'
import { FooterBar } from '../../components/Frame.tsx'
import { fullDay } from '../../components/format.ts'
import { FailureNotice } from '../../components/Notice.tsx'
import { Page, Section } from '../../components/Page.tsx'
import { type CeremonyKind, useKeyrite } from '../../state.tsx'
import { text } from '../../text/index.ts'
import { GROUPS } from './forms.ts'
import css from './plan.module.css'
import { asFailure, type PlanState, useAct } from './use-plan.ts'

type Known = Gives<'plans'>['plans'][number]

/** What the ceremony is for: a kind with its form, or a plan that is written already. */
export function Chooser({ state }: { state: PlanState }) {
  const { go, overview } = useKeyrite()
  const { choose } = text.plan
  return (
    <Framed
      title={text.plan.name}
      note={text.plan.notStarted}
      footer={
        <FooterBar>
          <Button kind="quiet" onPress={() => go({ screen: 'home' })}>
            {choose.back}
          </Button>
        </FooterBar>
      }
    >
      <Page title={choose.title} lead={choose.lead} subject="choose">
        <HalfDone state={state} />
        {(Object.keys(GROUPS) as (keyof typeof GROUPS)[]).map((group) => (
          <section key={group} className={css.group} aria-labelledby={`group-${group}`}>
            <h2 id={`group-${group}`} className={css.groupName}>
              {choose.groups[group]}
            </h2>
            <ul className={css.kinds}>
              {GROUPS[group].map((kind) => (
                <Kind key={kind} kind={kind} closed={!overview && kind !== 'genesis'} onChoose={state.chooseKind} />
              ))}
            </ul>
          </section>
        ))}
        <Written state={state} />
      </Page>
    </Framed>
  )
}

/** The plan that was begun before. */
function HalfDone({ state }: { state: PlanState }) {
  const { choose, kinds } = text.plan
  const { editing, text: written } = state
  if (!editing && written.trim() === '') return null
  return <Button onPress={state.change}>{editing ? choose.goOn(kinds[editing.kind].title) : choose.goOnText}</Button>
}

type KindProps = { kind: CeremonyKind; closed: boolean; onChoose: (kind: CeremonyKind) => void }

function Kind({ kind, closed, onChoose }: KindProps) {
  const { title, does, needs } = text.plan.kinds[kind]
  return (
    <li className={css.kind}>
      <h3 className={css.kindName}>
        <Button kind="link" onPress={() => onChoose(kind)}>
          {title}
        </Button>
      </h3>
      <p>{does}</p>
      <p className={css.quiet}>
        {text.plan.choose.needs(needs)}
        {closed && ` ${text.plan.choose.needsVault}`}
      </p>
    </li>
  )
}

/** Plans in the home folder and on the medium, and the way to write one as text. */
function Written({ state }: { state: PlanState }) {
  const { call } = useKeyrite()
  const { choose } = text.plan
  const [plans, setPlans] = useState<readonly Known[]>([])
  const { act, pending, failure, forget } = useAct()
  useEffect(() => {
    // Without a list, everything else on this screen works.
    call('plans', {}).then(({ plans }) => setPlans(plans), asFailure)
  }, [call])
  const load = ({ place, name }: Known) =>
    act(name, async () => state.take((await call('loadPlan', { place, name })).text))
  return (
    <Section title={choose.loadTitle} lead={plans.length > 0 ? choose.loadLead : choose.none}>
      {failure && <FailureNotice failure={failure} onDismiss={forget} />}
      <ul className={css.files}>
        {plans.map((one) => (
          <li key={`${one.place} ${one.name}`} className={css.file}>
            <span>
              {choose.file(one.name, one.place)}{' '}
              <span className={css.quiet}>{choose.changed(fullDay(one.modified))}</span>
            </span>
            <Button onPress={() => load(one)} pending={pending === one.name} label={choose.loadFile(one.name)}>
              {choose.load}
            </Button>
          </li>
        ))}
      </ul>
      <Button onPress={() => state.write(state.text)}>{choose.write}</Button>
    </Section>
  )
}
