import type { Memory } from './keyrite.ts'

/** Loaded before the program that is measured: says on request how much memory lives after a collection. */
process.on('message', () => {
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  const said: Memory = { heap: heapUsed + external, resident: rss }
  process.send?.(said)
})
// The program ends when it wants to, not when its parent does.
process.channel?.unref()
