import { rmSync } from 'node:fs'
import { median, medianRatio, type Row } from '../measure.ts'
import { handoffOf, type Imported, importInto, say } from './fixture.ts'
import type { Handoff } from './handoff.ts'
import { ALL_CORES, SERVER_CORE, script, temporary, UNBOUND } from './processes.ts'
import type { Raw } from './raw-import-child.ts'

const MANY = 10_000
const FEW = 1000
const ROUNDS = 2

/** Importing a bundle with its material against nothing but its raw work, both on one core; and that memory does not grow. */
export async function onlineImport(): Promise<Row[]> {
  const [few, many] = [await handoffOf(FEW), await handoffOf(MANY)]
  const small = await importing(few, SERVER_CORE)
  const raw: Raw[] = []
  const one: Imported[] = []
  const all: Imported[] = []
  for (let round = 1; round <= ROUNDS; round++) {
    raw.push(await rawWork(many))
    one.push(await importing(many, SERVER_CORE))
    all.push(await importing(many, ALL_CORES))
    say(`import: round ${round} of ${ROUNDS}`)
  }
  return [...speedRows(raw, one, all), memoryRow(small, one)]
}

async function rawWork({ bundle, root, keys }: Handoff): Promise<Raw> {
  const folder = temporary('raw')
  const said = await script<Raw>(SERVER_CORE, 'raw-import-child.ts', folder, bundle, JSON.stringify(root), String(keys))
  rmSync(folder, { recursive: true })
  return said
}

async function importing(handoff: Handoff, cores: readonly number[]): Promise<Imported> {
  const { dir, imported } = await importInto(handoff, cores)
  rmSync(dir, { recursive: true })
  return imported
}

function speedRows(raw: readonly Raw[], one: readonly Imported[], all: readonly Imported[]): Row[] {
  const work = raw.map(({ verifyMs, decryptMs, insertMs }) => verifyMs + decryptMs + insertMs)
  const times = (of: readonly Imported[]) => of.map(({ ms }) => ms)
  const of = (each: keyof Raw) => median(raw.map((round) => round[each]))
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
  const byCpu = medianRatio(
    raw.map(({ cpuMs }) => cpuMs),
    one.map(({ cpuMs }) => cpuMs),
  )
  return [
    {
      measure: `import of ${MANY} tenants, one core: raw verify, decrypt and insert / import`,
      figure:
        `${seconds(median(times(one)))} (raw: ${of('signatures')} signatures ${seconds(of('verifyMs'))}, ` +
        `sealed keys ${seconds(of('decryptMs'))}, rows ${seconds(of('insertMs'))}); by processor time ${byCpu.toFixed(2)}${UNBOUND}`,
      ratio: medianRatio(work, times(one)),
      target: 0.7,
    },
    {
      measure: `import of ${MANY} tenants, ${ALL_CORES.length} cores: the same raw work on one core / import`,
      figure: seconds(median(times(all))),
      ratio: medianRatio(work, times(all)),
    },
  ]
}

/** Constant memory: ten times the tenants may take a quarter more at most, which is how collections vary. */
function memoryRow(small: Imported, imported: readonly Imported[]): Row {
  const most = Math.max(...imported.map(({ resident }) => resident))
  const MB = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(0)} MB`
  return {
    measure: `import, one core: most memory at ${FEW} tenants / at ${MANY}`,
    figure: `${MB(small.resident)} and ${MB(most)} resident`,
    ratio: small.resident / most,
    target: 0.8,
  }
}
