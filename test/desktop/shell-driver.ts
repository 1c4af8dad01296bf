/** Opens the window of the built app (its `main.js` is the first argument) on the stand-in, and does with it what people do. */
import { once } from 'node:events'
import { pathToFileURL } from 'node:url'
import * as electron from './electron-stand-in.ts'

const [main = '', home = '', how = ''] = process.argv.slice(2)
electron.state.lock = how !== 'second'
electron.state.response = how === 'gives-up' ? 1 : 0
process.argv = [process.execPath, main, '--home', home]
const gone = once(electron.app, 'gone')
await import(pathToFileURL(main).href)
electron.entry.resolve()
await new Promise((resolve) => setTimeout(resolve, 100))

type Decide = (page: unknown, permission: string, answer: (allowed: boolean) => void, details: object) => void

const results: Record<string, unknown> = {}
const [window] = electron.windows
const handle = electron.handlers.get('keyrite:call')
if (window && handle) {
  const caller = { sender: window.webContents, senderFrame: window.webContents.mainFrame }
  results['hello'] = await handle(caller, 'hello', {})
  results['elsewhere'] = await handle({ ...caller, sender: {} }, 'hello', {})
  results['otherForm'] = await handle(caller, 'hello', { more: 1 })
  results['told'] = window.told.filter((notice) => (notice as { tell: string }).tell === 'refused-call')
  const served = electron.sessions.get('screens')?.served.get('app')
  const page = served?.(new Request('app://keyrite/index.html'))
  results['page'] = { status: page?.status, policy: page?.headers.get('content-security-policy') }
  results['locked'] = [...electron.sessions].map(([name, session]) => [
    name,
    session.set.size,
    session.listenerCount('will-download'),
  ])
  results['options'] = window.options
  electron.powerMonitor.emit('suspend')
  electron.powerMonitor.emit('lock-screen')
  electron.app.emit('second-instance')
  results['paused'] = electron.seen.filter((message) => message.includes('"pause"')).length
  const saidSo = async () => {
    while (electron.asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
  }
  if (how === 'gives-up' || how === 'starts-again') {
    electron.children[0]?.kill('SIGKILL')
    await saidSo()
    if (how === 'starts-again') results['again'] = await handle(caller, 'hello', {})
  }
  if (how === 'screens-end' || how === 'loaded-again') {
    const media = { requestingUrl: 'app://keyrite/index.html', isMainFrame: true, mediaTypes: ['video'] }
    const decide = electron.sessions.get('screens')?.set.get('setPermissionRequestHandler') as Decide
    const allowed = () => new Promise((resolve) => decide(window.webContents, 'media', resolve, media))
    results['cameraOn'] = await handle(caller, 'camera', { on: true })
    const moved = { isMainFrame: true, isSameDocument: true }
    window.webContents.emit('did-start-navigation', moved)
    const before = await allowed()
    if (how === 'loaded-again') window.webContents.emit('did-start-navigation', { ...moved, isSameDocument: false })
    else window.webContents.emit('render-process-gone')
    results['camera'] = [before, await allowed()]
  }
  if (how === 'screens-end') {
    await saidSo()
    results['again'] = await handle(caller, 'hello', {})
  }
  if (how === 'closes') {
    window.close()
    results['afterwards'] = await handle(caller, 'hello', {})
  } else if (how !== 'gives-up') electron.app.quit()
}
await gone
const ended = electron.children.map((child) => child.exitCode ?? child.signalCode)
process.stdout.write(JSON.stringify({ log: electron.log, asked: electron.asked, ended, results }))
process.exit(0)
