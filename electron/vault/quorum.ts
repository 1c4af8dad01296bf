import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import type { VaultState } from '../../shared/domain/state.ts'
import { must } from '../../shared/errors.ts'
import { type Bytes, digest, wipe } from '../../shared/formats/bytes.ts'
import type { StatementSigner } from '../../shared/formats/jws.ts'
import type { Anchor } from '../../shared/formats/trust-anchor.ts'
import type { EncryptedDatabase } from '../sqlite/database.ts'
import { p256Public, statementSigner } from './people.ts'
import { type QuorumSecret, rewrap, type SealedName, sealKey, unsealKey } from './sealing.ts'

/** Rows to write and the digests that the event names for them. */
export type Sealed = { put: Map<string, Bytes>; digests: Record<string, string> }

export const ROOT_OWNER = 'root'
export const keyRow = (kid: string): string => `key:${kid}`
export const wrapRow = (kid: string): string => `wrap:${kid}`

/** Gives rows their ids and digests. */
export function sealedRows(rows: Iterable<[string, Bytes]>): Sealed {
  const put = new Map(rows)
  return { put, digests: Object.fromEntries([...put].map(([id, blob]) => [id, digest(blob)])) }
}

export const nameOf = (
  anchor: { vaultId: string; practice: boolean },
  owner: string,
  kid: string,
  use: string,
): SealedName => ({
  vaultId: anchor.vaultId,
  practice: anchor.practice,
  owner,
  kid,
  use,
})

/**
 * What M custodians can do together, for the length of one act. It holds the combined secret; whoever made it calls
 * `drop` when the act is over.
 */
export class Quorum {
  readonly #quorum: QuorumSecret
  readonly #db: EncryptedDatabase
  readonly #anchor: Anchor
  readonly #state: VaultState

  constructor(quorum: QuorumSecret, db: EncryptedDatabase, anchor: Anchor, state: VaultState) {
    this.#quorum = quorum
    this.#db = db
    this.#anchor = anchor
    this.#state = state
  }

  /** Signs with the vault's root key. */
  async root(): Promise<StatementSigner> {
    const pkcs8 = this.#unseal(nameOf(this.#anchor, ROOT_OWNER, this.#anchor.key.kid, 'root'))
    const key = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' })
    wipe(pkcs8)
    return statementSigner(this.#anchor.key.kid, key)
  }

  /** Seals a new tenant key. The caller wipes `pkcs8`. */
  seal(tenant: string, kid: string, spec: string, pkcs8: Uint8Array): Sealed {
    const { key, wrap } = sealKey(this.#quorum, nameOf(this.#anchor, tenant, kid, spec), pkcs8)
    return sealedRows([
      [keyRow(kid), key],
      [wrapRow(kid), wrap],
    ])
  }

  /** Opens a tenant key for export. The caller wipes it. Codes `key-unknown`, `tombstone-hit`, `decryption-failed`. */
  unseal(kid: string): Bytes {
    const key = this.#state.keys.get(kid)
    must(key, 'key-unknown', `The vault has no key ${kid}.`)
    must(!this.#state.elsewhere.has(kid), 'tombstone-hit', `${key.label} was destroyed; it came back with a backup.`)
    return this.#unseal(nameOf(this.#anchor, key.tenant, kid, key.spec))
  }

  /** The wraps of every sealed key under a new quorum secret; the keys' own rows stay as they are. */
  rewrapAll(next: QuorumSecret): Sealed {
    const root = this.#anchor.key.kid
    const owned = [root, this.#state.successor].map((kid) =>
      nameOf(this.#anchor, ROOT_OWNER, kid, kid === root ? 'root' : 'successor'),
    )
    const keys = [...this.#state.keys.values()].filter((key) => !key.destroyed)
    const names = [...owned, ...keys.map((key) => nameOf(this.#anchor, key.tenant, key.kid, key.spec))]
    return sealedRows(
      names.map((name) => [wrapRow(name.kid), rewrap(name, this.#row(wrapRow(name.kid)), this.#quorum, next)]),
    )
  }

  /**
   * Opens the sealed successor for the day it takes over: both roots sign, the new root's rows are sealed as a root's, a
   * new successor is sealed, and the rows of the old root are to go.
   */
  async takeOver(successor: { kid: string; key: KeyObject }) {
    const [from, to] = [this.#anchor.key.kid, this.#state.successor]
    const named = (kid: string, use: string) => nameOf(this.#anchor, ROOT_OWNER, kid, use)
    const opened = this.#unseal(named(to, 'successor'))
    const next = createPrivateKey({ key: Buffer.from(opened), format: 'der', type: 'pkcs8' })
    const made = successor.key.export({ format: 'der', type: 'pkcs8' })
    const owned: [string, string, Uint8Array][] = [
      [to, 'root', opened],
      [successor.kid, 'successor', made],
    ]
    const sealed = sealedRows(
      owned.flatMap(([kid, use, pkcs8]): [string, Bytes][] => {
        const rows = sealKey(this.#quorum, named(kid, use), pkcs8)
        return [
          [keyRow(kid), rows.key],
          [wrapRow(kid), rows.wrap],
        ]
      }),
    )
    wipe(opened)
    wipe(made)
    return {
      old: await this.root(),
      next: statementSigner(to, next),
      root: p256Public(createPublicKey(next)),
      sealed,
      removed: [keyRow(from), wrapRow(from)],
    }
  }

  drop(): void {
    wipe(this.#quorum.secret)
  }

  #unseal(name: SealedName): Bytes {
    return unsealKey(this.#quorum, name, { key: this.#row(keyRow(name.kid)), wrap: this.#row(wrapRow(name.kid)) })
  }

  #row(id: string): Uint8Array {
    const row = this.#db.prepare<[string], { blob: Buffer }>('SELECT blob FROM sealed WHERE id = ?').get(id)
    must(row, 'key-unknown', `The vault no longer holds ${id}.`)
    return row.blob
  }
}
