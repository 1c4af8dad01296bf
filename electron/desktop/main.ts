import { readArguments } from './arguments.ts'

/** Where the packaged program begins. The runtime of an issuer needs neither a window nor Electron, so neither is loaded for it. */

const asked = readArguments(process.argv.slice(1))
if (asked.headless) await (await import('./headless.ts')).runHeadless(asked.headless)
else (await import('./shell.ts')).openShell(asked)
