import type { App, AppOptions } from '../app/app.ts'
import { plainFailureOf } from '../app/failure.ts'
import { startGeneratorsWith } from '../keys/generator.ts'
import { type FromEngine, type ToEngine, toEngine } from './engine-messages.ts'
import { createGenerators, type Port } from './generators.ts'

/** The engine's side of the talk with the main process. */

/** The part of a utility process's port to its parent that is used. */
export type ParentPort = {
  on(event: 'message', listener: (event: { data: unknown; ports: Port[] }) => void): unknown
  postMessage(message: unknown): void
}

/**
 * Runs the app for whoever holds the other end of `port`, until told to end. `exit` is called once: 0 after everything
 * was closed, 1 where the app could not start or was told something else than the messages it knows.
 */
export function runEngine(
  port: ParentPort,
  createApp: (options: AppOptions) => Promise<App>,
  exit: (status: number) => void,
): void {
  const send = (message: FromEngine) => port.postMessage(message)
  const generators = createGenerators(send)
  startGeneratorsWith(generators.start)
  let app: Promise<App> | undefined
  const hear = async (message: ToEngine, ports: Port[]): Promise<void> => {
    switch (message.say) {
      case 'start':
        app = createApp({ home: message.home, practice: message.practice, shell: 'electron' })
        ;(await app).subscribe((notice) => send({ say: 'notice', notice }))
        return send({ say: 'ready' })
      case 'call': {
        const outcome = await (await app)?.call(message.method, message.input)
        return outcome && send({ say: 'outcome', id: message.id, outcome })
      }
      case 'generator':
      case 'generator-ended':
        return generators.heard(message, ports[0])
      case 'end':
        await (await app)?.close()
        return exit(0)
    }
  }
  port.on('message', async ({ data, ports }) => {
    try {
      await hear(toEngine.parse(data), ports)
    } catch (thrown) {
      send({ say: 'failed', error: plainFailureOf(thrown) })
      exit(1)
    }
  })
}
