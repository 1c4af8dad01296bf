import chromium from '@sparticuz/chromium'
import { ensureBuilt } from '../electron/loopback/checkout.ts'

/** What many test files need and must not make at the same time: the built window, and the browser on the disk. */
export async function setup(): Promise<void> {
  await ensureBuilt('window', (line) => process.stderr.write(`${line}\n`))
  await chromium.executablePath()
}
