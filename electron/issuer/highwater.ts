import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { KeyriteError, must } from '../../shared/errors.ts'
import { digestSchema, instantSchema } from '../../shared/formats/common.ts'
import { canonicalText, KB, parseAs, parseJson } from '../../shared/formats/json.ts'
import { readFileGuarded } from '../files/read.ts'
import { replaceFile } from '../files/write.ts'
import type { Awaited } from './keeping/awaited.ts'
import { lastOf, type SecondPlace } from './keeping/second-place.ts'
import type { ReceiptChain } from './receipt-chain.ts'
import type { Reader, Store } from './store/store.ts'

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
type Highwater = z.infer<typeof schema>

/** Writes the mark of what the store holds now. */
export async function writeHighwater(dir: string, store: Store, receipts: ReceiptChain): Promise<void> {
  const bundle = await store.bundle()
  const head = await receipts.head()
  const awaited = await store.meta<Awaited>('awaited')
  const mark = {
    number: Math.max(bundle?.number ?? 0, awaited?.number ?? 0),
    head: awaited && awaited.number > (bundle?.number ?? 0) ? awaited.manifest : (bundle?.head ?? null),
    receiptSeq: head?.seq ?? 0,
    receiptHead: head?.digest ?? null,
    time: (await store.clock()).floor,
  }
  replaceFile(join(dir, FILE), `${canonicalText(mark)}\n`)
}

/**
 * Compares the store with the mark and with the second place, where there is one. A folder without a mark gets it anew
 * from a second place that the store is not behind of. Code `runtime-behind` when the store is older, or another story,
 * or nothing is there to show that it is the newest.
 */
export async function checkHighwater(
  dir: string,
  store: Store,
  receipts: ReceiptChain,
  place: SecondPlace | null = null,
): Promise<void> {
  const path = join(dir, FILE)
  const restored = (await store.meta('backup')) !== null
  const mark = existsSync(path)
    ? parseAs(schema, parseJson(readFileGuarded(path, 4 * KB), { maxBytes: 4 * KB }), FILE)
    : null
  if (mark) await mustReach(store, receipts, mark)
  const shown = place ? await checkPlace(place, store, receipts, mark !== null) : false
  must((mark || shown) && !restored, 'runtime-behind', 'Nothing shows that this store is the newest.', {
    hint: 'With a second place: "issuer catch-up --second-place FOLDER". Without one this runtime is over: make another with "issuer init", under an id of its own, and enroll it.',
  })
  if (!mark) await writeHighwater(dir, store, receipts)
}

/** Gives whether a journal was there to compare with. One that cannot be read is told of when it is next written. */
async function checkPlace(place: SecondPlace, store: Store, receipts: ReceiptChain, marked: boolean): Promise<boolean> {
  const reached = await place.reached(store).catch((cause: Error) => {
    if (marked) return null
    throw new KeyriteError(
      'runtime-behind',
      `${FILE} is missing, and the second place does not help: ${cause.message}`,
      {
        hint: 'Put the second place right, then start again.',
        cause,
      },
    )
  })
  if (!reached) return false
  const { seq, digest } = lastOf(reached)
  const { number, head, clock } = reached.mark ?? { number: 0, head: null, clock: { floor: 0 } }
  await mustReach(store, receipts, { number, head, receiptSeq: seq, receiptHead: digest, time: clock.floor })
  return true
}

async function mustReach(store: Reader, receipts: ReceiptChain, mark: Highwater): Promise<void> {
  const behind = (what: string) => `The store is behind what this runtime last did: ${what}.`
  const options = { hint: 'Bring it up to date from the second place: "issuer catch-up --second-place FOLDER".' }
  const has = (await receipts.head())?.seq ?? 0
  const missing =
    has + 1 < mark.receiptSeq ? `receipts ${has + 1} to ${mark.receiptSeq} are` : `receipt ${mark.receiptSeq} is`
  must(has >= mark.receiptSeq, 'runtime-behind', behind(`${missing} missing`), options)
  const sameChain = mark.receiptSeq === 0 || (await receipts.digestAt(mark.receiptSeq)) === mark.receiptHead
  must(sameChain, 'runtime-behind', behind(`receipt ${mark.receiptSeq} is another`))
  const bundle = await store.bundle()
  const awaited = await store.meta<Awaited>('awaited')
  const here = { number: bundle?.number ?? 0, head: bundle?.head ?? null }
  const { number, head } = awaited && awaited.number > here.number ? { ...awaited, head: awaited.manifest } : here
  must(
    number >= mark.number,
    'runtime-behind',
    behind(`bundle ${mark.number} was imported, the store has ${number}`),
    options,
  )
  must(number !== mark.number || head === mark.head, 'runtime-behind', behind(`it holds another bundle ${number}`))
  must((await store.clock()).floor >= mark.time, 'runtime-behind', behind('its time is earlier'), options)
}
