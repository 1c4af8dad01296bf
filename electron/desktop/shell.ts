import { fileURLToPath } from 'node:url'
import {
  app,
  BrowserWindow,
  dialog,
  ipcMain,
  Menu,
  MessageChannelMain,
  type MessagePortMain,
  powerMonitor,
  protocol,
  session,
  utilityProcess,
} from 'electron'
import type { Notice, Outcome } from '../../shared/contract/contract.ts'
import { asKeyriteError } from '../../shared/errors.ts'
import { createDesk, type Desk } from './desk.ts'
import type { Processes } from './engine-host.ts'
import { readServed, serve } from './files.ts'
import { CALL, ipcHandler, NOTICE } from './ipc.ts'
import { environmentOf, PARTITION, SCHEME, SCHEMES, START, SWITCHES, windowOptions } from './lockdown.ts'
import { lockContents, lockSession } from './locks.ts'
import { menuTemplate } from './menu.ts'
import { type Printer, printPage } from './printing.ts'
import { createRefusals, type Refusals } from './refusals.ts'

/** The window: everything here only connects Electron to what the other files decide. */

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

const PROCESSES: Processes<MessagePortMain> = {
  fork: (name) =>
    utilityProcess.fork(file(`./${name}.js`), [], {
      serviceName: `Keyrite ${name}`,
      stdio: 'ignore',
      execArgv: [],
      env: environmentOf(name, process.env),
    }),
  channel: () => {
    const { port1, port2 } = new MessageChannelMain()
    return [port1, port2]
  },
}

type Room = { desk: Desk; refusals: Refusals; windowNow: () => BrowserWindow | null }

/**
 * Locks everything that must be locked before Electron is ready, then opens the one window of this program; a second
 * program only shows the first one's. Comes back before the window is open: Electron is ready once its entry was read.
 */
export function openShell(asked: { home: string; practice: boolean }): void {
  app.enableSandbox()
  for (const [name, value] of SWITCHES) app.commandLine.appendSwitch(name, value)
  protocol.registerSchemesAsPrivileged(SCHEMES)
  if (!app.requestSingleInstanceLock()) return app.exit(0)

  let window: BrowserWindow | null = null
  const windowNow = () => (window?.isDestroyed() ? null : window)
  const tell = (notice: Notice) => windowNow()?.webContents.send(NOTICE, notice)
  const refusals = createRefusals((why) => {
    process.stderr.write(`${why}\n`)
    tell({ tell: 'refused-call', why })
  })
  const desk = createDesk(PROCESSES, {
    ...asked,
    tell,
    print: (page) => printPage(PRINTER, page),
    askAfterEnd: (words) => askAfterEnd(windowNow(), words),
    restarted: () => void windowNow()?.loadURL(START),
    quit: () => app.exit(1),
  })
  app.on('session-created', (made) => lockSession(made, { refusals, packaged: app.isPackaged, camera: desk.camera }))
  app.on('web-contents-created', (_event, contents) => lockContents(contents, refusals))
  app.on('second-instance', () => {
    windowNow()?.restore()
    windowNow()?.focus()
  })
  void app
    .whenReady()
    .then(() => {
      serveScreens({ desk, refusals, windowNow })
      window = openWindow(desk)
      desk.start()
      return window.loadURL(START)
    })
    .catch(cannotStart)
}

const PRINTER: Printer = {
  session: (partition) => session.fromPartition(partition),
  window: (options) => new BrowserWindow(options),
}

function serveScreens({ desk, refusals, windowNow }: Room): void {
  const served = readServed(file('../renderer/main_window'))
  session.fromPartition(PARTITION).protocol.handle(SCHEME, (request) => serve(served, request))
  const handle = ipcHandler({ expected: () => windowNow()?.webContents ?? null, call: desk.call, refusals })
  ipcMain.handle(CALL, (event, method: unknown, input: unknown): Promise<Outcome> => handle(event, method, input))
  powerMonitor.on('suspend', desk.pause)
  powerMonitor.on('lock-screen', desk.pause)
}

function openWindow(desk: Desk): BrowserWindow {
  Menu.setApplicationMenu(Menu.buildFromTemplate(menuTemplate(process.platform, app.isPackaged)))
  const window = new BrowserWindow(windowOptions(file('./preload.cjs'), app.isPackaged))
  window.setContentProtection(true)
  window.once('ready-to-show', () => window.show())
  window.webContents.on('did-start-navigation', ({ isMainFrame, isSameDocument }) => {
    if (isMainFrame && !isSameDocument) desk.pageGone()
  })
  window.webContents.on('render-process-gone', async () => {
    desk.pageGone()
    if (await askAfterEnd(window, SCREENS_GONE)) await window.loadURL(START)
    else app.quit()
  })
  endWith(window, desk)
  return window
}

const SCREENS_GONE = {
  message: 'The screens of Keyrite have ended.',
  detail: 'Nothing is lost: the vault and the ceremony are held apart from them. Start them again to go on.',
}

function cannotStart(thrown: unknown): void {
  const { message, hint } = asKeyriteError(thrown)
  dialog.showErrorBox('Keyrite cannot start', `${message}\n\n${hint}`)
  app.exit(1)
}

/** Closing the window pauses a ceremony, closes the vault and only then ends the program. */
function endWith(window: BrowserWindow, desk: Desk): void {
  let closed = false
  app.on('before-quit', (event) => {
    if (closed) return
    event.preventDefault()
    void desk.close().then(() => {
      closed = true
      app.quit()
    })
  })
  window.on('closed', () => app.quit())
}

async function askAfterEnd(window: BrowserWindow | null, words: { message: string; detail: string }): Promise<boolean> {
  const options = { ...words, type: 'warning' as const, buttons: ['Start it again', 'Quit'], defaultId: 0, cancelId: 1 }
  const { response } = await (window ? dialog.showMessageBox(window, options) : dialog.showMessageBox(options))
  return response === 0
}
