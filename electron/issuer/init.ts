import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { must } from '../../shared/errors.ts'
import { digest, wipe } from '../../shared/formats/bytes.ts'
import { type Enrollment, signEnrollment } from '../../shared/formats/enrollment.ts'
import { fileName } from '../../shared/formats/file-name.ts'
import { parseStatementFile, STATEMENT_FILE_MAX, statementFile } from '../../shared/formats/statement-file.ts'
import { type Anchor, openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import { ioError } from '../files/errors.ts'
import { readFileGuarded } from '../files/read.ts'
import { syncFolder, writeNewFile } from '../files/write.ts'
import {
  CONFIG_FILE,
  type Config,
  encodeConfig,
  encodeStorageKey,
  readStorageKey,
  resolveConfig,
  STORAGE_KEY_FILE,
} from './config.ts'
import { writeHighwater } from './highwater.ts'
import { ReceiptChain, receiptSigner } from './receipt-chain.ts'
import { Sealer } from './sealing.ts'
import { type Clock, systemClock } from './service.ts'
import { discardStores, makeStores, placeOf, type StorePlace } from './store/open.ts'
import { makeTransportKey } from './transport.ts'

export type InitOptions = {
  /** The runtime's folder: not there yet, or empty. */
  dir: string
  trustAnchorFile: string
  runtimeId: string
  environment: string
  listen: { host: string; port: number }
  /** Where the enrollment file goes. */
  enrollmentFolder: string
  /** Must be asked for with a practice trust anchor, and only then. */
  practice: boolean
  /** An existing storage key to use; by default one is made in the folder. */
  storageKeyFile?: string
  /** `sqlite`, or `postgres://…` without a password; the environment, then sqlite, unless told. */
  store?: string
  storePasswordFile?: string
  clock?: Clock
}

export type Initialised = {
  dir: string
  enrollmentFile: string
  /** Digest of the enrollment: compared by voice when the vault enrolls this runtime. */
  fingerprint: string
  /** The root's thumbprint: compared with the one on the head card. */
  anchorFingerprint: string
}

/**
 * Makes a runtime: folder (mode 0700), configuration, pinned trust anchor, storage key, store, receipt key, first
 * transport key, and the enrollment for the vault. Codes: `runtime-exists`, `folder-not-empty`, `practice-refused`,
 * `config-invalid`, those of `openTrustAnchor` and of writing. On failure nothing is left.
 */
export async function initRuntime(options: InitOptions): Promise<Initialised> {
  const { trustAnchorFile, runtimeId, environment, practice } = options
  const dir = resolve(options.dir)
  const now = (options.clock ?? systemClock).now()
  mustBeFree(dir)
  const anchor = await openTrustAnchor(parseStatementFile(readFileGuarded(trustAnchorFile, STATEMENT_FILE_MAX)))
  must(anchor.practice === practice, 'practice-refused', practiceMessage(anchor.practice))
  const made = join(dirname(dir), `.${basename(dir)}-${randomBytes(6).toString('hex')}.partial`)
  let enrollmentFile: string | null = null
  let discard = async () => {}
  try {
    mkdirSync(made, { recursive: true, mode: 0o700 })
    const keys = await fillFolder(made, anchor, options, now)
    discard = keys.discard
    const claims = { runtimeId, environment, practice, vaultId: anchor.vaultId, iat: now, ...keys.public }
    const jws = await selfSigned(claims, keys.receipt)
    enrollmentFile = join(options.enrollmentFolder, fileName('enrollment', jws, now))
    writeNewFile(enrollmentFile, statementFile(jws))
    if (existsSync(dir)) rmdirSync(dir)
    renameSync(made, dir)
    syncFolder(dirname(dir))
    return { dir, enrollmentFile, fingerprint: digest(jws), anchorFingerprint: anchor.key.kid }
  } catch (error) {
    rmSync(made, { recursive: true, force: true })
    if (enrollmentFile) rmSync(enrollmentFile, { force: true })
    await discard().catch(() => {})
    throw isSystemError(error) ? ioError(error, 'Creating', dir) : error
  }
}

export const isSystemError = (error: unknown): boolean => (error as { errno?: unknown }).errno !== undefined

/** Codes `runtime-exists`, `folder-not-empty`. */
export function mustBeFree(dir: string): void {
  if (!existsSync(dir)) return
  must(!existsSync(join(dir, CONFIG_FILE)), 'runtime-exists', `There is a runtime in ${dir} already.`)
  try {
    must(readdirSync(dir).length === 0, 'folder-not-empty', `${dir} is not empty.`)
  } catch (error) {
    throw ioError(error, 'Creating', dir)
  }
}

const practiceMessage = (anchorIsPractice: boolean): string =>
  anchorIsPractice
    ? 'This trust anchor is of a practice vault. A practice runtime must be asked for with --practice.'
    : 'This trust anchor is of a production vault, but a practice runtime was asked for.'

type Keys = {
  receipt: KeyObject
  public: Pick<Enrollment, 'receiptKey' | 'transportKey'>
  /** Takes the store away again. */
  discard(): Promise<void>
}

/** Everything inside the folder. */
async function fillFolder(folder: string, anchor: Anchor, options: InitOptions, now: number): Promise<Keys> {
  const { runtimeId, environment, listen, practice, storageKeyFile, store, storePasswordFile } = options
  const storageKey = storageKeyFile ? readStorageKey(storageKeyFile) : new Uint8Array(randomBytes(32))
  if (!storageKeyFile) writeNewFile(join(folder, STORAGE_KEY_FILE), encodeStorageKey(storageKey))
  const sealer = new Sealer(storageKey, { runtimeId, practice })
  wipe(storageKey)
  const trustAnchor = fileName('trust-anchor', anchor.jws, anchor.iat)
  const config: Config = {
    format: 1,
    runtimeId,
    environment,
    practice,
    listen,
    // Rehearsals of many people on one machine must not meet on the one port.
    ...(practice && { ops: { host: '127.0.0.1', port: 0 } }),
    storageKeyFile: storageKeyFile ? resolve(storageKeyFile) : STORAGE_KEY_FILE,
    storageKeyId: sealer.keyId,
    vaultId: anchor.vaultId,
    rootKid: anchor.key.kid,
    trustAnchor,
    ...(store !== undefined && { store }),
    ...(storePasswordFile !== undefined && { storePasswordFile: resolve(storePasswordFile) }),
  }
  writeNewFile(join(folder, CONFIG_FILE), encodeConfig(config))
  writeNewFile(join(folder, trustAnchor), statementFile(anchor.jws))
  const { config: effective, problems } = resolveConfig(config, process.env)
  must(problems.length === 0, 'config-invalid', problems.join(' '))
  return makeStore(placeOf(folder, effective, sealer.fileKey), sealer, config, now)
}

async function makeStore(place: StorePlace, sealer: Sealer, config: Config, now: number): Promise<Keys> {
  const { store, traffic } = await makeStores(place)
  try {
    const receipt = generateKeyPairSync('ed25519').privateKey
    const signer = receiptSigner(receipt)
    const pkcs8 = receipt.export({ format: 'der', type: 'pkcs8' })
    const transportKey = await store.change(async (tx) => {
      await tx.run(
        "INSERT INTO own_keys (kid, use, jwk, sealed, offered_at) VALUES (?, 'receipt', ?, ?, ?)",
        signer.kid,
        JSON.stringify(signer.jwk),
        sealer.sealOwn(signer.kid, pkcs8),
        now,
      )
      await tx.setClock({ floor: now, servedUntil: null, confirmedAt: null, hold: null })
      return makeTransportKey(tx, sealer, now)
    })
    wipe(pkcs8)
    await writeHighwater(place.dir, store, new ReceiptChain(store, signer, config))
    const discard = () => discardStores({ ...place, fileKey: new Uint8Array(32) })
    return { receipt, public: { receiptKey: signer.jwk, transportKey }, discard }
  } finally {
    await traffic.close()
    await store.close()
    sealer.wipe()
  }
}

async function selfSigned(claims: Enrollment, receipt: KeyObject): Promise<string> {
  const pkcs8 = new Uint8Array(receipt.export({ format: 'der', type: 'pkcs8' }))
  const key = await crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', false, ['sign'])
  wipe(pkcs8)
  return signEnrollment(claims, { kid: receiptSigner(receipt).kid, alg: 'Ed25519', key })
}
