import { decodeProtectedHeader } from 'jose'
import { openRuntime } from '../../electron/issuer/runtime.ts'
import { count } from '../../shared/domain/plural.ts'
import { median, type Row } from '../measure.ts'
import { type Answer, ask, type Target } from './ask.ts'
import { fixtureOf, say } from './fixture.ts'
import { serveKeyrite } from './keyrite.ts'
import { ALL_CORES, CORES, SERVER_CORE } from './processes.ts'

/** New connections to each port at a time: they go to its processes in turn, so that each is among those asked. */
const EACH = 4 * CORES
const TENANTS = 10

/** From the order to stop signing with a key, given by another process, until no process that serves signs with it. */
export async function onlineEmergency(): Promise<Row[]> {
  const rows: Row[] = []
  for (const cores of CORES > 1 ? [SERVER_CORE, ALL_CORES] : [SERVER_CORE]) {
    const fixture = await fixtureOf(TENANTS)
    const served = await serveKeyrite(fixture, cores)
    const runtime = await openRuntime({ dir: served.dir })
    try {
      const times: number[] = []
      for (const target of fixture.tokens) {
        const tenant = target.path.split('/')[2] ?? ''
        const kid = kidOf((await ask(served.port, target)).body)
        const act = async () => void (await runtime.taint(tenant, kid, { withdraw: true, actor: 'benchmark' }))
        times.push(
          await effectMs([served.port], target, act, (answer) => answer.status !== 200 || kidOf(answer.body) !== kid),
        )
      }
      say(`emergency: ${times.length} keys tainted with ${served.processes} processes`)
      rows.push({
        measure: `taint by another process until nothing is signed, ${count(served.processes, 'process', 'processes')} serving`,
        figure: `${median(times).toFixed(0)} ms (at most ${Math.max(...times).toFixed(0)} ms), the order itself included`,
      })
    } finally {
      await runtime.close()
      await served.stop()
    }
  }
  return rows
}

const kidOf = (body: string): string =>
  decodeProtectedHeader((JSON.parse(body) as { access_token: string }).access_token).kid ?? ''

const PATIENCE_MS = 60_000

/** Milliseconds from the start of `act` until every process behind `ports` answers as `shows` wants. Throws after a minute. */
export async function effectMs(
  ports: readonly number[],
  target: Target,
  act: () => Promise<void>,
  shows: (answer: Answer) => boolean,
): Promise<number> {
  const start = performance.now()
  await act()
  const asked = ports.flatMap((port) => Array.from({ length: EACH }, () => port))
  for (;;) {
    const answers = await Promise.all(asked.map((port) => ask(port, target, { fresh: true })))
    const passed = performance.now() - start
    if (answers.every(shows)) return passed
    if (passed > PATIENCE_MS) throw new Error(`no effect after ${PATIENCE_MS} ms`)
  }
}
