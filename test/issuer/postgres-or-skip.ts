import { beforeEach, inject } from 'vitest'

/** Where no PostgreSQL starts, its tests say so instead of failing. */
beforeEach((context) => {
  const server = inject('postgres')
  if (!server || 'why' in server) context.skip(server?.why ?? 'no PostgreSQL was started')
})
