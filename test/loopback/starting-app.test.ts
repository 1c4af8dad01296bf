import { describe, expect, it } from 'vitest'
import type { App } from '../../electron/app/app.ts'
import { startingApp } from '../../electron/loopback/starting-app.ts'
import type { Notice } from '../../shared/contract/contract.ts'
import { KeyriteError } from '../../shared/errors.ts'
import { testApp } from './world.ts'

describe('an app that is still being made', () => {
  const notice: Notice = { tell: 'sitting', sitting: null }

  it('answers calls, in order, once it is made; notices reach whoever subscribed before', async () => {
    const making = Promise.withResolvers<App>()
    const app = startingApp(making.promise)
    const told: Notice[] = []
    const stop = app.subscribe((one) => told.push(one))
    const calls = Promise.all([app.call('hello', {}), app.call('machine', {})])
    const made = testApp()
    making.resolve(made)
    expect(await calls).toEqual([
      { ok: true, value: { method: 'hello', input: {} } },
      { ok: true, value: { method: 'machine', input: {} } },
    ])
    expect(made.calls.map(({ method }) => method)).toEqual(['hello', 'machine'])
    made.tell(notice)
    stop()
    made.tell(notice)
    expect(told).toEqual([notice])
  })

  it('closed before it is made: it is closed as soon as it is', async () => {
    const making = Promise.withResolvers<App>()
    const app = startingApp(making.promise)
    const closed = app.close()
    const made = testApp()
    making.resolve(made)
    await closed
    expect(made.closed()).toBe(true)
  })

  it('that cannot be made: calls fail with the reason, and closing it does not', async () => {
    const app = startingApp(Promise.reject(new KeyriteError('self-test-failed', 'RS256 does not work here.')))
    expect(await app.call('hello', {})).toMatchObject({
      ok: false,
      error: { code: 'self-test-failed', message: 'RS256 does not work here.' },
    })
    await app.close()
  })

  it('that fails in a way nobody foresaw: the reason stays out of the window', async () => {
    const app = startingApp(Promise.reject(new Error('canary')))
    const outcome = await app.call('hello', {})
    expect(outcome).toMatchObject({ ok: false, error: { code: 'internal' } })
    expect(JSON.stringify(outcome)).not.toContain('canary')
  })
})
