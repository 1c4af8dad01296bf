import type { KeyRow } from '../../../shared/contract/records.ts'
import { BackTo } from '../../app/BackTo.tsx'
import { useOpenPage } from '../../app/use-open-page.ts'
import { Button, Buttons } from '../../components/Button.tsx'
import { CopyLedger, type LedgerCopy } from '../../components/CopyLedger.tsx'
import { Facts } from '../../components/Facts.tsx'
import { dayAndClock } from '../../components/format.ts'
import { FailureNotice } from '../../components/Notice.tsx'
import { Page, Section } from '../../components/Page.tsx'
import { PlanTimeline } from '../../components/PlanTimeline.tsx'
import { useKeyrite, useNow } from '../../state.tsx'
import { text } from '../../text/index.ts'
import { Phase } from './KeyList.tsx'
import css from './keys.module.css'
import { lifeScale } from './life.ts'

const words = text.keys

/** One key: its life, every known copy of its private half, what can be done about it. */
export function KeyPage({ shown }: { shown: KeyRow | undefined }) {
  return (
    <>
      <BackTo to={{ screen: 'keys' }}>{words.back}</BackTo>
      {shown ? <Known row={shown} /> : <Page title={words.unknown} />}
    </>
  )
}

function Known({ row }: { row: KeyRow }) {
  return (
    <Page title={row.label} lead={words.lead1(row.tenantName, row.spec)}>
      <Acts row={row} />
      <Life row={row} />
      <FactList row={row} />
      {row.remarks.length > 0 && (
        <Section title={words.remarks}>
          <ul className={css.remarks}>
            {row.remarks.map((remark) => (
              <li key={remark}>{remark}</li>
            ))}
          </ul>
        </Section>
      )}
      <CopyLedger copies={row.copies.map(ledgerCopy)} title={words.copies}>
        {row.certificate ? words.certificate[row.certificate.grade](row.certificate.id) : words.certificate.none}
      </CopyLedger>
    </Page>
  )
}

const ledgerCopy = ({ id, what, holder, evidence, status }: KeyRow['copies'][number]): LedgerCopy => ({
  id,
  name: what,
  where: holder,
  evidence,
  state: status === 'open' ? 'open' : 'closed',
  ...(status === 'open' ? {} : { stateWords: words.copyClosed[status] }),
})

function Acts({ row }: { row: KeyRow }) {
  const { go } = useKeyrite()
  const page = useOpenPage()
  const plan = () => go({ screen: 'plan', start: { kind: 'destroy', given: { keys: [row.kid] } } })
  return (
    <>
      <Buttons>
        <Button onPress={() => page.open({ page: 'key', kid: row.kid })} pending={page.pending}>
          {words.print}
        </Button>
        {row.destroyedAt === null && <Button onPress={plan}>{words.destroy}</Button>}
      </Buttons>
      {page.failure && <FailureNotice failure={page.failure} onDismiss={page.forget} />}
    </>
  )
}

function Life({ row }: { row: KeyRow }) {
  const now = Math.floor(useNow() / 60) * 60
  const drawn = { id: row.kid, name: row.label, note: row.spec, ...row.times }
  return (
    <div className={css.life}>
      <PlanTimeline title={words.life} keys={[drawn]} now={now} scale={lifeScale(row.times, now)} />
    </div>
  )
}

function FactList({ row }: { row: KeyRow }) {
  const { facts } = words
  const { announceAt, signFrom, signUntil, extendUntil, removeAt } = row.times
  return (
    <div className={css.facts}>
      <Facts
        ruled
        facts={[
          { label: facts.phase, value: <Phase row={row} /> },
          { label: facts.state, value: row.state },
          { label: facts.kid, value: row.kid, mono: true },
          { label: facts.announced, value: dayAndClock(announceAt) },
          { label: facts.signs, value: dayAndClock(signFrom) },
          { label: facts.until, value: dayAndClock(signUntil) },
          { label: facts.extend, value: dayAndClock(extendUntil) },
          { label: facts.removed, value: dayAndClock(removeAt) },
          ...(row.compromisedAt === null ? [] : [{ label: facts.compromised, value: dayAndClock(row.compromisedAt) }]),
          ...(row.destroyedAt === null ? [] : [{ label: facts.destroyed, value: dayAndClock(row.destroyedAt) }]),
        ]}
      />
    </div>
  )
}
