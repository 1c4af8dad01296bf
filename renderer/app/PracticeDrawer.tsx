import { useEffect, useRef, useState } from 'react'
import { Button as Bare } from 'react-aria-components'
import { Button } from '../components/Button.tsx'
import type { Hello } from '../state.tsx'
import { text } from '../text/index.ts'
import css from './app.module.css'

type People = NonNullable<Hello['practice']>['people']

/** The made-up people and what they type. It stays beside the work while somebody copies a passphrase by hand. */
export function PracticeDrawer({ people }: { people: People }) {
  const [open, setOpen] = useState(false)
  const drawer = useRef<HTMLElement>(null)
  const returns = useRef(false)
  useEffect(() => {
    drawer.current?.focus()
    returns.current = open
  }, [open])
  const words = text.app.practiceDrawer
  if (!open)
    return (
      <Bare autoFocus={returns.current} className={css.tab ?? ''} onPress={() => setOpen(true)} aria-expanded={false}>
        {words.open}
      </Bare>
    )
  return (
    <aside
      ref={drawer}
      tabIndex={-1}
      className={css.drawer}
      aria-label={words.title}
      onKeyDown={(event) => {
        if (event.key === 'Escape') setOpen(false)
      }}
    >
      <div className={css.drawerHead}>
        <h2>{words.title}</h2>
        <Button kind="link" onPress={() => setOpen(false)}>
          {words.close}
        </Button>
      </div>
      <p>{words.lead}</p>
      <ul>
        {people.map((person) => (
          <li key={person.id}>
            <div className={css.who}>
              <span>{person.name}</span>
              <span className={css.role}>{text.app.roles[person.role]}</span>
            </div>
            <code className={css.pass}>{person.passphrase}</code>
          </li>
        ))}
      </ul>
    </aside>
  )
}
