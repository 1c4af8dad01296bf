import { execFile } from 'node:child_process'

/** The few programs of the operating system that are asked something. Fixed names and arguments, never a shell. */

const TIMEOUT_MS = 4_000
const OUTPUT_MAX = 1024 * 1024

export type Ran = { ok: boolean; output: string }

/** Runs one program with a time limit and gives what it printed; null where it is not there or did not answer in time. */
export function run(command: string, args: readonly string[], timeoutMs = TIMEOUT_MS): Promise<Ran | null> {
  return new Promise((resolve) => {
    const options = {
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      maxBuffer: OUTPUT_MAX,
      windowsHide: true,
      // Answers are read by program: not translated.
      env: { ...process.env, LC_ALL: 'C', LANG: 'C' },
    } as const
    execFile(command, [...args], options, (error, stdout, stderr) => {
      if (error && (error.killed || typeof error.code === 'string')) return resolve(null)
      resolve({ ok: !error, output: `${stdout}${error ? stderr : ''}` })
    })
  })
}

/** What a program printed, or null where it failed in any way. */
export async function outputOf(command: string, args: readonly string[]): Promise<string | null> {
  const ran = await run(command, args)
  return ran?.ok ? ran.output : null
}

/** One expression of PowerShell, without anybody's profile. */
export const powershell = (expression: string): Promise<string | null> =>
  outputOf('powershell.exe', ['-NoProfile', '-NonInteractive', '-Command', expression])
