import { Button } from '../components/Button.tsx'
import { type Destination, useKeyrite } from '../state.tsx'
import css from './app.module.css'

/** The way back to the list that something was opened from. */
export function BackTo({ to, children }: { to: Destination; children: string }) {
  const { go } = useKeyrite()
  return (
    <div className={css.back}>
      <Button kind="link" onPress={() => go(to)}>
        {children}
      </Button>
    </div>
  )
}
