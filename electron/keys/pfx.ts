import { type BaseBlock, fromBER } from 'asn1js'
import {
  type AlgorithmIdentifier,
  AuthenticatedSafe,
  EncryptedData,
  PBES2Params,
  PBKDF2Params,
  PFX,
  PKCS8ShroudedKeyBag,
  PrivateKeyInfo,
  SafeBag,
  SafeContents,
} from 'pkijs'
import { KeyriteError, must } from '../../shared/errors.ts'
import { type Bytes, utf8 } from '../../shared/formats/bytes.ts'

/** PKCS#12 (RFC 7292) with PBES2 (RFC 8018), as OpenSSL 3 and newer Windows write it. What RC2 or 3DES protects is refused. */

const SHROUDED_KEY_BAG = '1.2.840.113549.1.12.10.1.2'
const KEY_BAG = '1.2.840.113549.1.12.10.1.1'
const PBES2 = '1.2.840.113549.1.5.13'
const PBKDF2 = '1.2.840.113549.1.5.12'
/** A file that asks for more is meant to stop the machine; OpenSSL takes 2,048, careful tools 600,000. */
const MOST_ITERATIONS = 8_000_000
/** What protects an export is the encryption to its recipient around it; the password guards what the recipient opened. */
const ITERATIONS = 100_000

const refused = (message: string, hint?: string) => new KeyriteError('format-invalid', message, hint ? { hint } : {})

/** Refuses what would keep the machine busy for hours, and ciphers of another age. `what` names the file. */
export function checkProtection(what: string, { algorithmId, algorithmParams }: AlgorithmIdentifier): void {
  if (algorithmId !== PBES2)
    throw refused(
      `${what} is protected with an old cipher (RC2 or 3DES).`,
      'Write it anew on the machine it comes from: "openssl pkcs12 -legacy -in OLD -nodes" into "openssl pkcs12 -export -out NEW".',
    )
  const { keyDerivationFunc } = new PBES2Params({ schema: algorithmParams })
  if (keyDerivationFunc.algorithmId !== PBKDF2) return
  const { iterationCount } = new PBKDF2Params({ schema: keyDerivationFunc.algorithmParams })
  checkIterations(what, iterationCount)
}

/** The library reads a number of more than three bytes as 0. */
const checkIterations = (what: string, iterations: number): void =>
  must(
    iterations >= 1 && iterations <= MOST_ITERATIONS,
    'format-invalid',
    `${what} asks for more than ${MOST_ITERATIONS} rounds of its password.`,
  )

/** The protection of an encrypted PKCS#8 key (RFC 5958 section 3), checked before a password is tried. */
export function checkEncryptedKey(what: string, der: Uint8Array): void {
  try {
    checkProtection(what, PKCS8ShroudedKeyBag.fromBER(copyOf(der)).encryptionAlgorithm)
  } catch (cause) {
    throw cause instanceof KeyriteError ? cause : unreadable(what, cause)
  }
}

const unreadable = (what: string, cause: unknown) =>
  new KeyriteError('format-invalid', `${what} is not a private key in the format that the plan says.`, { cause })

/**
 * The one private key of a PKCS#12 file as PKCS#8 DER; the caller wipes it. Certificates in it are left aside. Codes
 * `format-invalid` for another file, an old cipher, or not exactly one key; `passphrase-wrong`.
 */
export async function readPfx(what: string, bytes: Uint8Array, password: string): Promise<Bytes> {
  const secret = utf8(password)
  const safe = await openSafe(what, bytes, secret)
  try {
    const keys: PrivateKeyInfo[] = []
    for (const bag of await bagsOf(what, safe, secret)) {
      if (bag.bagId === KEY_BAG) keys.push(bag.bagValue as PrivateKeyInfo)
      if (bag.bagId === SHROUDED_KEY_BAG) keys.push(await unshroud(what, bag.bagValue as Shrouded, secret))
    }
    const [only] = keys
    if (!only || keys.length !== 1)
      throw refused(`${what} holds ${keys.length} private keys: it must hold exactly one.`)
    return new Uint8Array(only.toSchema().toBER(false))
  } catch (cause) {
    throw cause instanceof KeyriteError ? cause : unreadable(what, cause)
  }
}

