import { parentPort } from 'node:worker_threads'

/** Looks at the resident memory of the whole process every few milliseconds; told to end, it says how much it grew at most. */
const before = process.memoryUsage.rss()
let peak = before
setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss())
}, 5)
parentPort?.on('message', () => parentPort?.postMessage(Math.max(peak, process.memoryUsage.rss()) - before))
parentPort?.postMessage('ready')
