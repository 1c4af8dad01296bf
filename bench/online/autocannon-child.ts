import { readFileSync } from 'node:fs'
import autocannon from 'autocannon'
import type { Target } from './ask.ts'
import type { Counted } from './load.ts'

/** One round of load in a process of its own; prints as JSON what was counted. */
type Asked = { port: number; targets: Target[]; seconds: number; connections: number }
const { port, targets, seconds, connections } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Asked

const all = targets.map((target) => ({ ...target, headers: { ...target.headers } }))
/** Each connection takes a share of its own where there are enough, so that all targets are met. */
const share = Math.floor(all.length / connections)
let connected = 0

const { requests, duration, latency, errors, timeouts, non2xx } = await autocannon({
  url: `http://127.0.0.1:${port}`,
  connections,
  duration: seconds,
  requests: all.slice(0, 1),
  setupClient: (client) => {
    const from = connected++ * share
    client.setRequests(share === 0 ? all : all.slice(from, from + share))
  },
})
const counted: Counted = {
  requests: requests.total,
  seconds: duration,
  p50: latency.p50,
  p99: latency.p99,
  failed: errors + timeouts + non2xx,
}
process.stdout.write(JSON.stringify(counted))
