import { type ReactNode, useEffect, useState } from 'react'
import { text } from '../text/index.ts'
import { classes } from './classes.ts'
import css from './Frame.module.css'
import { localClock, utcClock } from './format.ts'

export type Network = 'offline' | 'detected' | 'unknown'

export type FrameProps = {
  title: string
  /** The ceremony's id, in mono beside the title. */
  id?: string | undefined
  /** A few quiet words after it: "Plan, not started", "opened by the Administrator, 09:02". */
  note?: string | undefined
  network: Network
  practice?: boolean
  /** Seconds since 1970; without it the machine's own clock runs. */
  now?: number | undefined
  /** `home`: the left column reaches to the top and the middle is paper; `work`: the middle is a white sheet. */
  layout?: 'work' | 'home'
  left?: ReactNode
  right?: ReactNode
  footer?: ReactNode
  children: ReactNode
}

/** Header, rail, middle, right column, footer. Only the middle scrolls; below 900 px the rail is one line. */
export function Frame({ layout = 'work', left, right, footer, children, ...head }: FrameProps) {
  return (
    <div className={classes(css.frame, css[layout], !left && css.noLeft, head.practice && css.practice)}>
      <a className={css.skip} href="#middle">
        {text.frame.skip}
      </a>
      {layout === 'home' && left && <div className={css.left}>{left}</div>}
      <Header {...head} />
      {layout === 'work' && left && <div className={css.left}>{left}</div>}
      <div className={css.stage}>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it */}
        <main id="middle" className={css.middle} tabIndex={0}>
          {children}
        </main>
        {right && (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it
          <aside className={css.right} aria-label={text.frame.aside} tabIndex={0}>
            {right}
          </aside>
        )}
      </div>
      {footer && <footer className={css.footer}>{footer}</footer>}
      {head.practice && <Watermark />}
    </div>
  )
}

type HeaderProps = Omit<FrameProps, 'layout' | 'left' | 'right' | 'footer' | 'children'>

function Header({ title, id, note, network, practice, now }: HeaderProps) {
  return (
    <header className={css.header}>
      <div className={css.name}>
        <span className={css.title}>{title}</span>
        {id && <span className={css.id}>{id}</span>}
        {note && <span className={css.note}>{note}</span>}
      </div>
      <div className={css.state}>
        {practice && <span className={css.badge}>{text.frame.practice}</span>}
        <NetworkBadge network={network} />
        <Clock now={now} />
      </div>
    </header>
  )
}

/** A square, not only a colour: solid offline, a diamond when a network is up. */
export function NetworkBadge({ network }: { network: Network }) {
  return (
    <span className={classes(css.network, css[network])} role="status">
      <svg width="10" height="10" viewBox="0 0 10 10" aria-hidden="true">
        {network === 'detected' ? <path d="M5 0 10 5 5 10 0 5Z" /> : <path d="M0.5 0.5H9.5V9.5H0.5Z" />}
      </svg>
      {text.frame[network]}
    </span>
  )
}

/** UTC, because the record says UTC, and the local time that people's watches show. */
export function Clock({ now }: { now?: number | undefined }) {
  const [ticking, setTicking] = useState(() => Math.floor(Date.now() / 1000))
  useEffect(() => {
    if (now !== undefined) return
    const timer = setInterval(() => setTicking(Math.floor(Date.now() / 1000)), 1000)
    return () => clearInterval(timer)
  }, [now])
  const at = now ?? ticking
  return (
    <span className={css.clock} role="timer" aria-label={text.frame.clock} aria-live="off">
      <span className={css.utc}>{utcClock(at)}</span>
      <span className={css.local}>{text.frame.local(localClock(at))}</span>
    </span>
  )
}

/** Seen on every screen of a practice vault, and on every photograph of one. */
function Watermark() {
  return (
    <svg className={css.watermark} viewBox="0 0 800 400" aria-hidden="true">
      <text x="400" y="235" textAnchor="middle" transform="rotate(-14 400 200)">
        {text.frame.practice}
      </text>
    </svg>
  )
}

export type FooterProps = { children?: ReactNode; act?: ReactNode }

/** The frame's footer: quiet ways out at the left, the act due now at the right. */
export function FooterBar({ children, act }: FooterProps) {
  return (
    <div className={css.bar}>
      <div className={css.quiet}>{children}</div>
      <div className={css.act}>{act}</div>
    </div>
  )
}
