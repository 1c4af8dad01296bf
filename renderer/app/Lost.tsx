import { Page } from '../components/Page.tsx'
import { useAppState } from '../state.tsx'
import { text } from '../text/index.ts'
import css from './app.module.css'

/** The engine ended, or another window took this one's place. */
export function Lost() {
  const { hello } = useAppState()
  return (
    <main className={css.lost} role="alert">
      <Page
        title={text.app.lost.title}
        lead={hello?.shell === 'electron' ? text.app.lost.electron : text.app.lost.browser}
      >
        <p>{text.app.lost.next}</p>
      </Page>
    </main>
  )
}
