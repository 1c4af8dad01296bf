import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { isKeyriteError, KeyriteError, must } from '../../shared/errors.ts'
import { type Bytes, digest, fromBase64url, toBase64url, wipe } from '../../shared/formats/bytes.ts'
import { canonicalBytes, canonicalText } from '../../shared/formats/json.ts'
import { type Binding, openSealed, sealTo } from '../../shared/formats/jwe.ts'
import type { Ed25519Jwk, P256Jwk, StatementSigner } from '../../shared/formats/jws.ts'
import { statementTyp } from '../../shared/formats/jws.ts'
import type { Identity, PersonEntry } from '../../shared/formats/people-file.ts'
import { deriveKey, PRACTICE_COST, PRODUCTION_COST } from './kdf.ts'
import { decrypt, encrypt } from './sealing.ts'
import type { Share } from './sharing.ts'

/** A person is two key pairs: one to receive secrets, one to sign off; both sealed by that person's passphrase. */

export type VaultName = { vaultId: string; practice: boolean }

/** A person whose passphrase was given: what the private halves can do, and nothing to read them back. */
export type UnlockedPerson = {
  id: string
  /** Digest of the entry whose passphrase was given. */
  identity: string
  signer: StatementSigner
  /** Signs event links. */
  signingKey: KeyObject
  open(jwe: string, typ: string, binding: Binding): Promise<Bytes>
  /** The same key pairs sealed under another passphrase. Code `passphrase-weak`. */
  reseal(passphrase: string): Promise<Identity>
}

/** Bits of the least passphrase that is accepted: six words of a list of 2048, less two for a worse choice. */
const LEAST_LENGTH = 16
const LEAST_DISTINCT = 8

/** Refuses a passphrase that is short or repeats itself; a generated one of six words always passes. Code `passphrase-weak`. */
export function checkPassphrase(id: string, passphrase: string): void {
  const text = passphrase.normalize('NFKC')
  const strong = [...text].length >= LEAST_LENGTH && new Set(text).size >= LEAST_DISTINCT
  must(
    strong,
    'passphrase-weak',
    `The passphrase of ${id} is too weak: it needs at least ${LEAST_LENGTH} characters, ${LEAST_DISTINCT} of them different.`,
  )
}

const sealedAs = (vault: VaultName, id: string, part: string, kdf: unknown): Bytes =>
  canonicalBytes(['keyrite person 1', vault.vaultId, id, part, kdf])

type Halves = { encryption: KeyObject; signing: KeyObject; cost: { memoryKiB: number; passes: number } }

/** Makes a person's key pairs and seals them. One Argon2id derivation. Code `passphrase-weak`. */
export async function createIdentity(vault: VaultName, id: string, passphrase: string): Promise<Identity> {
  const encryption = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const signing = generateKeyPairSync('ed25519').privateKey
  const cost = vault.practice ? PRACTICE_COST : PRODUCTION_COST
  return sealIdentity(vault, id, passphrase, { encryption, signing, cost })
}

/** Seals a person's private halves under a passphrase and a new salt. */
async function sealIdentity(
  vault: VaultName,
  id: string,
  passphrase: string,
  { cost: { memoryKiB, passes }, ...halves }: Halves,
): Promise<Identity> {
  checkPassphrase(id, passphrase)
  const kdf = { algorithm: 'argon2id', memoryKiB, passes, lanes: 1, salt: toBase64url(randomBytes(16)) } as const
  const key = await deriveKey(passphrase, kdf)
  const seal = (part: string, half: KeyObject) => {
    const pkcs8 = half.export({ format: 'der', type: 'pkcs8' })
    const sealed = toBase64url(encrypt(key, pkcs8, sealedAs(vault, id, part, kdf)))
    wipe(pkcs8)
    return sealed
  }
  const identity = {
    encryption: p256Public(createPublicKey(halves.encryption)),
    signing: ed25519Public(createPublicKey(halves.signing)),
    kdf,
    sealedEncryption: seal('encryption', halves.encryption),
    sealedSigning: seal('signing', halves.signing),
  }
  wipe(key)
  return identity
}

/** Opens a person with their passphrase. Codes `passphrase-wrong`, naming the person. */
export async function unlockPerson(
  vault: VaultName,
  id: string,
  identity: Identity,
  passphrase: string,
): Promise<UnlockedPerson> {
  const key = await deriveKey(passphrase, identity.kdf)
  const open = (part: string, sealed: string) => {
    const pkcs8 = decrypt(key, fromBase64url(sealed), sealedAs(vault, id, part, identity.kdf), id)
    const privateKey = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' })
    wipe(pkcs8)
    return privateKey
  }
  try {
    const encryption = open('encryption', identity.sealedEncryption)
    const signing = open('signing', identity.sealedSigning)
    return {
      id,
      identity: digest(canonicalText(identity)),
      signer: statementSigner(id, signing),
      signingKey: signing,
      open: opener(id, encryption),
      reseal: (next) => sealIdentity(vault, id, next, { encryption, signing, cost: identity.kdf }),
    }
  } catch (cause) {
    if (!(cause instanceof KeyriteError)) throw cause
    throw new KeyriteError('passphrase-wrong', `That passphrase does not open the keys of ${id}.`, { cause })
  } finally {
    wipe(key)
  }
}

