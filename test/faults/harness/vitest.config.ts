import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** Hours of faults, outside "npm test". */
export default defineConfig({
  root: fileURLToPath(new URL('../../../', import.meta.url)),
  test: { include: ['test/faults/harness/every-kill.ts'], pool: 'forks', maxWorkers: 1, hookTimeout: 120_000 },
})
