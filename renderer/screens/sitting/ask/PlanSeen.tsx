import { Button } from '../../../components/Button.tsx'
import { Fingerprint } from '../../../components/Fingerprint.tsx'
import { Page, Section } from '../../../components/Page.tsx'
import { text } from '../../../text/index.ts'
import { Act, Refused, useAnswering, type ViewProps, Waiting } from '../act.tsx'
import { digestOf } from '../digest.ts'
import css from '../sitting.module.css'

/** A plan of many tenants is read on paper; the screen shows its beginning. */
const MOST_LINES = 200

/** Everybody sees what today is for before anything begins. */
export function PlanSeen({ question: { digest, lines } }: ViewProps<'plan'>) {
  const words = text.sitting.plan
  const { give, pending, failure } = useAnswering()
  const rest = lines.length - MOST_LINES
  return (
    <Page title={words.title} lead={words.lead} subject="plan">
      <Fingerprint digest={digestOf(digest.hex)} covers={[{ label: words.coversLabel, value: words.covers }]} />
      <Section title={words.lines}>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it */}
        <section className={css.lines} tabIndex={0} aria-label={words.lines}>
          {lines.slice(0, MOST_LINES).join('\n')}
        </section>
        {rest > 0 && <p className={css.small}>{words.more(rest)}</p>}
      </Section>
      <Refused failure={failure} />
      <Waiting when={pending} />
      <Act>
        <Button kind="danger" onPress={() => give({ give: 'plan', same: false })} disabled={pending}>
          {words.other}
        </Button>
        <Button kind="filled" onPress={() => give({ give: 'plan', same: true })} pending={pending}>
          {words.same}
        </Button>
      </Act>
    </Page>
  )
}
