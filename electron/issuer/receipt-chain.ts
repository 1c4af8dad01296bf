import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { must } from '../../shared/errors.ts'
import { digest, wipe } from '../../shared/formats/bytes.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import { type Ed25519Jwk, ed25519JwkSchema } from '../../shared/formats/jws.ts'
import { checkedReceipt, type ReceiptSigner, type Stated, signReceipt } from '../../shared/formats/receipt.ts'
import type { Sealer } from './sealing.ts'
import type { Reader, Store, Writer } from './store/store.ts'

/** The chain of what this runtime states: each receipt is made inside the transaction that it reports. */

export type ReceiptHead = { seq: number; digest: string }

export class ReceiptChain {
  readonly #store: Store
  readonly #signer: ReceiptSigner
  readonly #runtimeId: string
  readonly #practice: boolean

  constructor(store: Store, signer: ReceiptSigner, { runtimeId, practice }: { runtimeId: string; practice: boolean }) {
    this.#store = store
    this.#signer = signer
    this.#runtimeId = runtimeId
    this.#practice = practice
  }

  /** Appends one receipt within a change, so that no other process appends between, and a refusal undoes all. */
  async append(tx: Writer, at: number, stated: Stated): Promise<void> {
    const head = await this.head(tx)
    const seq = (head?.seq ?? 0) + 1
    const receipt = checkedReceipt({ runtimeId: this.#runtimeId, seq, prev: head?.digest ?? null, at, stated })
    const jws = signReceipt(receipt, this.#practice, this.#signer)
    await tx.run('INSERT INTO receipts (seq, jws) VALUES (?, ?)', receipt.seq, jws)
  }

  async head(from: Reader = this.#store): Promise<ReceiptHead | null> {
    const last = await from.get<Row>('SELECT seq, jws FROM receipts ORDER BY seq DESC LIMIT 1')
    return last ? { seq: last.seq, digest: digest(last.jws) } : null
  }

  /** The newest receipt, if its number is `from` or greater. */
  async last(store: Reader, from: number): Promise<string | null> {
    const sql = 'SELECT seq, jws FROM receipts WHERE seq >= ? ORDER BY seq DESC LIMIT 1'
    return (await store.get<Row>(sql, from))?.jws ?? null
  }

  /** The digest of one receipt, null when there is none with this number. */
  async digestAt(seq: number): Promise<string | null> {
    const line = await this.lineAt(seq)
    return line === null ? null : digest(line)
  }

  /** One receipt, null when there is none with this number. */
  async lineAt(seq: number): Promise<string | null> {
    return (await this.#store.get<Row>('SELECT seq, jws FROM receipts WHERE seq = ?', seq))?.jws ?? null
  }

  /** The signed lines after `seq`, in order. */
  async *linesAfter(seq: number): AsyncGenerator<string> {
    for (let after = seq; ; ) {
      const page = await this.#store.all<Row>(
        'SELECT seq, jws FROM receipts WHERE seq > ? ORDER BY seq LIMIT 500',
        after,
      )
      for (const row of page) yield row.jws
      const last = page.at(-1)
      if (!last) return
      after = last.seq
    }
  }
}

type Row = { seq: number; jws: string }

/** The receipt key of the runtime, from its row. Codes `store-damaged`, `decryption-failed`. */
export async function openReceiptSigner(store: Reader, sealer: Sealer): Promise<ReceiptSigner> {
  const row = await store.get<{ kid: string; sealed: Uint8Array }>(
    "SELECT kid, sealed FROM own_keys WHERE use = 'receipt'",
  )
  must(row, 'store-damaged', 'The runtime store holds no receipt key.')
  const pkcs8 = sealer.openOwn(row.kid, row.sealed)
  const key = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' })
  wipe(pkcs8)
  return receiptSigner(key)
}

export function receiptSigner(key: KeyObject): ReceiptSigner & { jwk: Ed25519Jwk } {
  const jwk = ed25519JwkSchema.parse(createPublicKey(key).export({ format: 'jwk' }))
  return { kid: thumbprint(jwk), jwk, sign: (input) => sign(null, input, key) }
}
