import type { Overview } from '../../../shared/contract/home.ts'
import { Aside } from '../../app/Aside.tsx'
import { Button } from '../../components/Button.tsx'
import { Empty } from '../../components/Facts.tsx'
import { Page } from '../../components/Page.tsx'
import { useKeyrite } from '../../state.tsx'
import { text } from '../../text/index.ts'
import { AttentionList } from './Attention.tsx'
import { headlineOf } from './headline.ts'
import css from './home.module.css'
import { Resume } from './Resume.tsx'
import { Schedules } from './Schedules.tsx'
import { useMinute } from './use-minute.ts'

/** The vault that is open: are we all right, what is due, what to do. */
export function Looking({ overview }: { overview: Overview }) {
  const now = useMinute()
  const { first, second, lead } = headlineOf(overview, now)
  return (
    <Page
      title={
        <>
          {first}
          {second && <span className={css.second}>{second}</span>}
        </>
      }
      lead={lead}
    >
      <Acts overview={overview} />
      {overview.openCeremony && <Resume folder={overview.folder} ceremony={overview.openCeremony} />}
      <Aside>
        <AttentionList overview={overview} now={now} />
      </Aside>
      {overview.tenants.length > 0 ? <Schedules tenants={overview.tenants} now={now} /> : <NoTenants />}
    </Page>
  )
}

function Acts({ overview }: { overview: Overview }) {
  const { go } = useKeyrite()
  return (
    <div className={css.acts}>
      <Button kind={overview.openCeremony ? 'plain' : 'filled'} onPress={() => go({ screen: 'plan' })}>
        {text.home.start}
      </Button>
      <Button onPress={() => go({ screen: 'plan', rehearse: true })}>{text.home.rehearse}</Button>
      <Button onPress={() => go({ screen: 'records', verify: true })}>{text.home.verify}</Button>
      {!overview.openCeremony && <span className={css.quiet}>{text.home.nothingToResume}</span>}
    </div>
  )
}

function NoTenants() {
  const { go } = useKeyrite()
  return (
    <Empty
      title={text.home.empty.title}
      action={<Button onPress={() => go({ screen: 'plan', start: { kind: 'onboard' } })}>{text.home.empty.go}</Button>}
    >
      {text.home.empty.body}
    </Empty>
  )
}
