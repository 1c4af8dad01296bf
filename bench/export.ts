import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Exported } from './export-child.ts'
import type { Row } from './measure.ts'

const MB = 1024 * 1024

/**
 * Exporting a fleet: every slot of every tenant signed by the root, every private key sealed. Memory is constant when ten
 * times the tenants need no more than a tenth more of it beyond what the tenants themselves take.
 */
export async function exporting(tenants: number): Promise<Row[]> {
  const [few, many] = [await child(Math.round(tenants / 10)), await child(tenants)]
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
  const growth = ({ peak, before }: Exported) => peak - before
  return [
    {
      measure: `export of ${tenants} tenants: the bundle, ${many.signatures} signed key sets`,
      figure: `${seconds(many.bundleMs)}, file ${(many.bundleBytes / MB).toFixed(0)} MB`,
    },
    {
      measure: `export of ${tenants} tenants: the material, ${many.keys} sealed keys`,
      figure: `${seconds(many.materialMs)}, file ${(many.materialBytes / MB).toFixed(0)} MB`,
    },
    {
      measure: `export: peak memory beyond the tenants themselves, ${tenants / 10} tenants / ${tenants} tenants`,
      figure: `${(growth(few) / MB).toFixed(0)} MB / ${(growth(many) / MB).toFixed(0)} MB (in all ${(many.peak / MB).toFixed(0)} MB)`,
      ratio: growth(few) / growth(many),
      target: 0.5,
    },
  ]
}

async function child(tenants: number): Promise<Exported> {
  const script = fileURLToPath(new URL('./export-child.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', script, String(tenants)])
  return JSON.parse(stdout) as Exported
}
