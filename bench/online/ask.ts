import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** One kind of request, as the load makes it again and again. */
export type Target = {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

export type Answer = { status: number; body: string }

const agent = new Agent({ keepAlive: true, maxSockets: 32 })

/** One request to a server on this machine, over a new connection if asked for. */
export function ask(port: number, { method, path, headers, body }: Target, { fresh = false } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { agent: fresh ? false : agent, host: '127.0.0.1', port, method, path, headers },
      (response) => {
        response.setEncoding('utf8')
        let text = ''
        response.on('data', (chunk: string) => {
          text += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }))
        response.on('error', reject)
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

const PATIENCE_MS = 300_000

/** Waits until a server answers 200 to this; a runtime of 10,000 tenants states all their phases first. */
export async function untilReady(port: number, target: Target, alive: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE_MS
  for (;;) {
    const status = await ask(port, target).then(
      (answer) => answer.status,
      () => 0,
    )
    if (status === 200) return
    if (!alive() || performance.now() > end) throw new Error(`the server on port ${port} never answered 200`)
    await sleep(50)
  }
}

/** Asks for each target once, some at a time. Every answer must be 200. */
export async function askEach(port: number, targets: readonly Target[]): Promise<void> {
  const left = targets.values()
  const worker = async () => {
    for (const target of left) {
      const { status, body } = await ask(port, target)
      if (status !== 200) throw new Error(`${target.method} ${target.path} was answered ${status}: ${body}`)
    }
  }
  await Promise.all(Array.from({ length: 16 }, worker))
}
