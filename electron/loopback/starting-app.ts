import { failed, type Notice } from '../../shared/contract/contract.ts'
import type { App } from '../app/app.ts'
import { plainFailureOf } from '../app/failure.ts'

/**
 * An app that is still being made, as an app: the window opens at once and its calls wait. Where making it fails, they
 * fail in the same way, until whoever started it closes everything.
 */
export function startingApp(making: Promise<App>): App {
  const listeners = new Set<(notice: Notice) => void>()
  const made = making.then((app) => {
    app.subscribe((notice) => {
      for (const listener of listeners) listener(notice)
    })
    return app
  })
  const nothing = () => {}
  made.catch(nothing)
  return {
    call: (method, input) =>
      made.then(
        (app) => app.call(method, input),
        (error: unknown) => {
          return failed(plainFailureOf(error))
        },
      ),
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: async () => {
      const app = await made.catch(nothing)
      await app?.close()
    },
  }
}
