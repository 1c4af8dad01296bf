import { cpSync } from 'node:fs'
import type { ClientRequest } from '../../electron/issuer/clients.ts'
import { openRuntime } from '../../electron/issuer/runtime.ts'
import type { KeySpec } from '../../shared/domain/algorithms.ts'
import type { Target } from './ask.ts'
import { type Handoff, makeHandoff } from './handoff.ts'
import { ALL_CORES, script, temporary } from './processes.ts'

/** Runtimes with many tenants, made once for all benchmarks of a run. */

export const HOST = 'id.example.com'
export const AUDIENCE = 'https://api.example.com'
export const SCOPES = ['orders:read', 'orders:write']
const CLIENT: ClientRequest = {
  clientId: 'orders-service',
  method: 'client_secret_basic',
  audiences: [AUDIENCE],
  scopes: SCOPES,
}

/** A runtime that serves, each tenant with one client; `tokens` and `jwks` ask each tenant once, in no order. */
export type Fixture = { dir: string; tokens: Target[]; jwks: Target[] }

export type Imported = { ms: number; cpuMs: number; resident: number }

/** A copy of a runtime's folder, for one process to work in. */
export function copyOf(dir: string): string {
  const copy = temporary('issuer')
  cpSync(dir, copy, { recursive: true })
  return copy
}

export const say = (line: string) => process.stderr.write(`online: ${line}\n`)

const handoffs = new Map<string, Promise<Handoff>>()
const fixtures = new Map<string, Promise<Fixture>>()

/** A handoff of so many tenants that sign with `spec`; made once for all benchmarks of a run. */
export const handoffOf = (tenants: number, spec: KeySpec = 'ES256'): Promise<Handoff> =>
  remembered(handoffs, `${tenants} ${spec}`, () => {
    say(`making ${tenants} tenants with ${spec} keys, and their handoff`)
    return makeHandoff(temporary('handoff'), tenants, spec, HOST)
  })

/** A runtime that serves so many tenants; made once for all benchmarks of a run. */
export const fixtureOf = (tenants: number, spec: KeySpec = 'ES256'): Promise<Fixture> =>
  remembered(fixtures, `${tenants} ${spec}`, () => makeFixture(tenants, spec))

function remembered<T>(known: Map<string, T>, name: string, make: () => T): T {
  const found = known.get(name) ?? make()
  known.set(name, found)
  return found
}

/** Imports a handoff into a copy of its runtime, in a process of its own on these cores. */
export async function importInto(
  { dir: pristine, bundle, material }: Handoff,
  cores: readonly number[] = ALL_CORES,
): Promise<{ dir: string; imported: Imported }> {
  const dir = copyOf(pristine)
  return { dir, imported: await script<Imported>(cores, 'import-child.ts', dir, bundle, material) }
}

async function makeFixture(tenants: number, spec: KeySpec): Promise<Fixture> {
  const handoff = await handoffOf(tenants, spec)
  say(`importing ${tenants} tenants`)
  const { dir } = await importInto(handoff)
  const runtime = await openRuntime({ dir })
  try {
    say(`adding a client to each of ${tenants} tenants`)
    const tokens: Target[] = []
    for (const tenant of handoff.tenants) {
      const { client, secret } = await runtime.clients.add(tenant, CLIENT, 'benchmark')
      tokens.push(tokenRequest(HOST, `/t/${tenant}/token`, client.clientId, secret ?? ''))
    }
    return {
      dir,
      tokens: mixed(tokens),
      jwks: mixed(handoff.tenants.map((one) => jwksRequest(HOST, `/t/${one}/.well-known/jwks.json`))),
    }
  } finally {
    await runtime.close()
  }
}

export const jwksRequest = (host: string, path: string): Target => ({ method: 'GET', path, headers: { Host: host } })

export const tokenRequest = (host: string, path: string, clientId: string, secret: string): Target => ({
  method: 'POST',
  path,
  headers: {
    Host: host,
    Authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`,
    'Content-Type': 'application/x-www-form-urlencoded',
  },
  body: `grant_type=client_credentials&resource=${encodeURIComponent(AUDIENCE)}`,
})

/** The same requests far from their order: neighbours in a store are not asked one after another. */
function mixed(targets: readonly Target[]): Target[] {
  // A prime that divides no number of tenants here, so that each is met once.
  return targets.flatMap((_, at) => targets[(at * 7919) % targets.length] ?? [])
}
