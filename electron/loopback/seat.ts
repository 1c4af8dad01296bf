import { randomBytes } from 'node:crypto'

export type Seat = {
  /** The client that sits here now. */
  taken(by: string | null | undefined): boolean
  /**
   * Sits down and gives the client's id; waits a moment for the client before to leave, as when a window is loaded
   * again, then gives null. `gone` is asked whether whoever waited still wants to.
   */
  take(gone: () => boolean): Promise<string | null>
  leave(client: string): void
  /** Somebody is about to sit down; where nobody does, the seat counts as empty. */
  expect(): void
  close(): void
}

export type SeatOptions = {
  /** Milliseconds that a new client waits for the one before to leave. */
  takeover: number
  /** Milliseconds that the seat may stay empty after somebody sat here. */
  linger: number
  /** Nobody came back. */
  onEmpty: () => void
}

/** One window at a time. Whoever has the cookie still needs the id of the window that is connected now. */
export function createSeat({ takeover, linger, onEmpty }: SeatOptions): Seat {
  let current: string | null = null
  let waiting: (() => void) | null = null
  let empty: NodeJS.Timeout | undefined
  let closed = false

  const expect = () => {
    clearTimeout(empty)
    if (!closed) empty = setTimeout(onEmpty, linger)
  }

  const left = (): Promise<void> =>
    new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        waiting = null
        resolve()
      }
      const timer = setTimeout(done, takeover)
      waiting = done
    })

  return {
    taken: (by) => by !== null && by !== undefined && by === current,
    take: async (gone) => {
      if (current !== null && waiting === null) await left()
      if (current !== null || gone()) return null
      clearTimeout(empty)
      current = randomBytes(16).toString('base64url')
      return current
    },
    leave: (client) => {
      if (client !== current) return
      current = null
      expect()
      waiting?.()
    },
    expect,
    close: () => {
      closed = true
      clearTimeout(empty)
      waiting?.()
    },
  }
}
