import { text } from '../text/index.ts'
import css from './app.module.css'

/** While a screen or the engine is on its way: nothing moves, nothing blinks. */
export function Waiting({ starting }: { starting?: boolean }) {
  return (
    <p className={css.waiting} role="status">
      {starting ? text.app.starting : text.app.loading}
    </p>
  )
}
