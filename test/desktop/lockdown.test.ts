import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ARIA_STYLE, PAGE_POLICY, PERMISSIONS_POLICY } from '../../electron/app/content-policy.ts'
import {
  type Asked,
  CSP,
  decidePermission,
  decideRequest,
  environmentOf,
  FUSES,
  headers,
  ORIGIN,
  originOf,
  PARTITION,
  PRINT_URL,
  printPreferences,
  SCHEMES,
  START,
  SWITCHES,
  webPreferences,
  windowOptions,
} from '../../electron/desktop/lockdown.ts'
import { menuTemplate } from '../../electron/desktop/menu.ts'

/** desktop.md, "Electron lockdown (each line is tested)". */

describe('pages', () => {
  const OFF = {
    nodeIntegration: false,
    nodeIntegrationInSubFrames: false,
    nodeIntegrationInWorker: false,
    webviewTag: false,
    plugins: false,
    spellcheck: false,
    navigateOnDragDrop: false,
    allowRunningInsecureContent: false,
    experimentalFeatures: false,
  }
  const ON = { contextIsolation: true, sandbox: true, webSecurity: true }

  it('contextIsolation, sandbox and webSecurity on; everything else off; developer tools only where not packaged', () => {
    expect(webPreferences('/preload.cjs', true)).toMatchObject({ ...ON, ...OFF, devTools: false })
    expect(webPreferences('/preload.cjs', false)).toMatchObject({ ...ON, ...OFF, devTools: true })
    expect(windowOptions('/preload.cjs', true).webPreferences).toEqual(webPreferences('/preload.cjs', true))
  })

  it('the window for printing runs nothing at all and has no preload', () => {
    const preferences = printPreferences('print-1')
    expect(preferences).toMatchObject({ ...ON, ...OFF, javascript: false, devTools: false, partition: 'print-1' })
    expect(preferences).not.toHaveProperty('preload')
  })

  it('nothing that a page stores reaches the disk: sessions are in memory', () => {
    expect(PARTITION).not.toMatch(/^persist:/)
    expect(webPreferences('/preload.cjs', true).partition).toBe(PARTITION)
  })

  it('the window works from 1280x720 and at 200 %', () => {
    const { minWidth = 0, minHeight = 0, show } = windowOptions('/preload.cjs', true)
    expect(minWidth).toBeLessThanOrEqual(640)
    expect(minHeight).toBeLessThanOrEqual(360)
    expect(show).toBe(false)
  })
})

