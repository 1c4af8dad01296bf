import { readFileSync } from 'node:fs'
import { fromUtf8, utf8, wipe } from '../../shared/formats/bytes.ts'

/**
 * How the process that makes keys is spoken to. Plain Node gives it a pipe each way. Electron's utility processes have no
 * stdin: there it is handed a message port, which it shares with the engine alone.
 */

/** The part of Electron's message ports that is used. */
export type ChildPort = {
  on(event: 'message', listener: (event: { data: unknown }) => void): unknown
  on(event: 'close', listener: () => void): unknown
  postMessage(message: unknown): void
  start(): void
}
type ParentPort = { once(event: 'message', listener: (event: { ports: ChildPort[] }) => void): unknown }

export type ChildChannel = {
  readonly job: string
  /** Hands over the answer and comes back once it was taken, so that ending cannot lose it. */
  answer(text: string): Promise<void>
}

/** Waits for the job, by whichever way this process was started. */
export function openChannel(): Promise<ChildChannel> {
  const { parentPort } = process as { parentPort?: ParentPort }
  if (parentPort) return portChannel(parentPort)
  const answer = (text: string) => new Promise<void>((done) => process.stdout.write(text, () => done()))
  return Promise.resolve({ job: readFileSync(0, 'utf8'), answer })
}

function portChannel(parent: ParentPort): Promise<ChildChannel> {
  return new Promise((resolve) => {
    parent.once('message', ({ ports: [port] }) => {
      let taken = () => {}
      let job: string | null = null
      // Whoever asked for the keys is gone: they are for nobody.
      port?.on('close', () => process.exit(1))
      port?.on('message', ({ data }) => {
        if (job !== null) return taken()
        job = fromUtf8(data as Uint8Array)
        const answer = (text: string) =>
          new Promise<void>((done) => {
            taken = done
            const bytes = utf8(text)
            port.postMessage(bytes)
            wipe(bytes)
          })
        resolve({ job, answer })
      })
      port?.start()
    })
  })
}
