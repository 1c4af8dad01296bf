/**
 * Stands in for Electron's program: the modules that the window uses, remembering in order what was done with them. Its
 * utility processes are real processes (utility-process.ts). Everything else of the shell is the built app itself.
 */
import { EventEmitter } from 'node:events'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { hosted, startChild } from './utility-process.ts'

export const log: string[] = []
export const seen: string[] = []
export const children: ReturnType<typeof startChild>[] = []
export const windows: BrowserWindow[] = []
export const asked: { message: string; detail: string }[] = []
export const handlers = new Map<string, (...args: unknown[]) => unknown>()
export const state = { lock: true, response: 0 }

export const entry = Promise.withResolvers<void>()
const did = (what: string) => void log.push(what)

class Application extends EventEmitter {
  isPackaged = true
  readonly commandLine = { appendSwitch: (name: string, value = '') => did(`switch ${name} ${value}`.trim()) }
  enableSandbox = () => did('enableSandbox')
  requestSingleInstanceLock = () => {
    did('lock')
    return state.lock
  }
  /** Electron is ready once its entry was evaluated, and not before. */
  whenReady = async () => {
    await entry.promise
    did('ready')
  }
  exit = (status: number) => {
    did(`exit ${status}`)
    this.emit('gone')
  }
  quit = () => {
    let prevented = false
    this.emit('before-quit', { preventDefault: () => (prevented = true) })
    did(prevented ? 'quit prevented' : 'quit')
    if (!prevented) this.emit('gone')
  }
}
export const app = new Application()

class Session extends EventEmitter {
  readonly set = new Map<string, unknown>()
  readonly served = new Map<string, (request: Request) => Response>()
  readonly protocol = { handle: (scheme: string, handler: never) => this.served.set(scheme, handler) }
  readonly webRequest = { onBeforeRequest: (handler: unknown) => this.set.set('onBeforeRequest', handler) }
  constructor() {
    super()
    for (const name of [
      'setPermissionRequestHandler',
      'setPermissionCheckHandler',
      'setDevicePermissionHandler',
      'setDisplayMediaRequestHandler',
      'setUSBProtectedClassesHandler',
      'setBluetoothPairingHandler',
      'enableNetworkEmulation',
      'setSpellCheckerEnabled',
    ])
      Object.assign(this, { [name]: (value: unknown) => this.set.set(name, value) })
  }
}
export const sessions = new Map<string, Session>()
export const session = {
  fromPartition: (name: string): Session => {
    const known = sessions.get(name)
    if (known) return known
    const made = new Session()
    sessions.set(name, made)
    app.emit('session-created', made)
    return made
  },
}

export class BrowserWindow extends EventEmitter {
  readonly options: { webPreferences?: { partition?: string } }
  readonly told: unknown[] = []
  readonly #contents: EventEmitter & { mainFrame: object }
  #destroyed = false
  constructor(options: { webPreferences?: { partition?: string } }) {
    super()
    did('window')
    this.options = options
    session.fromPartition(options.webPreferences?.partition ?? '')
    this.#contents = Object.assign(new EventEmitter(), {
      mainFrame: { parent: null, url: '', origin: '' },
      send: (_name: string, notice: unknown) => this.told.push(notice),
      setWindowOpenHandler: () => did('window-open denied'),
      setWebRTCIPHandlingPolicy: () => did('webrtc'),
    })
    windows.push(this)
    app.emit('web-contents-created', {}, this.#contents)
  }
  get webContents() {
    if (this.#destroyed) throw new TypeError('Object has been destroyed')
    return this.#contents
  }
  isDestroyed = () => this.#destroyed
  /** What a person does. */
  close = () => {
    this.#destroyed = true
    this.emit('closed')
  }
  setContentProtection = (on: boolean) => did(`content protection ${on}`)
  show = () => did('show')
  focus = () => did('focus')
  restore = () => did('restore')
  loadURL = async (url: string) => {
    did(`load ${url}`)
    Object.assign(this.#contents.mainFrame, { url, origin: 'app://keyrite' })
    setImmediate(() => this.emit('ready-to-show'))
  }
}

export const dialog = {
  showErrorBox: (title: string, content: string) => void asked.push({ message: title, detail: content }),
  showMessageBox: async (...args: unknown[]) => {
    asked.push(args.at(-1) as never)
    return { response: state.response }
  },
}
export const ipcMain = { handle: (name: string, handler: never) => void handlers.set(name, handler) }
export const Menu = {
  buildFromTemplate: (template: unknown) => template,
  setApplicationMenu: (menu: unknown) =>
    did(`menu ${JSON.stringify(menu).includes('toggleDevTools') ? 'with' : 'without'} tools`),
}
export const powerMonitor = new EventEmitter()
export const protocol = { registerSchemesAsPrivileged: (schemes: unknown) => did(`scheme ${JSON.stringify(schemes)}`) }
export class MessageChannelMain {
  readonly port1: MessagePort
  readonly port2: MessagePort
  constructor() {
    const { port1, port2 } = new MessageChannel()
    this.port1 = port1
    this.port2 = port2
  }
}
export const utilityProcess = {
  fork: (file: string, args: string[], options: { env: object; serviceName: string }) => {
    did(`fork ${options.serviceName} ${args.length}`)
    const child = startChild(file, options.env)
    children.push(child)
    return hosted(child, seen)
  },
}
