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
import { createDesk, type Desk } from './desk.ts'
import type { Processes } from './engine-host.ts'
import { readServed, serve } from './files.ts'
import { CALL, ipcHandler, NOTICE } from './ipc.ts'
import { PARTITION, SCHEME, SCHEMES, START, SWITCHES, windowOptions } from './lockdown.ts'
import { lockContents, lockSession } from './locks.ts'
import { menuTemplate } from './menu.ts'
import { printPage } from './printing.ts'
import { createRefusals } from './refusals.ts'

/** The window: everything here only connects Electron to what the other files decide. */

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Nothing of the user's environment reaches the processes that hold keys, but what the platform needs. */
const { SystemRoot, HOME, TMPDIR, TEMP } = process.env
const ENVIRONMENT = Object.fromEntries(
  Object.entries({ SystemRoot, HOME, TMPDIR, TEMP }).filter((entry): entry is [string, string] => Boolean(entry[1])),
)

const PROCESSES: Processes<MessagePortMain> = {
  fork: (name) =>
    utilityProcess.fork(file(`./${name}.js`), [], {
      serviceName: `Keyrite ${name}`,
      stdio: 'ignore',
      execArgv: [],
      env: ENVIRONMENT,
    }),
  channel: () => {
    const { port1, port2 } = new MessageChannelMain()
    return [port1, port2]
  },
}

/** Opens the one window of this program, or shows the one that is open already. */
export async function openShell(asked: { home: string; practice: boolean }): Promise<void> {
  app.enableSandbox()
  for (const [name, value] of SWITCHES) app.commandLine.appendSwitch(name, value)
  protocol.registerSchemesAsPrivileged(SCHEMES)
  if (!app.requestSingleInstanceLock()) return app.exit(0)

  let window: BrowserWindow | null = null
  const tell = (notice: Notice) => window?.webContents.mainFrame.send(NOTICE, notice)
  const refusals = createRefusals((why) => {
    process.stderr.write(`${why}\n`)
    tell({ tell: 'refused-call', why })
  })
  const desk = createDesk(PROCESSES, {
    ...asked,
    tell,
    print: (page) =>
      printPage({ session: session.fromPartition, window: (options) => new BrowserWindow(options) }, page),
    askAfterEnd: (words) => askAfterEnd(window, words),
    restarted: () => void window?.loadURL(START),
    quit: () => app.exit(1),
  })
  const packaged = app.isPackaged
  app.on('session-created', (made) => lockSession(made, { refusals, packaged, camera: desk.camera }))
  app.on('web-contents-created', (_event, contents) => lockContents(contents, refusals))
  app.on('second-instance', () => {
    window?.restore()
    window?.focus()
  })
  await app.whenReady()

  const served = readServed(file('../renderer/main_window'))
  session.fromPartition(PARTITION).protocol.handle(SCHEME, (request) => serve(served, request))
  Menu.setApplicationMenu(Menu.buildFromTemplate(menuTemplate(process.platform, packaged)))
  const handle = ipcHandler({ expected: () => window?.webContents ?? null, call: desk.call, refusals })
  ipcMain.handle(CALL, (event, method: unknown, input: unknown): Promise<Outcome> => handle(event, method, input))
  for (const away of ['suspend', 'lock-screen'] as const) powerMonitor.on(away as 'suspend', desk.pause)

  window = new BrowserWindow(windowOptions(file('./preload.cjs'), packaged))
  window.setContentProtection(true)
  window.once('ready-to-show', () => window?.show())
  endWith(window, desk)
  desk.start()
  await window.loadURL(START)
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
