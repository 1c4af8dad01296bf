import { openRuntime } from '../../electron/issuer/runtime.ts'
import type { Imported } from './fixture.ts'

/** Imports files into a runtime and prints as JSON what it took: time, processor time, and the most resident memory. */
const [dir = '', ...files] = process.argv.slice(2)
const runtime = await openRuntime({ dir })
const [before, start] = [process.cpuUsage(), performance.now()]
await runtime.importFiles(files)
const ms = performance.now() - start
const { user, system } = process.cpuUsage(before)
await runtime.close()
const imported: Imported = { ms, cpuMs: (user + system) / 1000, resident: process.resourceUsage().maxRSS * 1024 }
process.stdout.write(JSON.stringify(imported))
