import type { ReactNode } from 'react'
import { text } from '../text/index.ts'
import { Button } from './Button.tsx'
import { classes } from './classes.ts'
import css from './Notice.module.css'
import { Hidden } from './Page.tsx'
import { StatusShape } from './Status.tsx'

export type NoticeTone = 'info' | 'done' | 'warn' | 'danger'

export type NoticeProps = {
  tone: NoticeTone
  title: string
  children?: ReactNode
  actions?: ReactNode
  onDismiss?: (() => void) | undefined
}

const SHAPE = { info: 'now', done: 'done', warn: 'warn', danger: 'danger' } as const

/** Something to know on this screen. Danger interrupts a screen reader, everything else waits. */
export function Notice({ tone, title, children, actions, onDismiss }: NoticeProps) {
  return (
    <div className={classes(css.notice, css[tone])} role={tone === 'danger' ? 'alert' : 'status'}>
      <StatusShape kind={SHAPE[tone]} />
      <div className={css.words}>
        <p className={css.title}>{title}</p>
        {children && <div className={css.body}>{children}</div>}
        {actions && <div className={css.actions}>{actions}</div>}
      </div>
      {onDismiss && (
        <Button kind="quiet" onPress={onDismiss} label={text.notices.dismiss}>
          <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true" className={css.cross}>
            <path d="M2 2 12 12M12 2 2 12" />
          </svg>
        </Button>
      )}
    </div>
  )
}

export type Failure = { code: string; message: string; hint?: string | undefined; lost?: string | undefined }

/** A failure: what happened, whether anything is lost, what to do next. */
export function FailureNotice({
  failure: { code, message, hint, lost },
  actions,
  onDismiss,
}: {
  failure: Failure
  actions?: ReactNode
  onDismiss?: (() => void) | undefined
}) {
  return (
    <Notice tone="danger" title={message} actions={actions} onDismiss={onDismiss}>
      {lost && <p>{lost}</p>}
      {hint && <p>{hint}</p>}
      <p className={css.code}>{text.notices.code(code)}</p>
    </Notice>
  )
}

/**
 * What a screen reader says without anything being focused: `polite` when it has time, `assertive` at once.
 * It must stand on the page before its words change.
 */
export function Announcer({ polite = '', assertive = '' }: { polite?: string; assertive?: string }) {
  return (
    <Hidden as="div">
      <div aria-live="polite" aria-atomic="true">
        {polite}
      </div>
      <div aria-live="assertive" aria-atomic="true">
        {assertive}
      </div>
    </Hidden>
  )
}
