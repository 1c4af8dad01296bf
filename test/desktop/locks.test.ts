import { EventEmitter } from 'node:events'
import type { Session, WebContents } from 'electron'
import { describe, expect, it } from 'vitest'
import { ORIGIN, START } from '../../electron/desktop/lockdown.ts'
import { lockContents, lockSession } from '../../electron/desktop/locks.ts'
import { createRefusals } from '../../electron/desktop/refusals.ts'

/** What Electron would call, called here: every handler is set, and does what lockdown.ts decides. */

type Handler = (...args: unknown[]) => unknown

/** Keeps whatever is set on it. */
class Fake extends EventEmitter {
  readonly set: Record<string, Handler> = {}
  readonly told: Record<string, unknown> = {}
  readonly webRequest = { onBeforeRequest: (handler: Handler) => this.keep('request', handler) }
  keep(name: string, handler: Handler) {
    this.set[name] = handler
  }
  note(name: string, value: unknown) {
    this.told[name] = value
  }
  setPermissionRequestHandler = (handler: Handler) => this.keep('permission', handler)
  setPermissionCheckHandler = (handler: Handler) => this.keep('check', handler)
  setDevicePermissionHandler = (handler: Handler) => this.keep('device', handler)
  setDisplayMediaRequestHandler = (handler: Handler) => this.keep('display', handler)
  setUSBProtectedClassesHandler = (handler: Handler) => this.keep('usb', handler)
  setBluetoothPairingHandler = (handler: Handler) => this.keep('bluetooth', handler)
  setWindowOpenHandler = (handler: Handler) => this.keep('window', handler)
  enableNetworkEmulation = (options: unknown) => this.note('network', options)
  setSpellCheckerEnabled = (on: boolean) => this.note('spelling', on)
  setWebRTCIPHandlingPolicy = (policy: string) => this.note('webrtc', policy)
  call(name: string, ...args: unknown[]): unknown {
    const handler = this.set[name]
    if (!handler) throw new Error(`no handler for ${name}`)
    return handler(...args)
  }
}

const answered = (fake: Fake, name: string, ...args: unknown[]): unknown[] => {
  const answers: unknown[] = []
  const at = args.indexOf('answer')
  fake.call(name, ...args.with(at, (answer: unknown) => answers.push(answer)))
  return answers
}

function lock(packaged = true) {
  const [fake, told] = [new Fake(), [] as string[]]
  const refusals = createRefusals((why) => told.push(why))
  const camera = { on: false }
  lockSession(fake as unknown as Session, { refusals, packaged, camera: () => camera.on })
  return { fake, told, refusals, camera }
}

describe('every session', () => {
  const ask = { requestingUrl: START, isMainFrame: true, mediaTypes: ['video'] }
  const check = { isMainFrame: true, mediaType: 'video' }

  it('denies permissions, and counts them', () => {
    const { fake, refusals } = lock()
    expect(answered(fake, 'permission', {}, 'geolocation', 'answer', ask)).toEqual([false])
    expect(answered(fake, 'permission', {}, 'media', 'answer', ask)).toEqual([false])
    expect(fake.call('check', {}, 'media', `${ORIGIN}/`, check)).toBe(false)
    expect(fake.call('check', null, 'notifications', '', { isMainFrame: false })).toBe(false)
    expect(refusals.counts().permission).toBe(2)
  })

  it('gives the camera, without sound, while it is on, and no longer', () => {
    const { fake, camera } = lock()
    camera.on = true
    expect(answered(fake, 'permission', {}, 'media', 'answer', ask)).toEqual([true])
    expect(fake.call('check', {}, 'media', `${ORIGIN}/`, check)).toBe(true)
    expect(answered(fake, 'permission', {}, 'media', 'answer', { ...ask, mediaTypes: ['audio'] })).toEqual([false])
    expect(answered(fake, 'permission', {}, 'media', 'answer', { ...ask, mediaTypes: undefined })).toEqual([false])
    expect(fake.call('check', {}, 'media', 'https://example.com', check)).toBe(false)
    camera.on = false
    expect(answered(fake, 'permission', {}, 'media', 'answer', ask)).toEqual([false])
  })

  it('denies devices, the screen, USB and Bluetooth', () => {
    const { fake, refusals } = lock()
    expect(fake.call('device', {})).toBe(false)
    expect(answered(fake, 'display', {}, 'answer')).toEqual([null])
    expect(fake.call('usb', { protectedClasses: ['hid', 'video'] })).toEqual(['hid', 'video'])
    expect(answered(fake, 'bluetooth', {}, 'answer')).toEqual([{ confirmed: false }])
    expect(refusals.counts().device).toBe(2)
  })

  it('cancels every request but those for our own files', () => {
    const { fake, refusals } = lock()
    expect(answered(fake, 'request', { url: START }, 'answer')).toEqual([{ cancel: false }])
    expect(answered(fake, 'request', { url: 'https://example.com/' }, 'answer')).toEqual([{ cancel: true }])
    expect(refusals.counts().request).toBe(1)
  })

  it('cancels downloads, is offline and spells nothing', () => {
    const { fake, refusals } = lock()
    const seen: string[] = []
    fake.emit(
      'will-download',
      { preventDefault: () => seen.push('prevented') },
      { cancel: () => seen.push('cancelled') },
    )
    expect(seen).toEqual(['prevented', 'cancelled'])
    expect(refusals.counts().download).toBe(1)
    expect(fake.told).toEqual({ network: { offline: true }, spelling: false })
  })
})

describe('every page', () => {
  it.each(['will-navigate', 'will-frame-navigate', 'will-redirect', 'will-attach-webview'])(
    '%s is prevented',
    (name) => {
      const fake = new Fake()
      const refusals = createRefusals(() => {})
      lockContents(fake as unknown as WebContents, refusals)
      let prevented = 0
      fake.emit(name, { preventDefault: () => prevented++, url: START })
      expect(prevented).toBe(1)
      expect(refusals.counts().navigation).toBe(1)
    },
  )

  it('opens no window, and WebRTC finds out no address', () => {
    const fake = new Fake()
    const refusals = createRefusals(() => {})
    lockContents(fake as unknown as WebContents, refusals)
    expect(fake.call('window', { url: START })).toEqual({ action: 'deny' })
    expect(refusals.counts().window).toBe(1)
    expect(fake.told['webrtc']).toBe('disable_non_proxied_udp')
  })
})

describe('what was refused is told', () => {
  it('once in words, then at every tenth power: a flood stays readable', () => {
    const { fake, told, refusals } = lock()
    for (let at = 0; at < 1500; at++) fake.call('device', {})
    expect(told).toHaveLength(4)
    expect(told[0]).toBe('A device or the screen was asked for and refused.')
    expect(told[3]).toMatch(/1000 times/)
    expect(refusals.counts()).toMatchObject({ device: 1500, window: 0 })
  })
})
