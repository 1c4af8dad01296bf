import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as oidc from 'oidc-provider'
import {
  createTenantProvider,
  type LoginConfiguration,
  type TenantProvider,
} from '../../electron/adapters/oidc-provider.ts'
import { openRuntime } from '../../electron/issuer/runtime.ts'
import { type Clock, systemClock } from '../../electron/issuer/service.ts'

/** User logins for tenants of one Keyrite runtime: for each an issuer, keys, storage and cookies of its own. */

export type Login = {
  /** The tenant's issuer, exactly as `keyrite issuer status` shows it. */
  issuer: string
  /** oidc-provider's configuration for this tenant: clients, accounts, `adapter` (storage) and `cookies.keys`. */
  configuration: LoginConfiguration
  /** Finds out who it is: gives the account id, or null after it answered with a page of its own. */
  signIn(request: IncomingMessage, response: ServerResponse): Promise<string | null>
}

type Options = { dir: string; logins: readonly Login[]; port: number; say: (line: string) => void; clock?: Clock }

export async function serveLogins({ dir, logins, port, say, clock = systemClock }: Options) {
  const runtime = await openRuntime({ dir, clock })
  // Keeps the time and moves keys through their phases, whether or not `keyrite issuer serve` does so too.
  const tick = async () => {
    try {
      await runtime.tick()
    } catch (error) {
      say(`Keys cannot be moved through their phases: ${error}`)
    }
  }
  await tick()
  const ticking = setInterval(tick, 5000)
  const served: { login: Login; tenant: TenantProvider; answer: ReturnType<TenantProvider['callback']> }[] = []
  for (const login of logins) {
    const { issuer, configuration } = login
    const tenant = await createTenantProvider({
      oidc,
      runtime,
      issuer,
      configuration: {
        ...configuration,
        features: { devInteractions: { enabled: false }, ...configuration.features },
        interactions: { url: (_, { uid }) => `${pathOf(issuer)}/login/${uid}` },
      },
      prepare: (provider) => {
        provider.on('server_error', (_, error) => say(`A login at ${issuer} failed: ${error.message}`))
      },
      log: say,
    })
    served.push({ login, tenant, answer: tenant.callback() })
  }
  const server = createServer(async (request, response) => {
    const found = served.find(({ tenant }) => tenant.serves(request))
    if (!found) return void response.writeHead(404).end()
    if (!request.url?.startsWith(`${pathOf(found.login.issuer)}/login/`)) return void found.answer(request, response)
    try {
      await finish(found.login, await found.tenant.current(), request, response)
    } catch (error) {
      say(`A login page of ${found.login.issuer} failed: ${error}`)
      if (!response.headersSent) response.writeHead(400)
      response.end()
    }
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    runtime,
    close: async () => {
      clearInterval(ticking)
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await runtime.close()
    },
  }
}

/** '' when the issuer is a bare host. */
const pathOf = (issuer: string): string => new URL(issuer).pathname.replace(/\/$/, '')

/** The page that oidc-provider sends the browser to: who is it, and may this client know? */
async function finish(login: Login, provider: oidc.Provider, request: IncomingMessage, response: ServerResponse) {
  const { params } = await provider.interactionDetails(request, response)
  const accountId = await login.signIn(request, response)
  if (accountId === null) return
  // Clients of our own need no consent page. Ask here where others log in to theirs.
  const grant = new provider.Grant({ accountId, clientId: String(params['client_id']) })
  grant.addOIDCScope(String(params['scope']))
  const result = { login: { accountId }, consent: { grantId: await grant.save() } }
  await provider.interactionFinished(request, response, result)
}
