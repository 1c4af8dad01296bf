import { CODES, type Code, KeyriteError } from '../../../shared/errors.ts'
import type { Stated } from '../../../shared/formats/receipt.ts'
import type { Log } from '../watch/log.ts'

/** Tells the log what the runtime stated, whether this process did it or a command beside it. */
export function tellNews(log: Log, news: readonly Stated[]): void {
  for (const stated of news) tell(log, stated)
}

const refusalOf = (code: string): KeyriteError =>
  new KeyriteError(code in CODES ? (code as Code) : 'internal', 'Its file and the reason stand in the receipts.')

function tell(log: Log, stated: Stated): void {
  switch (stated.type) {
    case 'imported':
      return log.imported({ bundle: stated.number, tenants: stated.tenants, keys: stated.keys })
    case 'import-refused':
      return log.importRefused(refusalOf(stated.code))
    case 'tainted':
      return log.tainted(stated)
    case 'clock-hold':
      return log.clockHeld({ kind: 'jump', from: stated.from, to: stated.to })
    default:
      return
  }
}
