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
import type { Reader } from './store/store.ts'
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
  /** Token requests a minute at each serving process. */
  rateLimit: z.int().min(1).max(1_000_000).nullable().default(null),
  introspects: z.boolean().default(false),
  /** RFC 7517 keys of the client, each with `alg` and `kid`; only for private_key_jwt. */
  jwks: z.array(clientKeySchema).max(10).default([]),
})
export type ClientRequest = z.input<typeof requestSchema>

/**
 * Adds a client. A secret of 256 bits is made for the `client_secret_…` methods, given once and kept only as SHA-256.
 * Codes: `usage-invalid`, `tenant-unknown`, `client-exists`, `key-refused` for a weak client key.
 */
export async function addClient(
  context: Context,
  tenant: string,
  request: ClientRequest,
  actor: string,
): Promise<{ client: Client; secret: string | null }> {
  const { store, receipts, clock } = context
  const asked = parseAs(requestSchema, request, 'client', 'usage-invalid')
  const { entry } = await servedTenant(store, tenant)
  const secret = asked.method === 'private_key_jwt' ? null : toBase64url(randomBytes(32))
  const client = clientFrom(asked, entry, secret)
  await store.change(async (tx) => {
    must(
      !(await findClient(tx, tenant, client.clientId)),
      'client-exists',
      `${tenant} has a client ${client.clientId} already.`,
    )
    const sql = 'INSERT INTO clients (tenant, client_id, client) VALUES (?, ?, ?)'
    await tx.run(sql, tenant, client.clientId, canonicalText(client))
    await touch(tx, tenant)
    await receipts.append(tx, clock.now(), { type: 'client-added', tenant, clientId: client.clientId, actor })
  })
  await markHighwater(context)
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
  const { rateLimit, introspects } = asked
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
  const identity = { clientId, method, secretDigest, jwks }
  return { ...identity, audiences, scopes, accessTokenLifetime, algorithm, rateLimit, introspects }
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
export async function removeClient(context: Context, tenant: string, clientId: string, actor: string): Promise<void> {
  const { store, receipts, clock } = context
  await store.change(async (tx) => {
    const known = await tx.get('SELECT 1 FROM tenants WHERE tenant = ?', tenant)
    must(known, 'tenant-unknown', `There is no tenant ${tenant} in this runtime.`)
    const removed = await tx.run('DELETE FROM clients WHERE tenant = ? AND client_id = ?', tenant, clientId)
    must(removed === 1, 'client-unknown', `${tenant} has no client with this id.`)
    await touch(tx, tenant)
    await receipts.append(tx, clock.now(), { type: 'client-removed', tenant, clientId, actor })
  })
  await markHighwater(context)
}

/** The clients of one tenant, or of all, in order. */
export async function listClients(store: Reader, tenant?: string): Promise<{ tenant: string; client: Client }[]> {
  type Row = { tenant: string; client: string }
  const sql = (where: string) => `SELECT tenant, client FROM clients ${where} ORDER BY tenant, client_id`
  const rows =
    tenant === undefined ? await store.all<Row>(sql('')) : await store.all<Row>(sql('WHERE tenant = ?'), tenant)
  return rows.map((row) => ({ tenant: row.tenant, client: readClient(row.client) }))
}

export async function findClient(store: Reader, tenant: string, clientId: string): Promise<Client | null> {
  const sql = 'SELECT client FROM clients WHERE tenant = ? AND client_id = ?'
  const row = await store.get<{ client: string }>(sql, tenant, clientId)
  return row ? readClient(row.client) : null
}

/** Clients that were added before some member existed are without it. */
const readClient = (stored: string): Client =>
  ({ rateLimit: null, introspects: false, ...JSON.parse(stored) }) as Client
