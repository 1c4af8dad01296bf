import { describe, expect, it, vi } from 'vitest'
import { type Caller, type Frame, ipcHandler, MAX_CALL } from '../../electron/desktop/ipc.ts'
import { ORIGIN, PRINT_URL, START } from '../../electron/desktop/lockdown.ts'
import { createRefusals } from '../../electron/desktop/refusals.ts'
import type { Outcome } from '../../shared/contract/contract.ts'

/** Fault 26: IPC calls from a wrong frame, origin or page, huge, or of an unknown method [refused, recorded]. */

function border(window: object | null = {}) {
  const calls: [string, unknown][] = []
  const told: string[] = []
  const refusals = createRefusals((why) => told.push(why))
  const call = async (method: string, input: unknown): Promise<Outcome> => {
    calls.push([method, input])
    return { ok: true, value: 'answered' }
  }
  const handle = ipcHandler({ expected: () => window, call, refusals })
  const frame: Frame = { parent: null, url: START, origin: ORIGIN }
  const caller: Caller = { sender: window ?? {}, senderFrame: frame }
  return { handle, calls, told, refusals, frame, caller }
}

describe('the one way from the screens to the engine', () => {
  it('a call of our own top frame is answered', async () => {
    const { handle, calls, caller, refusals } = border()
    expect(await handle(caller, 'hello', {})).toEqual({ ok: true, value: 'answered' })
    expect(calls).toEqual([['hello', {}]])
    expect(Object.values(refusals.counts()).every((count) => count === 0)).toBe(true)
  })

  it.each<[string, (usual: Caller & { frame: Frame }) => Caller]>([
    ['another page', ({ senderFrame }) => ({ sender: {}, senderFrame })],
    ['a frame that is gone', ({ sender }) => ({ sender, senderFrame: null })],
    ['a frame within the page', ({ sender, frame }) => ({ sender, senderFrame: { ...frame, parent: {} } })],
    ['another origin', ({ sender, frame }) => ({ sender, senderFrame: { ...frame, origin: 'https://example.com' } })],
    ['an opaque origin', ({ sender, frame }) => ({ sender, senderFrame: { ...frame, origin: 'null' } })],
    ['a page to print', ({ sender, frame }) => ({ sender, senderFrame: { ...frame, url: PRINT_URL } })],
    ['about:blank', ({ sender, frame }) => ({ sender, senderFrame: { ...frame, url: 'about:blank' } })],
    ['a file', ({ sender, frame }) => ({ sender, senderFrame: { ...frame, url: 'file:///app/index.html' } })],
    ['a host that begins alike', ({ sender, frame }) => ({ sender, senderFrame: { ...frame, url: `${ORIGIN}x/` } })],
  ])('a call from %s is refused and recorded', async (_, change) => {
    const { handle, calls, told, refusals, caller, frame } = border()
    const outcome = await handle(change({ ...caller, frame }), 'hello', {})
    expect(outcome).toMatchObject({ ok: false, error: { code: 'usage-invalid' } })
    expect(calls).toEqual([])
    expect(refusals.counts()['call-from-elsewhere']).toBe(1)
    expect(told).toEqual(['A call that did not come from the screens was refused.'])
  })

  it('a call before there is a window is refused', async () => {
    const { handle, caller, calls } = border(null)
    expect(await handle(caller, 'hello', {})).toMatchObject({ ok: false })
    expect(calls).toEqual([])
  })

  it.each([
    ['open'],
    ['__proto__'],
    ['constructor'],
    ['toString'],
    [''],
    [null],
    [7],
    [['hello']],
    [{ toString: 'hello' }],
  ])('the method %j is unknown', async (method) => {
    const { handle, caller, calls, refusals } = border()
    expect(await handle(caller, method, {})).toMatchObject({ ok: false, error: { code: 'usage-invalid' } })
    expect(calls).toEqual([])
    expect(refusals.counts()['call-unknown']).toBe(1)
  })

  it('what is larger than anything Keyrite takes, or is no JSON, is refused unread', async () => {
    const { handle, caller, calls, refusals } = border()
    const loop: { itself?: object } = {}
    loop.itself = loop
    for (const input of ['x'.repeat(MAX_CALL), loop, { big: 10n }])
      expect(await handle(caller, 'loadPlan', input)).toMatchObject({ ok: false, error: { code: 'usage-invalid' } })
    expect(calls).toEqual([])
    expect(refusals.counts()['call-too-large']).toBe(3)
    expect(await handle(caller, 'loadPlan', 'x'.repeat(MAX_CALL - 2))).toMatchObject({ ok: true })
  })

  it.each([
    ['bytes', () => new Uint8Array(64 * 1024 * 1024)],
    ['a buffer', () => ({ deep: [new ArrayBuffer(64 * 1024 * 1024)] })],
    ['an array with nothing in it', () => new Array(2 ** 31)],
    ['a map', () => new Map([['a', 1]])],
    ['a date', () => new Date()],
  ])('%s: refused at once, and never written out as text', async (_, make) => {
    const { handle, caller, calls, refusals } = border()
    const written = vi.spyOn(JSON, 'stringify')
    const before = performance.now()
    const outcome = await handle(caller, 'loadPlan', make())
    const took = performance.now() - before
    expect(written).not.toHaveBeenCalled()
    written.mockRestore()
    expect(outcome).toMatchObject({ ok: false, error: { code: 'usage-invalid' } })
    expect(calls).toEqual([])
    expect(refusals.counts()['call-too-large']).toBe(1)
    expect(took).toBeLessThan(1_000)
  })

  it('every plain value that the contract knows passes', async () => {
    const { handle, caller } = border()
    const input = { text: 'a', none: null, on: true, many: [1, { deep: [] }], missing: undefined }
    expect(await handle(caller, 'loadPlan', input)).toMatchObject({ ok: true })
    expect(await handle(caller, 'loadPlan', undefined)).toMatchObject({ ok: true })
  })

  it('a refusal says nothing of what was sent', async () => {
    const { handle, caller, told } = border()
    const outcome = await handle(caller, 'a secret', { passphrase: 'another secret' })
    expect(JSON.stringify(outcome) + told.join()).not.toContain('secret')
  })
})