/** The library keeps the opening of a bag to itself, for its own classes. */
type Shrouded = PKCS8ShroudedKeyBag & { parseInternalValues(parameters: { password: ArrayBuffer }): Promise<void> }

async function openSafe(what: string, bytes: Uint8Array, secret: Bytes): Promise<AuthenticatedSafe> {
  let pfx: PFX
  try {
    pfx = PFX.fromBER(copyOf(bytes))
  } catch (cause) {
    throw unreadable(what, cause)
  }
  must(pfx.macData, 'format-invalid', `${what} has no integrity check of its password (MAC).`)
  checkIterations(what, pfx.macData.iterations ?? 1)
  try {
    await pfx.parseInternalValues({ password: secret.buffer, checkIntegrity: true })
  } catch (cause) {
    throw new KeyriteError('passphrase-wrong', `The password of ${what} is wrong, or the file is damaged.`, { cause })
  }
  const safe = pfx.parsedValue?.authenticatedSafe
  if (!safe) throw unreadable(what, null)
  return safe
}

async function bagsOf(what: string, safe: AuthenticatedSafe, secret: Bytes): Promise<SafeBag[]> {
  for (const { contentType, content } of safe.safeContents)
    if (contentType === ENCRYPTED_DATA) checkProtection(what, protectionOf(content))
  await safe.parseInternalValues({ safeContents: safe.safeContents.map(() => ({ password: secret.buffer })) })
  const contents: { value: SafeContents }[] = safe.parsedValue.safeContents
  return contents.flatMap(({ value }) => value.safeBags)
}

/** Reading empties what it reads, so a copy is read. */
function protectionOf(content: BaseBlock): AlgorithmIdentifier {
  const { result } = fromBER(content.toBER(false))
  return new EncryptedData({ schema: result }).encryptedContentInfo.contentEncryptionAlgorithm
}

const ENCRYPTED_DATA = '1.2.840.113549.1.7.6'

async function unshroud(what: string, bag: Shrouded, secret: Bytes): Promise<PrivateKeyInfo> {
  checkProtection(what, bag.encryptionAlgorithm)
  await bag.parseInternalValues({ password: secret.buffer })
  if (!bag.parsedValue) throw unreadable(what, null)
  return bag.parsedValue
}

const CIPHER = {
  contentEncryptionAlgorithm: { name: 'AES-CBC', length: 256 },
  hmacHashAlgorithm: 'SHA-256',
  iterationCount: ITERATIONS,
}

/** A PKCS#12 file with this one private key and no certificate: PBES2 with AES-256, MAC with SHA-256. */
export async function writePfx(pkcs8: Uint8Array, password: string): Promise<Bytes> {
  const secret = utf8(password)
  const bag = new PKCS8ShroudedKeyBag({ parsedValue: PrivateKeyInfo.fromBER(copyOf(pkcs8)) })
  await bag.makeInternalValues({ password: secret.buffer, ...CIPHER } as never)
  const contents = new SafeContents({ safeBags: [new SafeBag({ bagId: SHROUDED_KEY_BAG, bagValue: bag })] })
  const safe = new AuthenticatedSafe({ parsedValue: { safeContents: [{ privacyMode: 0, value: contents }] } })
  await safe.makeInternalValues({ safeContents: [{}] })
  const pfx = new PFX({ parsedValue: { integrityMode: 0, authenticatedSafe: safe } })
  await pfx.makeInternalValues({
    password: secret.buffer,
    iterations: ITERATIONS,
    pbkdf2HashAlgorithm: 'SHA-256',
    hmacHashAlgorithm: 'SHA-256',
  })
  return new Uint8Array(pfx.toSchema().toBER(false))
}

/** The library reads from the start of the whole buffer behind a view. */
const copyOf = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer
