import { inTurns, median, medianRatio, type Row } from '../measure.ts'
import { type Fixture, say } from './fixture.ts'
import { serveKeyrite } from './keyrite.ts'
import { type Load, load, perSecond, rates } from './load.ts'
import { ALL_CORES, CORES, LOAD_CORES } from './processes.ts'

/** Two cores against one (quality.md). */
const TARGET = 1.8
const TWO = [0, 1]
/** The load has cores of its own where there are more than two. */
const REST = CORES > 2 ? ALL_CORES.slice(2) : ALL_CORES

/**
 * Two processes on two cores against one process on one. On a machine with two cores the load takes a part of those that
 * are measured. Where neither stood still, that part is counted out: the target is compared with requests for each core
 * that was left to the server. What was seen as it stands is shown beside it.
 */
export async function twoCores(what: string, fixture: Fixture, seconds: number, rounds: number): Promise<Row[]> {
  const measure = `${what}, two cores / one`
  if (CORES < 2) return [{ measure, figure: 'not measured: this machine has one core' }]
  const one = await serveKeyrite(fixture)
  const all = await serveKeyrite(fixture, TWO)
  try {
    if (all.processes < 2) return [{ measure, figure: 'not measured: the runtime serves in one process' }]
    const loads = await inTurns(
      rounds,
      {
        one: () => load(one, fixture.tokens, seconds, { on: LOAD_CORES }),
        all: () => load(all, fixture.tokens, seconds, { on: REST }),
      },
      { onRound: (done) => say(`${what}, two cores: round ${done} of ${rounds}`) },
    )
    const seen = medianRatio(perSecond(loads.all), perSecond(loads.one))
    const ratio = medianRatio(loads.all.map(asIfLeftAlone), perSecond(loads.one))
    const taken = median(loads.all.map((load) => load.loadCores))
    const counted = ratio === seen ? 'which took nothing away' : 'counted out in the ratio'
    return [
      {
        measure,
        figure:
          `${rates(loads.all)} (one: ${rates(loads.one)}); ${seen.toFixed(2)}x as seen` +
          (CORES > TWO.length ? '' : `, the load on ${taken.toFixed(2)} of the same cores, ${counted}`),
        ratio,
        target: TARGET,
      },
    ]
  } finally {
    await Promise.all([one.stop(), all.stop()])
  }
}

/** With more of the two cores idle than this, the load took nothing that the server could have used. */
const IDLE = 0.2

/** Requests a second, had the load had cores of its own. */
function asIfLeftAlone({ perSecond, cores, loadCores }: Load): number {
  const took = CORES === TWO.length && TWO.length - cores - loadCores < IDLE
  return took ? (perSecond * TWO.length) / (TWO.length - loadCores) : perSecond
}