const opener = (id: string, key: KeyObject): UnlockedPerson['open'] => {
  const usable = webKey(key.toCryptoKey({ name: 'ECDH', namedCurve: 'P-256' }, false, ['deriveBits']))
  return (jwe, typ, binding) => openSealed(jwe, { typ, kid: id, key: usable, binding })
}

/** Node's and the browser's types name the same object. */
const webKey = (key: ReturnType<KeyObject['toCryptoKey']>): CryptoKey => key as unknown as CryptoKey

/** A signer of Keyrite's own statements from a private key: ES256 for P-256, Ed25519 otherwise. */
export function statementSigner(kid: string, key: KeyObject): StatementSigner {
  if (key.asymmetricKeyType === 'ec')
    return { kid, alg: 'ES256', key: webKey(key.toCryptoKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])) }
  return { kid, alg: 'Ed25519', key: webKey(key.toCryptoKey('Ed25519', false, ['sign'])) }
}

export function p256Public(key: KeyObject): P256Jwk {
  const { x = '', y = '' } = key.export({ format: 'jwk' })
  return { kty: 'EC', crv: 'P-256', x, y }
}

export function ed25519Public(key: KeyObject): Ed25519Jwk {
  return { kty: 'OKP', crv: 'Ed25519', x: key.export({ format: 'jwk' }).x ?? '' }
}

/** The id of a file key: a digest under its own label, so that it tells nothing else. */
export const fileKeyId = (fileKey: Uint8Array): string =>
  digest(canonicalBytes(['keyrite file key 1', toBase64url(fileKey)]))

const typOf = (vault: VaultName) => statementTyp('key', vault.practice)
const fileKeyBinding = (vault: VaultName, id: string, keyId: string): Binding => ({
  vault: vault.vaultId,
  person: id,
  part: `file-key ${keyId}`,
})
const shareBinding = (vault: VaultName, id: string, epoch: number): Binding => ({
  vault: vault.vaultId,
  person: id,
  part: `share ${epoch}`,
})

export const sealFileKey = (vault: VaultName, id: string, to: P256Jwk, fileKey: Uint8Array): Promise<string> =>
  sealTo({ kid: id, jwk: to }, typOf(vault), fileKey, fileKeyBinding(vault, id, fileKeyId(fileKey)))

export const openFileKey = (vault: VaultName, person: UnlockedPerson, keyId: string, jwe: string): Promise<Bytes> =>
  person.open(jwe, typOf(vault), fileKeyBinding(vault, person.id, keyId))

export const sealShare = (vault: VaultName, share: Share, epoch: number, to: P256Jwk): Promise<string> =>
  sealTo({ kid: share.person, jwk: to }, typOf(vault), share.bytes, shareBinding(vault, share.person, epoch))

/** Opens a custodian's share of an epoch. Codes `share-invalid` when there is none or it does not open. */
export async function openShare(
  vault: VaultName,
  person: UnlockedPerson,
  entry: PersonEntry,
  epoch: number,
): Promise<Share> {
  const jwe = entry.shares[String(epoch)]
  if (!jwe) throw new KeyriteError('share-invalid', `${person.id} has no share of epoch ${epoch}.`)
  return openSealedShare(vault, person, jwe, epoch)
}

/** Opens a share wherever it was kept. Code `share-invalid`. */
export async function openSealedShare(
  vault: VaultName,
  person: UnlockedPerson,
  jwe: string,
  epoch: number,
): Promise<Share> {
  try {
    return { person: person.id, bytes: await person.open(jwe, typOf(vault), shareBinding(vault, person.id, epoch)) }
  } catch (cause) {
    throw new KeyriteError('share-invalid', `The share of ${person.id} does not open.`, { cause })
  }
}

/** True when this passphrase opens these sealed keys. One derivation. */
export async function opensWith(
  vault: VaultName,
  id: string,
  identity: Identity,
  passphrase: string,
): Promise<boolean> {
  try {
    await unlockPerson(vault, id, identity, passphrase)
    return true
  } catch (error) {
    if (isKeyriteError(error, 'passphrase-wrong')) return false
    throw error
  }
}

/**
 * Nobody has the passphrase of somebody else, as far as can be known: it is tried on everybody's sealed keys. One
 * derivation for each. Code `passphrase-weak`, naming nobody.
 */
export async function checkNobodyElse(
  vault: VaultName,
  id: string,
  passphrase: string,
  others: Readonly<Record<string, { identity: Identity }>>,
): Promise<void> {
  for (const [other, { identity }] of Object.entries(others)) {
    const taken = other !== id && (await opensWith(vault, other, identity, passphrase))
    must(!taken, 'passphrase-weak', `Somebody else in this vault has the passphrase that ${id} gave.`)
  }
}
