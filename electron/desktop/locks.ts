import type { Session, WebContents } from 'electron'
import { type Asked, decidePermission, decideRequest, REFUSED_EVENTS } from './lockdown.ts'
import type { Refusals } from './refusals.ts'

/** Puts the decisions of lockdown.ts in force, for every session and every page that Electron makes. */

export type Locks = {
  refusals: Refusals
  packaged: boolean
  /** Whether the transfer screen has the camera on at this moment. */
  camera: () => boolean
}

/** Locks a session as soon as it exists, before anything is loaded in it. */
export function lockSession(session: Session, { refusals, packaged, camera }: Locks): void {
  const permitted = (asked: Asked): boolean => {
    const allowed = decidePermission(asked, camera())
    if (!allowed) refusals.refuse('permission')
    return allowed
  }
  session.setPermissionRequestHandler((_contents, permission, answer, details) => {
    const media = 'mediaTypes' in details ? (details.mediaTypes ?? []) : []
    answer(permitted({ permission, origin: details.requestingUrl, isMainFrame: details.isMainFrame, media }))
  })
  session.setPermissionCheckHandler((_contents, permission, origin, { isMainFrame, mediaType }) =>
    decidePermission({ permission, origin, isMainFrame, media: mediaType ? [mediaType] : [] }, camera()),
  )
  session.setDevicePermissionHandler(() => {
    refusals.refuse('device')
    return false
  })
  session.setDisplayMediaRequestHandler((_request, answer) => {
    refusals.refuse('device')
    answer(null)
  })
  session.setUSBProtectedClassesHandler(({ protectedClasses }) => protectedClasses)
  session.setBluetoothPairingHandler((_details, answer) => answer({ confirmed: false }))
  session.webRequest.onBeforeRequest(({ url }, answer) => {
    const allowed = decideRequest(url, packaged)
    if (!allowed) refusals.refuse('request')
    answer({ cancel: !allowed })
  })
  session.on('will-download', (event, item) => {
    event.preventDefault()
    item.cancel()
    refusals.refuse('download')
  })
  session.enableNetworkEmulation({ offline: true })
  session.setSpellCheckerEnabled(false)
}

/** Locks a page as soon as it exists: it stays where it is and opens nothing. */
export function lockContents(contents: WebContents, refusals: Refusals): void {
  const stop = (event: { preventDefault(): void }) => {
    event.preventDefault()
    refusals.refuse('navigation')
  }
  // One listener for events of different shapes: only what all of them have is used.
  const events: NodeJS.EventEmitter = contents
  for (const name of REFUSED_EVENTS) events.on(name, stop)
  contents.setWindowOpenHandler(() => {
    refusals.refuse('window')
    return { action: 'deny' }
  })
  contents.setWebRTCIPHandlingPolicy('disable_non_proxied_udp')
}
