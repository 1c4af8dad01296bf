import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** Forks, because the encrypted database and the workers of Argon2id are native; four of them are fastest on two cores. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 4,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 10_000,
    // Processes that tests start compile the same modules over and over: this halves their start.
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('node_modules/.cache/compile', import.meta.url)) },
    reporters: ['default', './test/totals-reporter.ts'],
  },
})
