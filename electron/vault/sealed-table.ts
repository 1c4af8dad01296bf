import { digest } from '../../shared/formats/bytes.ts'

/**
 * Row id -> digest of the sealed blobs, kept in order beside: a long history asks for the digest of the whole table at
 * every checkpoint, and only what changed since is sorted.
 */
export class SealedTable extends Map<string, string> {
  #touched = new Set<string>()
  /** Ids in order, and the canonical JSON of each with its digest. */
  #sorted: { ids: string[]; rows: string[] } = { ids: [], rows: [] }
  /** Of the rows in order; most checkpoints come where nothing was sealed. */
  #digest: string | null = null

  override set(id: string, blobDigest: string): this {
    this.#touched.add(id)
    return super.set(id, blobDigest)
  }

  override delete(id: string): boolean {
    this.#touched.add(id)
    return super.delete(id)
  }

  /** One digest for the whole table: the canonical JSON (RFC 8785) of ids and digests, in order. */
  digest(): string {
    if (this.#touched.size > 0) {
      this.#sorted = this.#merged([...this.#touched].sort())
      this.#digest = null
    }
    this.#touched.clear()
    this.#digest ??= digest(`[${this.#sorted.rows.join(',')}]`)
    return this.#digest
  }

  #merged(touched: readonly string[]) {
    const [ids, rows]: [string[], string[]] = [[], []]
    const before = this.#sorted
    let at = 0
    const keepUntil = (end: number) => {
      for (; at < end; at++) {
        ids.push(before.ids[at] ?? '')
        rows.push(before.rows[at] ?? '')
      }
    }
    for (const id of touched) {
      keepUntil(placeOf(id, before.ids, at))
      if (before.ids[at] === id) at++
      const blobDigest = this.get(id)
      if (blobDigest === undefined) continue
      ids.push(id)
      rows.push(JSON.stringify([id, blobDigest]))
    }
    keepUntil(before.ids.length)
    return { ids, rows }
  }
}

/** The first place from `start` whose id is not before this one. */
function placeOf(id: string, ids: readonly string[], start: number): number {
  let [low, high] = [start, ids.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((ids[middle] ?? '') < id) low = middle + 1
    else high = middle
  }
  return low
}

/** The same digest of any table, made once. */
export function sealedDigest(sealed: ReadonlyMap<string, string>): string {
  const table = new SealedTable()
  for (const [id, blobDigest] of sealed) table.set(id, blobDigest)
  return table.digest()
}
