import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Exported } from './export-child.ts'
import type { Row } from './measure.ts'

const MB = 1024 * 1024

/**
 * Exporting a fleet: every slot of every tenant signed by the root, every private key sealed. Memory is constant: what
 * stays of a line once it is written is its name, far less than a tenth of it.
 */
export async function exporting(tenants: number): Promise<Row[]> {
  const { bundleMs, materialMs, bundleBytes, materialBytes, signatures, keys, peak, grown } = await child(tenants)
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
  const size = (bytes: number) => `${(bytes / MB).toFixed(0)} MB`
  return [
    {
      measure: `export of ${tenants} tenants: the bundle, ${signatures} signed key sets`,
      figure: `${seconds(bundleMs)}, file ${size(bundleBytes)}`,
    },
    {
      measure: `export of ${tenants} tenants: the material, ${keys} sealed keys`,
      figure: `${seconds(materialMs)}, file ${size(materialBytes)}`,
    },
    {
      measure: 'export: bytes written / growth of live memory',
      figure: `live memory grew by ${size(grown)}; at most ${size(peak)} resident in all`,
      ratio: (bundleBytes + materialBytes) / Math.max(grown, 1),
      target: 10,
    },
  ]
}

async function child(tenants: number): Promise<Exported> {
  const script = fileURLToPath(new URL('./export-child.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', script, String(tenants)])
  return JSON.parse(stdout) as Exported
}
