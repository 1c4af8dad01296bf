import type { BrowserWindowConstructorOptions, CustomScheme, WebPreferences } from 'electron'
import { PERMISSIONS_POLICY, screenPolicy } from '../app/content-policy.ts'

/**
 * What the desktop app may not do, line by line, as data and as decisions without side effects. `locks.ts` puts them in
 * force; nothing else decides.
 */

export const SCHEME = 'app'
/** Where the screens live. Pages to print come from another host, so that they never share an origin with the screens. */
export const ORIGIN = `${SCHEME}://keyrite`
export const START = `${ORIGIN}/index.html`
export const PRINT_URL = `${SCHEME}://print/page.html`

/** `fetch` to this scheme is not among its privileges: the screens reach the engine by IPC alone. */
export const SCHEMES: CustomScheme[] = [{ scheme: SCHEME, privileges: { standard: true, secure: true } }]

/** Sessions without `persist:` live in memory: nothing that a screen showed is on the disk. */
export const PARTITION = 'screens'

export const CSP = screenPolicy("'none'")

/** Headers of every answer on `app:`. */
export const headers = (policy: string, type: string): Record<string, string> => ({
  'Content-Type': type,
  'Content-Security-Policy': policy,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': PERMISSIONS_POLICY,
  'Cache-Control': 'no-store',
})

const SANDBOXED = {
  sandbox: true,
  contextIsolation: true,
  webSecurity: true,
  allowRunningInsecureContent: false,
  nodeIntegration: false,
  nodeIntegrationInSubFrames: false,
  nodeIntegrationInWorker: false,
  webviewTag: false,
  plugins: false,
  spellcheck: false,
  navigateOnDragDrop: false,
  experimentalFeatures: false,
  webgl: false,
} as const satisfies WebPreferences

/** Of the window that holds the screens. */
export const webPreferences = (preload: string, packaged: boolean): WebPreferences => ({
  ...SANDBOXED,
  preload,
  partition: PARTITION,
  devTools: !packaged,
})

/** Of the hidden window that a page is printed from: a document, and nothing that runs. */
export const printPreferences = (partition: string): WebPreferences => ({
  ...SANDBOXED,
  partition,
  javascript: false,
  devTools: false,
})

export const windowOptions = (preload: string, packaged: boolean): BrowserWindowConstructorOptions => ({
  title: 'Keyrite',
  width: 1280,
  height: 800,
  minWidth: 640,
  minHeight: 360,
  show: false,
  webPreferences: webPreferences(preload, packaged),
})

/** Of Chromium: no request of its own, no name looked up, no report sent, no address found out by WebRTC. */
export const SWITCHES: readonly (readonly [name: string, value?: string])[] = [
  ['disable-background-networking'],
  ['disable-component-update'],
  ['disable-domain-reliability'],
  ['disable-breakpad'],
  ['no-pings'],
  ['host-resolver-rules', 'MAP * ~NOTFOUND'],
  ['force-webrtc-ip-handling-policy', 'disable_non_proxied_udp'],
]

/** What a process hears of the environment: nothing that could steer Node or a library, only what it needs. */
const ENVIRONMENT = {
  // It asks the operating system's own programs about disks, printers and media.
  engine: ['PATH', 'HOME', 'USERPROFILE', 'TMPDIR', 'TEMP', 'TMP', 'SystemRoot', 'SystemDrive'],
  'generate-child': ['SystemRoot'],
} as const
export type ProcessName = keyof typeof ENVIRONMENT

export const environmentOf = (name: ProcessName, env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(ENVIRONMENT[name].flatMap((key) => (env[key] === undefined ? [] : [[key, env[key]]])))

/** Fuses of the packaged binary, all of them: one that a later Electron adds stops the packaging until it is decided. */
export const FUSES = {
  RunAsNode: false,
  EnableCookieEncryption: true,
  EnableNodeOptionsEnvironmentVariable: false,
  EnableNodeCliInspectArguments: false,
  EnableEmbeddedAsarIntegrityValidation: true,
  OnlyLoadAppFromAsar: true,
  LoadBrowserProcessSpecificV8Snapshot: false,
  GrantFileProtocolExtraPrivileges: false,
  WasmTrapHandlers: true,
} as const

/** Ways of leaving the page: every one of them is refused, wherever it leads. */
export const REFUSED_EVENTS = ['will-navigate', 'will-frame-navigate', 'will-redirect', 'will-attach-webview'] as const

/** `scheme://host`, also where a URL comes with a path; empty for what is no URL. Not `URL.origin`: "null" for `app:`. */
export function originOf(url: string | undefined): string {
  const parsed = URL.parse(url ?? '')
  return parsed ? `${parsed.protocol}//${parsed.host}` : ''
}

export type Asked = {
  permission: string
  origin: string | undefined
  isMainFrame: boolean
  /** `video`, `audio`: what kinds of media are asked for. */
  media: readonly string[]
}

/**
 * Everything is denied but this: pictures, without sound, for our own top frame, while the transfer screen has switched
 * the camera on to read QR codes.
 */
export const decidePermission = ({ permission, origin, isMainFrame, media }: Asked, cameraOn: boolean): boolean =>
  cameraOn &&
  permission === 'media' &&
  isMainFrame &&
  originOf(origin) === ORIGIN &&
  media.length > 0 &&
  media.every((kind) => kind === 'video')

/** Requests go to our own files alone; where the app is not packaged, to the developer tools too. */
export const decideRequest = (url: string, packaged: boolean): boolean => {
  const scheme = URL.parse(url)?.protocol
  return scheme === `${SCHEME}:` || (!packaged && scheme === 'devtools:')
}
