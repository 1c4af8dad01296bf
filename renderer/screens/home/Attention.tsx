import type { Overview } from '../../../shared/contract/home.ts'
import { useOpenPage } from '../../app/use-open-page.ts'
import { Button } from '../../components/Button.tsx'
import { FailureNotice } from '../../components/Notice.tsx'
import { Status } from '../../components/Status.tsx'
import { useKeyrite } from '../../state.tsx'
import { text } from '../../text/index.ts'
import { type Item, itemsOf } from './attention-items.ts'
import css from './home.module.css'

/** What needs somebody, most urgent first; each with the way to the screen where it is done. */
export function AttentionList({ overview, now }: { overview: Overview; now: number }) {
  const { go } = useKeyrite()
  const page = useOpenPage()
  const items = itemsOf(overview, now)
  const words = text.home.attention
  const act = ({ leads }: Item) => ('page' in leads ? page.open({ page: leads.page }) : go(leads))
  return (
    <section className={css.attention} aria-label={words.title}>
      <h2>{words.title}</h2>
      {page.failure && <FailureNotice failure={page.failure} onDismiss={page.forget} />}
      <ul>
        {items.map((item) => (
          <li key={item.key}>
            <Status kind={item.kind}>{item.status}</Status>
            <h3>{item.title}</h3>
            <p>{item.body}</p>
            <Button kind="link" onPress={() => act(item)}>
              {item.go}
            </Button>
          </li>
        ))}
      </ul>
      <p className={css.quiet}>{items.length === 0 ? words.nothing : words.nothingElse}</p>
    </section>
  )
}
