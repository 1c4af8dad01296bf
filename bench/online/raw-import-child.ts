import {
  createDecipheriv,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hash,
  type KeyObject,
  randomBytes,
  verify,
} from 'node:crypto'
import { join } from 'node:path'
import { readLinesGuarded } from '../../electron/files/read.ts'
import { openDatabase } from '../../electron/sqlite/database.ts'
import { p256Public } from '../../electron/vault/people.ts'
import type { TenantLine } from '../../shared/formats/bundle.ts'
import { BUNDLE_CAPS } from '../../shared/formats/bundle-file.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import { sealTo } from '../../shared/formats/jwe.ts'
import type { P256Jwk } from '../../shared/formats/jws.ts'
import { materialBinding, materialTyp } from '../../shared/formats/material.ts'

/**
 * The peer of an import: nothing but the verification of the bundle's signatures, the decryption of as many sealed keys,
 * and the insertion of the same bytes into an encrypted store. Decoding is done beforehand. Arguments: an empty folder, the
 * bundle, the root's public key, the number of sealed keys. Prints as JSON what each took, in milliseconds.
 */
export type Raw = { verifyMs: number; decryptMs: number; insertMs: number; cpuMs: number; signatures: number }

const [folder = '', bundle = '', root = '', keys = '0'] = process.argv.slice(2)
/** Tenants of one transaction, and in memory at a time. */
const BATCH = 500

const raw: Raw = { verifyMs: 0, decryptMs: 0, insertMs: 0, cpuMs: 0, signatures: 0 }

function timed(name: 'verifyMs' | 'decryptMs' | 'insertMs', work: () => void): void {
  const [before, start] = [process.cpuUsage(), performance.now()]
  work()
  raw[name] += performance.now() - start
  const { user, system } = process.cpuUsage(before)
  raw.cpuMs += (user + system) / 1000
}

function verifyAll(lines: readonly TenantLine[], key: KeyObject): void {
  const ready = lines
    .flatMap(({ slots }) => slots.flatMap(({ set, without }) => [set, ...Object.values(without)]))
    .map((jws) => {
      const dot = jws.lastIndexOf('.')
      return { input: Buffer.from(jws.slice(0, dot)), signature: Buffer.from(jws.slice(dot + 1), 'base64url') }
    })
  raw.signatures += ready.length
  const rootKey = { key, dsaEncoding: 'ieee-p1363' } as const
  timed('verifyMs', () => {
    const sound = ready.every(({ input, signature }) => verify('sha256', input, rootKey, signature))
    if (!sound) throw new Error('a signature does not hold')
  })
}

function inserter(): (lines: readonly TenantLine[]) => void {
  const db = openDatabase({
    path: join(folder, 'raw.db'),
    key: randomBytes(32),
    profile: 'store',
    what: 'peer',
    create: true,
  })
  db.exec(`CREATE TABLE tenants (tenant TEXT PRIMARY KEY, entry TEXT) STRICT, WITHOUT ROWID;
    CREATE TABLE slots (tenant TEXT, start INTEGER, jws TEXT, without TEXT, PRIMARY KEY (tenant, start)) STRICT;
    CREATE TABLE keys (kid TEXT PRIMARY KEY, tenant TEXT, jwk TEXT, sealed BLOB) STRICT;`)
  const tenant = db.prepare('INSERT INTO tenants VALUES (?, ?)')
  const slot = db.prepare('INSERT INTO slots VALUES (?, ?, ?, ?)')
  const key = db.prepare('INSERT INTO keys VALUES (?, ?, ?, ?)')
  const insert = db.transaction((rows: { run: typeof tenant; values: unknown[] }[]) => {
    for (const { run, values } of rows) run.run(...values)
  })
  // As long as an ES256 key in PKCS#8 with nonce and tag.
  const sealed = randomBytes(166)
  return (lines) => {
    const rows = lines.flatMap(({ slots, ...entry }) => [
      { run: tenant, values: [entry.tenant, JSON.stringify(entry)] },
      ...slots.map((one) => ({ run: slot, values: [entry.tenant, one.from, one.set, JSON.stringify(one.without)] })),
      ...entry.keys.map(({ kid, jwk }) => ({ run: key, values: [kid, entry.tenant, JSON.stringify(jwk), sealed] })),
    ])
    timed('insertMs', () => insert.immediate(rows))
  }
}

const SAMPLES = 500

/** Sealed as material is, but to a key that is here: 500 of them again and again. */
async function decryptAll(count: number): Promise<void> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = p256Public(publicKey)
  const recipient = { kid: thumbprint(jwk), jwk }
  const secret = privateKey.export({ format: 'der', type: 'pkcs8' })
  const samples: string[][] = []
  for (let at = 0; at < SAMPLES; at++) {
    const binding = materialBinding({ tenant: `tenant-${at}`, key: recipient.kid, runtimeId: 'runtime-1', number: 1 })
    samples.push((await sealTo(recipient, materialTyp(false), secret, binding)).split('.'))
  }
  const ready = samples.map(([header = '', , nonce = '', text = '', tag = '']) => ({
    header: Buffer.from(header),
    epk: (JSON.parse(Buffer.from(header, 'base64url').toString()) as { epk: P256Jwk }).epk,
    nonce: Buffer.from(nonce, 'base64url'),
    text: Buffer.from(text, 'base64url'),
    tag: Buffer.from(tag, 'base64url'),
  }))
  timed('decryptMs', () => {
    for (let at = 0; at < count; at++) {
      const one = ready[at % SAMPLES]
      if (one) decrypt(one, privateKey)
    }
  })
}

/** What Concat KDF adds to the shared secret for A256GCM (RFC 7518 section 4.6.2), with a counter of 1 before it. */
const COUNTER = Buffer.from([0, 0, 0, 1])
const INFO = Buffer.concat([
  Buffer.from([0, 0, 0, 7]),
  Buffer.from('A256GCM'),
  Buffer.alloc(8),
  Buffer.from([0, 0, 1, 0]),
])

type Sealed = { header: Buffer; epk: P256Jwk; nonce: Buffer; text: Buffer; tag: Buffer }

function decrypt({ header, epk, nonce, text, tag }: Sealed, privateKey: KeyObject): void {
  const publicKey = createPublicKey({ key: epk, format: 'jwk' })
  const key = hash('sha256', Buffer.concat([COUNTER, diffieHellman({ publicKey, privateKey }), INFO]), 'buffer')
  const decipher = createDecipheriv('aes-256-gcm', key, nonce)
  decipher.setAAD(header)
  decipher.setAuthTag(tag)
  decipher.update(text)
  decipher.final()
}

const rootKey = createPublicKey({ key: JSON.parse(root) as P256Jwk, format: 'jwk' })
const insert = inserter()
const lines = readLinesGuarded(bundle, BUNDLE_CAPS)
lines.next()
let batch: TenantLine[] = []
const take = () => {
  verifyAll(batch, rootKey)
  insert(batch)
  batch = []
}
for (const line of lines) {
  batch.push(JSON.parse(Buffer.from(line).toString()) as TenantLine)
  if (batch.length === BATCH) take()
}
take()
await decryptAll(Number(keys))
process.stdout.write(JSON.stringify(raw))
