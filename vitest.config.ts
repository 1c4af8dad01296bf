import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** The one suite that both kinds of store must pass. */
const ON_POSTGRES = [
  'test/issuer/{backup,effect,import,issuance,lifecycle,removed,revocation,second-place,storage-key,store,taint}.test.ts',
  'test/faults/fault-{14,15,20,23}-*.test.ts',
  'test/faults/fault-{22-imports,32-restored-runtime}.test.ts',
]

/** Forks, because the encrypted database and the workers of Argon2id are native; four of them are fastest on two cores. */
export default defineConfig({
  test: {
    // Everything once; and what a runtime does with its store a second time, on PostgreSQL.
    projects: [
      { extends: true, test: { name: 'all', include: ['test/**/*.test.ts'], globalSetup: ['test/global-setup.ts'] } },
      {
        extends: true,
        test: {
          name: 'postgres',
          include: ON_POSTGRES,
          globalSetup: ['test/issuer/postgres-setup.ts'],
          setupFiles: ['test/issuer/postgres-or-skip.ts'],
        },
      },
    ],
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
