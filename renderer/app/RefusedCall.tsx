import { Button } from '../components/Button.tsx'
import { useAppState } from '../state.tsx'
import { text } from '../text/index.ts'
import css from './app.module.css'

/** A call that the border refused. Nothing in this app makes such calls, so whoever sits here has to know. */
export function RefusedCall() {
  const { refused, forgetRefused } = useAppState()
  return (
    <div role="alert">
      {refused !== null && (
        <section className={css.refused}>
          <h2>{text.app.refused.title}</h2>
          <p>{text.app.refused.body(refused)}</p>
          <Button onPress={forgetRefused}>{text.app.refused.dismiss}</Button>
        </section>
      )}
    </div>
  )
}
