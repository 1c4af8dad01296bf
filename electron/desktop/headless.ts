/**
 * The runtime of an issuer from the packaged program: `--headless issuer …` is the command line's `issuer …` in this one
 * process. Other commands are refused: vaults are opened behind the window, where keys have processes of their own.
 */

const TAKEN = new Set(['issuer', '--help', '-h', '--version', '-V'])

/** Runs the command line with these arguments; the exit status is its own, 2 for a command that does not belong here. */
export async function runHeadless(args: readonly string[]): Promise<void> {
  const command = args.find((arg) => !['--json', '--quiet', '--no-color', '--no-input'].includes(arg))
  if (command !== undefined && !TAKEN.has(command)) {
    process.stderr.write(
      `--headless runs "issuer" commands alone, not "${command}". Open the window for vaults and ceremonies.\n`,
    )
    process.exitCode = 2
    return
  }
  // As the command line expects it everywhere: the program, the script, then the words.
  process.argv = [process.execPath, 'keyrite', ...args]
  await import('../cli/main.ts')
  if (process.versions.electron) process.exit()
}
