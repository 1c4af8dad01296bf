import type { ReactNode } from 'react'
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from 'react-aria-components'
import { Buttons } from './Button.tsx'
import { classes } from './classes.ts'
import css from './Dialog.module.css'

export type DialogProps = {
  title: string
  open: boolean
  /** Escape and, where `dismissable`, a click outside; leave out where an answer is needed. */
  onClose?: (() => void) | undefined
  dismissable?: boolean
  /** Interrupts: read aloud at once. */
  urgent?: boolean
  actions?: ReactNode
  children: ReactNode
}

/** A question above the screen. Focus stays inside and returns to where it was. */
export function Dialog({ title, open, onClose, dismissable, urgent, actions, children }: DialogProps) {
  return (
    <ModalOverlay
      className={classes(css.overlay)}
      isOpen={open}
      onOpenChange={(is) => {
        if (!is) onClose?.()
      }}
      isDismissable={dismissable ?? false}
      isKeyboardDismissDisabled={onClose === undefined}
    >
      <Modal className={classes(css.modal)}>
        <AriaDialog className={classes(css.dialog)} role={urgent ? 'alertdialog' : 'dialog'}>
          <Heading slot="title" level={2} className={classes(css.title)}>
            {title}
          </Heading>
          <div className={css.body}>{children}</div>
          {actions && <Buttons>{actions}</Buttons>}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  )
}