describe('app:// and its policy', () => {
  it('is standard and secure and has no other privilege', () => {
    expect(SCHEMES).toEqual([{ scheme: 'app', privileges: { standard: true, secure: true } }])
  })

  it('the screens and the pages to print are of different origins', () => {
    expect(originOf(START)).toBe(ORIGIN)
    expect(originOf(PRINT_URL)).not.toBe(ORIGIN)
  })

  it('the policy is the one of the design, directive by directive', () => {
    expect(CSP.split('; ')).toEqual([
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self' 'sha256-38RhXrc7EdReTKsOm23ZPOCUgniTUUcjky8QOOrQx6o='",
      "img-src 'self' data:",
      "font-src 'self'",
      "connect-src 'none'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ])
  })

  it('the one style that it lets through is the one that the installed react-aria adds', () => {
    const module = new URL('../../node_modules/react-aria/dist/private/interactions/usePress.mjs', import.meta.url)
    const written = /style\.textContent = `([^`]*)`\.trim\(\)/.exec(readFileSync(module, 'utf8'))?.[1] ?? ''
    const style = written.replace(/\$\{\S+\}/, 'data-react-aria-pressable').trim()
    expect(style).toContain('touch-action')
    expect(ARIA_STYLE).toBe(`'sha256-${createHash('sha256').update(style).digest('base64')}'`)
  })

  it('a page to print can run and fetch nothing', () => {
    expect(PAGE_POLICY).toMatch(/^default-src 'none'; style-src 'unsafe-inline'; /)
    expect(PAGE_POLICY).toMatch(/; sandbox$/)
    expect(PAGE_POLICY).not.toMatch(/script-src|connect-src|img-src/)
  })

  it('every answer says its type, its policy, and that nobody keeps or embeds it', () => {
    expect(headers(CSP, 'text/css')).toMatchObject({
      'Content-Type': 'text/css',
      'Content-Security-Policy': CSP,
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      'Cache-Control': 'no-store',
      'Permissions-Policy': PERMISSIONS_POLICY,
    })
  })

  it('the camera is the one thing that a page may ask for, and only ours', () => {
    const [camera, ...others] = PERMISSIONS_POLICY.split(', ')
    expect(camera).toBe('camera=(self)')
    expect(others).toEqual(others.map((_other) => expect.stringMatching(/^[a-z-]+=\(\)$/)))
    for (const name of ['microphone', 'display-capture', 'geolocation', 'usb', 'serial', 'hid', 'midi'])
      expect(others).toContain(`${name}=()`)
  })
})

describe('permissions: everything is denied but the camera, while QR codes are read', () => {
  const asked: Asked = { permission: 'media', origin: `${ORIGIN}/`, isMainFrame: true, media: ['video'] }

  it('pictures for our own top frame, while the camera is on', () => {
    expect(decidePermission(asked, true)).toBe(true)
    expect(decidePermission({ ...asked, origin: START }, true)).toBe(true)
  })

  it.each<[string, Partial<Asked>, boolean]>([
    ['the camera is off', {}, false],
    ['sound is asked for', { media: ['audio'] }, true],
    ['sound is asked for too', { media: ['video', 'audio'] }, true],
    ['nothing is named', { media: [] }, true],
    ['an unknown medium is named', { media: ['unknown'] }, true],
    ['a frame within the page asks', { isMainFrame: false }, true],
    ['a page to print asks', { origin: PRINT_URL }, true],
    ['another origin asks', { origin: 'https://keyrite' }, true],
    ['an origin that begins alike asks', { origin: 'app://keyrite.example' }, true],
    ['an origin with a port asks', { origin: 'app://keyrite:1' }, true],
    ['nobody in particular asks', { origin: undefined }, true],
    ['rubbish asks', { origin: 'app' }, true],
  ])('denied when %s', (_, change, cameraOn) => {
    expect(decidePermission({ ...asked, ...change }, cameraOn)).toBe(false)
  })

  it.each([
    'geolocation',
    'notifications',
    'clipboard-read',
    'display-capture',
    'hid',
    'serial',
    'usb',
    'midi',
    'fileSystem',
    'openExternal',
    'fullscreen',
    'unknown',
  ])('%s is denied even then', (permission) => {
    expect(decidePermission({ ...asked, permission }, true)).toBe(false)
  })
})

describe('requests', () => {
  it.each([START, `${ORIGIN}/assets/index.js`, PRINT_URL])('%s is let through', (url) => {
    expect(decideRequest(url, true)).toBe(true)
  })

  it.each([
    'https://example.com/',
    'http://127.0.0.1:80/',
    'ws://127.0.0.1/',
    'wss://example.com/',
    'file:///etc/passwd',
    'ftp://example.com/',
    'chrome://gpu/',
    'apps://keyrite/',
    'blob:app://keyrite/0',
    'data:text/html,x',
    'javascript:alert(1)',
    'devtools://devtools/x',
    'app',
    '',
  ])('%s is cancelled', (url) => {
    expect(decideRequest(url, true)).toBe(false)
  })

  it('the developer tools load where the app is not packaged', () => {
    expect(decideRequest('devtools://devtools/bundled/x.js', false)).toBe(true)
    expect(decideRequest('https://example.com/', false)).toBe(false)
  })
})

describe('the program', () => {
  it('fuses: all of them, and as the design has them', () => {
    expect(FUSES).toEqual({
      RunAsNode: false,
      EnableNodeOptionsEnvironmentVariable: false,
      EnableNodeCliInspectArguments: false,
      GrantFileProtocolExtraPrivileges: false,
      OnlyLoadAppFromAsar: true,
      EnableEmbeddedAsarIntegrityValidation: true,
      EnableCookieEncryption: true,
      LoadBrowserProcessSpecificV8Snapshot: false,
      WasmTrapHandlers: true,
    })
  })

  it('processes hear nothing of the environment that could steer them', () => {
    const env = {
      PATH: '/bin',
      HOME: '/home/a',
      NODE_OPTIONS: '--inspect',
      LD_PRELOAD: 'x.so',
      ELECTRON_RUN_AS_NODE: '1',
    }
    expect(environmentOf('engine', env)).toEqual({ PATH: '/bin', HOME: '/home/a' })
    expect(environmentOf('generate-child', { ...env, SystemRoot: 'C:' })).toEqual({ SystemRoot: 'C:' })
  })

  it('Chromium makes no request of its own, resolves no name and reports nothing', () => {
    expect(Object.fromEntries(SWITCHES)).toMatchObject({
      'host-resolver-rules': 'MAP * ~NOTFOUND',
      'force-webrtc-ip-handling-policy': 'disable_non_proxied_udp',
    })
    expect(SWITCHES.map(([name]) => name)).toEqual(
      expect.arrayContaining(['disable-background-networking', 'disable-component-update', 'disable-breakpad']),
    )
    expect(SWITCHES.map(([name]) => name).join()).not.toMatch(/no-sandbox|disable-web-security|remote-debugging/)
  })

  it.each<NodeJS.Platform>(['linux', 'win32', 'darwin'])(
    'the menu on %s edits, zooms and leaves, no more',
    (platform) => {
      const roles = (packaged: boolean) => JSON.stringify(menuTemplate(platform, packaged))
      expect(roles(true)).toContain('"paste"')
      expect(roles(true)).toMatch(platform === 'darwin' ? /"appMenu"/ : /"quit"/)
      expect(roles(true)).not.toMatch(/reload|devtools|help/i)
      expect(roles(false)).toContain('toggleDevTools')
    },
  )
})
