import { expect, it } from 'vitest'
import { postgresProgram } from './postgres-program.ts'

it('the programs of PostgreSQL leave the exit status of the tests alone', async () => {
  const listeners = () => ['beforeExit', 'exit'].map((event) => process.listenerCount(event))
  const before = listeners()
  const { discard } = await postgresProgram()
  discard()
  expect(listeners()).toEqual(before)
})
