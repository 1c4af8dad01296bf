import { onTestFinished } from 'vitest'
import { openFront } from '../../electron/issuer/serving/front.ts'
import { createLog } from '../../electron/issuer/watch/log.ts'
import { createMetrics } from '../../electron/issuer/watch/metrics.ts'
import { makeServing, makeTenant, makeVault } from '../issuer/fixtures.ts'
import { ask, type Reply } from '../issuer/serving/ask.ts'

/** A real runtime behind a real server, with a client each and everything logged: what it serves can be compared. */

export const API = 'https://api.example.com'
const DOCUMENTS = ['openid-configuration', 'oauth-authorization-server', 'jwks.json', 'jwks.jwt', 'historical-keys.jwt']

export async function servedRuntime(names: readonly string[]) {
  const vault = await makeVault()
  const tenants = names.map((name) => makeTenant(name))
  const made = await makeServing(vault, tenants)
  const { runtime } = made
  await runtime.tick()
  const secrets = new Map<string, string>()
  for (const name of names) {
    const request = { clientId: 'app', method: 'client_secret_basic' as const, audiences: [API] }
    const { secret } = await runtime.clients.add(name, request, 'test')
    secrets.set(name, secret ?? '')
  }
  const told: string[] = []
  const stream = { write: (line: string) => void told.push(line) }
  const log = createLog({ level: 'debug', runtime: 'eu-one', stream })
  const look = async () => ({ status: await runtime.status(), facts: null, ready: true })
  const metrics = createMetrics({ look })
  const front = await openFront(runtime, { host: '127.0.0.1', port: 0 }, metrics, log)
  onTestFinished(() => front.close())
  const basic = (name: string) => `Basic ${Buffer.from(`app:${secrets.get(name) ?? ''}`).toString('base64')}`
  const token = (name: string): Promise<Reply> =>
    ask(front.url, {
      host: `${name}.example.com`,
      path: '/token',
      form: { grant_type: 'client_credentials' },
      headers: { authorization: basic(name) },
    })
  /** Everything public that is served now, byte by byte. */
  const picture = async (): Promise<string> => {
    const replies = names.flatMap((name) =>
      DOCUMENTS.map(async (one) => {
        const { status, body } = await ask(front.url, { host: `${name}.example.com`, path: `/.well-known/${one}` })
        return `${name} ${one} ${status} ${body}`
      }),
    )
    return (await Promise.all(replies)).join('\n')
  }
  return { ...made, vault, tenants, url: front.url, told, metrics, basic, token, picture, secrets }
}
