import { type ReactNode, useEffect, useRef } from 'react'
import { classes } from './classes.ts'
import css from './Page.module.css'

export type PageProps = {
  title: ReactNode
  /** One sentence below the title. */
  lead?: ReactNode
  /** Changes when another step or subject takes this place: the title then takes focus again. */
  subject?: string | number
  /** False on a page inside another one, or where a field takes focus by itself. */
  takesFocus?: boolean
  /** A hairline below the title. */
  ruled?: boolean
  children?: ReactNode
}

/** One screen's content. Its title takes focus when it appears, so that everybody hears and sees where they are. */
export function Page({ title, lead, subject, takesFocus = true, ruled, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new subject is what brings the focus back
  useEffect(() => {
    if (takesFocus) heading.current?.focus()
  }, [takesFocus, subject])
  return (
    <div className={css.page} key={subject}>
      <header className={classes(css.head, ruled && css.ruled)}>
        <h1 ref={heading} tabIndex={-1} className={css.title}>
          {title}
        </h1>
        {lead && <p className={css.lead}>{lead}</p>}
      </header>
      {children}
    </div>
  )
}

export type SectionProps = { title: ReactNode; aside?: ReactNode; lead?: ReactNode; children: ReactNode }

/** A part of a page with its heading; `aside` stands small at the right of it. */
export function Section({ title, aside, lead, children }: SectionProps) {
  return (
    <section className={css.section}>
      <header className={css.sectionHead}>
        <h2>{title}</h2>
        {aside && <div className={css.aside}>{aside}</div>}
      </header>
      {lead && <p className={css.sectionLead}>{lead}</p>}
      {children}
    </section>
  )
}

/** Hanging margin: what it is at the left, the thing itself at the right; they stack where there is no room. */
export function MarginRow({ margin, children }: { margin: ReactNode; children: ReactNode }) {
  return (
    <div className={css.marginRow}>
      <div className={css.margin}>{margin}</div>
      <div className={css.thing}>{children}</div>
    </div>
  )
}

/** Things below one another with even room between them. */
export function Stack({ children, gap = 16 }: { children: ReactNode; gap?: 8 | 16 | 24 | 32 }) {
  return <div className={classes(css.stack, css[`gap${gap}`])}>{children}</div>
}

/** For screen readers alone. */
export function Hidden({ children, as: Tag = 'span' }: { children: ReactNode; as?: 'span' | 'div' }) {
  return <Tag className={css.hidden}>{children}</Tag>
}
