import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { must } from '../../shared/errors.ts'
import { digestSchema, instantSchema } from '../../shared/formats/common.ts'
import { canonicalText, KB, parseAs, parseJson } from '../../shared/formats/json.ts'
import { readFileGuarded } from '../files/read.ts'
import { replaceFile } from '../files/write.ts'
import type { ReceiptChain } from './receipt-chain.ts'
import type { Store } from './store/store.ts'

/** `highwater.json`: how far the store had come, kept outside of it, so that an older store is not taken for the newest. */

const FILE = 'highwater.json'

const schema = z.strictObject({
  number: z.int().min(0),
  head: digestSchema.nullable(),
  /** Grows for as long as the runtime lives. */
  receiptSeq: z.int().min(0),
  receiptHead: digestSchema.nullable(),
  time: instantSchema,
})

/** Writes the mark of what the store holds now. */
export async function writeHighwater(dir: string, store: Store, receipts: ReceiptChain): Promise<void> {
  const bundle = await store.bundle()
  const head = await receipts.head()
  const mark = {
    number: bundle?.number ?? 0,
    head: bundle?.head ?? null,
    receiptSeq: head?.seq ?? 0,
    receiptHead: head?.digest ?? null,
    time: (await store.clock()).floor,
  }
  replaceFile(join(dir, FILE), `${canonicalText(mark)}\n`)
}

/** Compares the store with the mark. Code `runtime-behind` when the store is older, or another story, or the mark is gone. */
export async function checkHighwater(dir: string, store: Store, receipts: ReceiptChain): Promise<void> {
  const path = join(dir, FILE)
  must(existsSync(path), 'runtime-behind', `${FILE} is missing: nothing shows that this store is the newest.`)
  const mark = parseAs(schema, parseJson(readFileGuarded(path, 4 * KB), { maxBytes: 4 * KB }), FILE)
  const bundle = await store.bundle()
  const behind = (what: string) => `The store is behind what this runtime last did: ${what}.`
  const number = bundle?.number ?? 0
  must(number >= mark.number, 'runtime-behind', behind(`bundle ${mark.number} was imported, the store has ${number}`))
  const sameBundle = number !== mark.number || (bundle?.head ?? null) === mark.head
  must(sameBundle, 'runtime-behind', behind(`it holds another bundle ${number}`))
  const sameChain = mark.receiptSeq === 0 || (await receipts.digestAt(mark.receiptSeq)) === mark.receiptHead
  must(sameChain, 'runtime-behind', behind(`receipt ${mark.receiptSeq} is missing or another`))
  must((await store.clock()).floor >= mark.time, 'runtime-behind', behind('its time is earlier'))
}
