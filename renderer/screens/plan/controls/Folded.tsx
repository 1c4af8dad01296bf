import type { ReactNode } from 'react'
import { Button, Disclosure, DisclosurePanel, Heading } from 'react-aria-components'
import css from '../plan.module.css'
import { useForm } from './context.ts'

type FoldedProps = { title: string; at: readonly string[]; children: ReactNode }

/** Opens by itself where something inside is wrong. */
export function Folded({ title, at, children }: FoldedProps) {
  const { wrong } = useForm()
  const open = at.some((place) => Object.keys(wrong).some((path) => path.startsWith(place)))
  return (
    <Disclosure className={css.folded ?? ''} {...(open ? { isExpanded: true } : {})}>
      <Heading level={2} className={css.foldedHead ?? ''}>
        <Button slot="trigger" className={css.unfold ?? ''}>
          <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true" className={css.chevron}>
            <path d="M4 2 8 6 4 10" />
          </svg>
          {title}
        </Button>
      </Heading>
      <DisclosurePanel>
        <div className={css.foldedBody}>{children}</div>
      </DisclosurePanel>
    </Disclosure>
  )
}
