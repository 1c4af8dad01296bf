import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { html } from '../../shared/pages/html.ts'

/** Opens the default browser without the address on a command line, which everybody with an account here can read. */

const OPENERS: Partial<Record<NodeJS.Platform, readonly [command: string, ...before: string[]]>> = {
  darwin: ['open'],
  // Not `start`: it would read the path as words for a shell.
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
}

/** It leads on by itself: with scripts off, and where a browser asks first, by its link. */
const forwarding = (address: string): string =>
  html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url=${address}">
<title>Keyrite</title>
<p><a href="${address}">Open Keyrite</a></p>
</html>
`.text

/**
 * Asks the default browser for a file that only this user can read and that leads on to the address. The file is gone
 * when `until` settles. A machine without a browser, or without room for the file, is no failure: the address is printed.
 */
export function openBrowser(address: string, until: Promise<unknown>): void {
  let folder: string | undefined
  const remove = () => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  }
  until.then(remove, remove)
  try {
    // Both are made for this user alone: the folder 0700 by itself.
    folder = mkdtempSync(join(tmpdir(), 'keyrite-open-'))
    const file = join(folder, 'keyrite.html')
    writeFileSync(file, forwarding(address), { mode: 0o600, flag: 'wx' })
    const [command, ...before] = OPENERS[process.platform] ?? ['xdg-open']
    const child = spawn(command, [...before, file], { stdio: 'ignore', detached: true })
    child.on('error', () => {})
    child.unref()
  } catch {
    remove()
  }
}
