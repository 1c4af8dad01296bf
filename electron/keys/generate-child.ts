/**
 * The process that makes the keys of one tenant, newly seeded from the operating system, and ends. It takes one job,
 * `{"specs": [...], "certificates": [{"issuer", "from", "to"} or null, ...]}`, and answers with one JSON line:
 * `{"node", "openssl", "keys": [{"spec", "pkcs8": base64url, "jwk", "x5c"?}]}`. Keys travel over its channel only: never in
 * arguments, the environment, stderr or a file. A failed check ends it with a status of EXIT and no output.
 */
import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { KEY_SPECS, type KeySpec, type PublicJwk } from '../../shared/domain/algorithms.ts'
import type { CertificateFor, X5c } from '../../shared/formats/x509.ts'
import { CHECKED_BYTES, EXIT, outputLooksRandom, pairMatches } from './checks.ts'
import { openChannel } from './child-channel.ts'

function newPair(spec: KeySpec): { privateKey: KeyObject; publicKey: KeyObject } {
  const row = KEY_SPECS[spec]
  if (row.kty === 'RSA') return generateKeyPairSync('rsa', { modulusLength: row.bits, publicExponent: 65537 })
  if (row.kty === 'EC') return generateKeyPairSync('ec', { namedCurve: row.crv })
  return generateKeyPairSync('ed25519')
}

type NewKey = { spec: KeySpec; pkcs8: string; jwk: PublicJwk; x5c?: X5c }

async function newKey(spec: KeySpec, certificate: CertificateFor | null): Promise<NewKey> {
  const { privateKey, publicKey } = newPair(spec)
  const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' })
  const jwk = publicKey.export({ format: 'jwk' }) as PublicJwk
  if (!pairMatches(spec, pkcs8, jwk)) process.exit(EXIT.pairCheck)
  const made = { spec, pkcs8: pkcs8.toString('base64url'), jwk }
  if (!certificate) return made
  // Loaded only where it is needed: the start of this process is paid for every tenant.
  const { selfSigned } = await import('./certificate.ts')
  return { ...made, x5c: [selfSigned(spec, pkcs8, certificate)] }
}

const channel = await openChannel()
const job = JSON.parse(channel.job) as { specs: KeySpec[]; certificates: (CertificateFor | null)[] }
if (!outputLooksRandom(randomBytes(CHECKED_BYTES))) process.exit(EXIT.outputCheck)
const { node, openssl } = process.versions
const keys: NewKey[] = []
for (const [at, spec] of job.specs.entries()) keys.push(await newKey(spec, job.certificates[at] ?? null))
await channel.answer(`${JSON.stringify({ node, openssl, keys })}\n`)
process.exit(0)
