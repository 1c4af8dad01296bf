import { inTurns, median, medianRatio, type Row } from '../measure.ts'
import { type Fixture, say } from './fixture.ts'
import { serveKeyrite } from './keyrite.ts'
import { type Load, load } from './load.ts'
import { ALL_CORES, CORES, LOAD_CORES } from './processes.ts'

/** Two cores against one (quality.md). */
const TARGET = 1.8

/**
 * A process for each core against one process on one core. Where the load has no core of its own, it takes a part of
 * those that are measured: that part is counted out, and the row says so. The target is compared with requests for each
 * core that was left to the server, waiting included; what was seen as it stands, and processor time, is shown beside it.
 */
export async function twoCores(what: string, fixture: Fixture, seconds: number, rounds: number): Promise<Row[]> {
  const measure = `${what}, ${CORES} cores / one`
  if (CORES < 2) return [{ measure, figure: 'not measured: this machine has one core' }]
  const one = await serveKeyrite(fixture)
  const all = await serveKeyrite(fixture, CORES)
  try {
    if (all.processes < 2) return [{ measure, figure: 'not measured: the runtime serves in one process' }]
    const loads = await inTurns(
      rounds,
      {
        one: () => load(one, fixture.tokens, seconds, { cores: LOAD_CORES }),
        all: () => load(all, fixture.tokens, seconds, { cores: ALL_CORES }),
      },
      { onRound: (done) => say(`${what}, ${CORES} cores: round ${done} of ${rounds}`) },
    )
    const seen = medianRatio(rate(loads.all), rate(loads.one))
    const each = (of: readonly Load[]) => (median(of.map((load) => load.cpuEach)) * 1000).toFixed(0)
    const taken = median(loads.all.map((load) => load.loadCores))
    return [
      {
        measure,
        figure:
          `${median(rate(loads.all)).toFixed(0)}/s (one ${median(rate(loads.one)).toFixed(0)}/s): ${seen.toFixed(2)}x as seen, ` +
          `while the load took ${taken.toFixed(2)} of the ${CORES} cores; ratio with that counted out; ` +
          `${each(loads.all)} µs of processor each (one ${each(loads.one)} µs)`,
        ratio: medianRatio(loads.all.map(asIfLeftAlone), rate(loads.one)),
        target: (TARGET / 2) * CORES,
      },
    ]
  } finally {
    await Promise.all([one.stop(), all.stop()])
  }
}

const rate = (loads: readonly Load[]): number[] => loads.map((load) => load.perSecond)

/** Requests a second, had the load had cores of its own. */
const asIfLeftAlone = ({ perSecond, loadCores }: Load): number =>
  Number.isNaN(loadCores) ? perSecond : (perSecond * CORES) / (CORES - loadCores)
