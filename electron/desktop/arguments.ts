import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

export type Arguments =
  /** What follows `--headless` is a command line of its own. */
  { headless: string[] } | { headless: null; home: string; practice: boolean }

/**
 * What the program was asked for. Chromium takes arguments of its own from the same line, so that unknown ones are left
 * alone; the command line after `--headless` is strict.
 */
export function readArguments(argv: readonly string[]): Arguments {
  const headless = argv.indexOf('--headless')
  if (headless >= 0) return { headless: argv.slice(headless + 1) }
  const at = argv.findIndex((arg) => arg === '--home' || arg.startsWith('--home='))
  const home = argv[at]?.startsWith('--home=') ? argv[at].slice('--home='.length) : at >= 0 ? argv[at + 1] : undefined
  return {
    headless: null,
    home: home ? resolve(home) : join(homedir(), 'Keyrite'),
    practice: argv.includes('--practice'),
  }
}
