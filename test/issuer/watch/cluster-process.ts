import cluster from 'node:cluster'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { metricsOfCluster, metricsOfWorker } from '../../../electron/issuer/watch/cluster.ts'
import { statusOf, tenantStatus } from './statuses.ts'

/** A primary with two workers; prints one scrape while both live and one after the first has died. */

if (cluster.isPrimary) {
  const look = () => ({ status: statusOf([tenantStatus('acme')]), facts: null, ready: true })
  const metrics = metricsOfCluster({ look })
  const [first, second] = [cluster.fork({ CLIENT: 'one' }), cluster.fork({ CLIENT: 'two' })]
  await Promise.all([first, second].map((worker) => once(worker, 'message')))
  await sleep(300)
  const both = await metrics.text()
  first.process.kill('SIGKILL')
  await once(first, 'exit')
  const one = await metrics.text()
  second.kill()
  metrics.stop()
  process.stdout.write(JSON.stringify({ both, one }))
} else {
  const metrics = metricsOfWorker({ flushEvery: 50 })
  for (let token = 0; token < 3; token++) metrics.issued('acme', process.env['CLIENT'] ?? '', 'ES256')
  metrics.issued('acme', 'shared', 'ES256')
  metrics.took('token', 0.001)
  setInterval(() => {}, 1000)
}
