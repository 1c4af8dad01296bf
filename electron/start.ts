import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { Command, CommanderError } from 'commander'
import { asKeyriteError } from '../shared/errors.ts'
import type { App } from './app/app.ts'
import { electronBinary } from './desktop/binary.ts'
import { ensureBuilt, runElectron, WINDOW_FOLDER } from './loopback/checkout.ts'
import { openBrowser } from './loopback/opening.ts'
import { type End, serveApp } from './loopback/server.ts'
import { startingApp } from './loopback/starting-app.ts'

/** `npm start`: the desktop app; in Electron, or where that is not installed, in a browser. */

type Options = { practice: boolean; home: string; open: boolean }

const say = (line: string): void => void process.stderr.write(`${line}\n`)

function readOptions(): Options {
  const program = new Command('npm start --')
    .description('Opens Keyrite.')
    .option('--practice', 'with a practice vault, made for looking around and gone afterwards', false)
    .option('--home <folder>', 'where vaults, records and plans live', join(homedir(), 'Keyrite'))
    .option('--no-open', 'only print the address of the browser shell')
    .allowExcessArguments(false)
    .exitOverride()
  const options = program.parse().opts<Options>()
  return { ...options, home: resolve(options.home) }
}

const ENDS: Record<End, string> = {
  'window-closed': 'The window is closed. Keyrite has ended.',
  'nobody-came': 'Nobody opened the address within two minutes. Keyrite has ended; start it again.',
  asked: 'Keyrite has ended.',
}

/** Serves the app to one window of a browser until that is closed, or until SIGINT or SIGTERM. */
async function runInBrowser({ practice, home, open }: Options): Promise<void> {
  await ensureBuilt('window', say)
  const making = Promise.withResolvers<App>()
  const shell = await serveApp(startingApp(making.promise), { files: WINDOW_FOLDER, say })
  // Once: who asks a second time does not want to wait.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void shell.close().catch(() => {}))
  process.stdout.write(`${shell.address}\n`)
  say('Open this address in a browser within two minutes; it works once. Ctrl-C ends Keyrite.')
  if (open) openBrowser(shell.address, shell.entered)
  if (practice) say('The practice vault takes some seconds to make; the window waits for it.')
  try {
    const { createApp } = await import('./app/app.ts')
    making.resolve(await createApp({ home, practice, shell: 'browser' }))
  } catch (failure) {
    making.reject(failure)
    await shell.close()
    throw failure
  }
  say(ENDS[await shell.ended])
}

try {
  const options = readOptions()
  const binary = electronBinary()
  if (binary === null) {
    say('Electron is not installed here ("npx install-electron" fetches it): Keyrite opens in a browser instead.')
    await runInBrowser(options)
  } else {
    await ensureBuilt('desktop', say)
    process.exitCode = await runElectron(binary, [
      `--home=${options.home}`,
      ...(options.practice ? ['--practice'] : []),
    ])
  }
} catch (thrown) {
  if (thrown instanceof CommanderError) process.exitCode = thrown.exitCode === 0 ? 0 : 2
  else {
    const { message, lost, hint, code, exit } = asKeyriteError(thrown)
    say(`${message}\n${lost}\n${hint}\n(${code})`)
    process.exitCode = exit
  }
}
