import type { CDPSession, Page } from 'playwright-core'

/** The heap of a page's scripts, searched for words: within strings, and as neighbours in an array. */

export type Memory = {
  /** Every string that a script can still reach. */
  readonly strings: string
  /** Whether an array holds these words one after another, each as it is or within an element such as `<li>`. */
  holds(words: readonly string[]): boolean
}

type Snapshot = {
  snapshot: { meta: { node_fields: string[]; edge_fields: string[]; node_types: [string[]]; edge_types: [string[]] } }
  nodes: number[]
  edges: number[]
  strings: string[]
}
type Edge = { from: number; to: number; type: string; at: number }

/** How far a word may lie within an element: React's elements hold theirs two properties deep. */
const DEPTH = 4

/** Takes a snapshot after everything that nobody holds was collected. */
export async function memoryOf(page: Page): Promise<Memory> {
  const session: CDPSession = await page.context().newCDPSession(page)
  const chunks: string[] = []
  session.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => chunks.push(chunk))
  await session.send('HeapProfiler.enable')
  await session.send('HeapProfiler.collectGarbage')
  await session.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false })
  await session.detach()
  const heap = JSON.parse(chunks.join('')) as Snapshot
  const edges = edgesOf(heap)
  const arrays = Map.groupBy(
    edges.filter(({ type }) => type === 'element'),
    ({ from }) => from,
  )
  for (const items of arrays.values()) items.sort((one, other) => one.at - other.at)
  const holders = Map.groupBy(
    edges.filter(({ type }) => type === 'property'),
    ({ to }) => to,
  )
  return {
    strings: heap.strings.join('\n'),
    holds: (words) => {
      const near = words.map((word) => within(stringNodes(heap, word), holders))
      const from = (items: readonly Edge[], at: number) =>
        near.every((one, next) => one.has(items[at + next]?.to ?? -1))
      return [...arrays.values()].some((items) => items.some((_, at) => from(items, at)))
    },
  }
}

/** Every node by its number, with what it points to. */
function edgesOf({ snapshot: { meta }, nodes, edges }: Snapshot): Edge[] {
  const [width, counted] = [meta.node_fields.length, meta.node_fields.indexOf('edge_count')]
  const found: Edge[] = []
  let edge = 0
  for (let node = 0; node < nodes.length; node += width)
    for (let count = nodes[node + counted] ?? 0; count > 0; count--, edge += meta.edge_fields.length) {
      const [type = 0, at = 0, to = 0] = edges.slice(edge, edge + 3)
      found.push({ from: node, to, type: meta.edge_types[0][type] ?? '', at })
    }
  return found
}

function stringNodes({ snapshot: { meta }, nodes, strings }: Snapshot, word: string): Set<number> {
  const type = meta.node_types[0].indexOf('string')
  const width = meta.node_fields.length
  const found = new Set<number>()
  for (let node = 0; node < nodes.length; node += width)
    if (nodes[node] === type && strings[nodes[node + 1] ?? -1] === word) found.add(node)
  return found
}

/** These nodes, and whatever holds them as properties, or holds that. */
function within(nodes: ReadonlySet<number>, holders: ReadonlyMap<number, readonly Edge[]>): ReadonlySet<number> {
  const found = new Set(nodes)
  let edge = [...nodes]
  for (let depth = 0; depth < DEPTH; depth++) {
    edge = edge.flatMap((node) => (holders.get(node) ?? []).map(({ from }) => from)).filter((from) => !found.has(from))
    for (const node of edge) found.add(node)
  }
  return found
}
