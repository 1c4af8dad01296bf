import type { Machine } from '../../../shared/contract/machine.ts'
import type { AppContext } from '../context.ts'
import { NOT_TOLD, networksOrNotTold } from './networks.ts'

/** Looks at the network again and again, because no system tells of every interface that comes up. */

const EVERY_MS = 2_000
/** The clock on the screens is set by this machine's own, so that both never drift apart. */
const TELL_EVERY = 30

/** The machine as the frame of every screen shows it. */
export function machineNow(app: Pick<AppContext, 'networks' | 'now'>): Machine {
  const now = app.now()
  return { networks: networksOrNotTold(app), now, localMinutes: -new Date(now * 1000).getTimezoneOffset() }
}

/**
 * Tells `machine` when the network changes and every half a minute. `onUp` hears the names of interfaces that came up
 * since the last look that told; those that were up from the beginning are not among them.
 */
export function watchMachine(
  app: Pick<AppContext, 'networks' | 'now' | 'tell'>,
  onUp: (names: string[]) => void,
): { stop(): void } {
  let before = networksOrNotTold(app)
  let known = before
  let looks = 0
  const timer = setInterval(() => {
    const machine = machineNow(app)
    const { networks } = machine
    const changed = networks.join() !== before.join()
    const told = !networks.includes(NOT_TOLD)
    const came = told ? networks.filter((name) => !known.includes(name)) : []
    before = networks
    if (told) known = networks
    looks += 1
    if (changed || (looks * EVERY_MS) / 1000 >= TELL_EVERY) {
      looks = 0
      app.tell({ tell: 'machine', machine })
    }
    if (came.length > 0) onUp(came)
  }, EVERY_MS)
  timer.unref()
  return { stop: () => clearInterval(timer) }
}
