import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { KEY_SPEC_NAMES, KEY_SPECS } from '../../shared/domain/algorithms.ts'
import { lintKey } from '../../shared/domain/lint.ts'
import { MINUTE } from '../../shared/domain/policy.ts'
import { must } from '../../shared/errors.ts'
import type { TenantEntry } from '../../shared/formats/bundle-check.ts'
import { digest, toBase64url } from '../../shared/formats/bytes.ts'
import { algorithmSchema } from '../../shared/formats/common.ts'
import { canonicalText, parseAs } from '../../shared/formats/json.ts'
import { type Context, markHighwater } from './context.ts'
import { touch } from './lifecycle.ts'
import { CLIENT_AUTH_METHODS, type Client } from './service.ts'
import type { Store } from './store.ts'
import { servedTenant } from './tenant-state.ts'

/** Clients of a tenant: who may ask for tokens, and how they show that it is them. */

const text = (pattern: RegExp) => z.string().regex(pattern)
const clientKeySchema = z.looseObject({
  kty: z.enum(['RSA', 'EC', 'OKP']),
  alg: algorithmSchema,
  kid: z.string().max(200),
})

const requestSchema = z.strictObject({
  clientId: text(/^[A-Za-z0-9._~-]{1,100}$/),
  method: z.enum(CLIENT_AUTH_METHODS),
  audiences: z
    .array(text(/^[\x21-\x7e]{1,256}$/))
    .min(1)
    .max(50),
  /** RFC 6749 section 3.3: scope-token. */
  scopes: z
    .array(text(/^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/))
    .max(100)
    .default([]),
  accessTokenLifetime: z.int().min(MINUTE).optional(),
  algorithm: algorithmSchema.nullable().default(null),
  /** RFC 7517 keys of the client, each with `alg` and `kid`; only for private_key_jwt. */
  jwks: z.array(clientKeySchema).max(10).default([]),
})
export type ClientRequest = z.input<typeof requestSchema>

/**
 * Adds a client. A secret of 256 bits is made for the `client_secret_…` methods, given once and kept only as SHA-256.
 * Codes: `usage-invalid`, `tenant-unknown`, `client-exists`, `key-refused` for a weak client key.
 */
export function addClient(
  context: Context,
  tenant: string,
  request: ClientRequest,
  actor: string,
): { client: Client; secret: string | null } {
  const { store, receipts, clock } = context
  const asked = parseAs(requestSchema, request, 'client', 'usage-invalid')
  const { entry } = servedTenant(store, tenant)
  const secret = asked.method === 'private_key_jwt' ? null : toBase64url(randomBytes(32))
  const client = clientFrom(asked, entry, secret)
  store.change(() => {
    must(
      !findClient(store, tenant, client.clientId),
      'client-exists',
      `${tenant} has a client ${client.clientId} already.`,
    )
    const sql = 'INSERT INTO clients (tenant, client_id, client) VALUES (?, ?, ?)'
    store.run(sql, tenant, client.clientId, canonicalText(client))
    touch(store, tenant)
    receipts.append(clock.now(), { type: 'client-added', tenant, clientId: client.clientId, actor })
  })
  markHighwater(context)
  return { client, secret }
}

/** A client within the bounds of its tenant's policy. */
function clientFrom(
  asked: z.infer<typeof requestSchema>,
  { tenant, policy }: TenantEntry,
  secret: string | null,
): Client {
  const longest = policy.accessTokenLifetime
  const { accessTokenLifetime = longest, clientId, method, audiences, scopes, algorithm } = asked
  must(accessTokenLifetime <= longest, 'usage-invalid', `Tokens of ${tenant} may live ${longest} seconds at most.`)
  const offered = policy.signingAlgorithms.map((spec) => KEY_SPECS[spec].alg)
  must(
    algorithm === null || offered.includes(algorithm),
    'usage-invalid',
    `${tenant} signs with ${offered.join(', ')} only.`,
  )
  const fits = (method === 'private_key_jwt') === asked.jwks.length > 0
  must(fits, 'usage-invalid', 'private_key_jwt needs keys of the client; nothing else takes any.')
  const secretDigest = secret === null ? null : digest(secret)
  const jwks = asked.jwks.map(checkedKey)
  return { clientId, method, secretDigest, jwks, audiences, scopes, accessTokenLifetime, algorithm }
}

/** A client's public key, linted like our own. */
function checkedKey(given: z.infer<typeof clientKeySchema>): Client['jwks'][number] {
  const { alg, kid, use: _, ...bare } = given
  const specs = KEY_SPEC_NAMES.filter((spec) => KEY_SPECS[spec].alg === alg)
  const good = specs.some((spec) => lintKey(spec, bare).length === 0)
  must(good, 'key-refused', `The client's key ${kid.slice(0, 60)} is not a sound ${alg} public key.`)
  return { ...(bare as unknown as Client['jwks'][number]), use: 'sig', alg, kid }
}

/** Removes a client; its next request fails. Codes `tenant-unknown`, `client-unknown`. */
export function removeClient(context: Context, tenant: string, clientId: string, actor: string): void {
  const { store, receipts, clock } = context
  store.change(() => {
    const known = store.get('SELECT 1 FROM tenants WHERE tenant = ?', tenant)
    must(known, 'tenant-unknown', `There is no tenant ${tenant} in this runtime.`)
    const removed = store.run('DELETE FROM clients WHERE tenant = ? AND client_id = ?', tenant, clientId)
    must(removed === 1, 'client-unknown', `${tenant} has no client with this id.`)
    touch(store, tenant)
    receipts.append(clock.now(), { type: 'client-removed', tenant, clientId, actor })
  })
  markHighwater(context)
}

/** The clients of one tenant, or of all, in order. */
export function listClients(store: Store, tenant?: string): { tenant: string; client: Client }[] {
  type Row = { tenant: string; client: string }
  const sql = 'SELECT tenant, client FROM clients WHERE ? IS NULL OR tenant = ? ORDER BY tenant, client_id'
  const rows = store.all<Row>(sql, tenant ?? null, tenant ?? null)
  return rows.map((row) => ({ tenant: row.tenant, client: JSON.parse(row.client) as Client }))
}

export function findClient(store: Store, tenant: string, clientId: string): Client | null {
  const sql = 'SELECT client FROM clients WHERE tenant = ? AND client_id = ?'
  const row = store.get<{ client: string }>(sql, tenant, clientId)
  return row ? (JSON.parse(row.client) as Client) : null
}
