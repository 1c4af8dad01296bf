import { type Finding, fail, named, pass, unknown } from './findings.ts'

/** What macOS, Windows and the printing system answer. Each function takes the output of one program, null without one. */

/** `fdesetup status` */
export function fileVaultFinding(text: string | null): Finding {
  if (text?.startsWith('FileVault is On')) return pass('FileVault is on.')
  if (text?.startsWith('FileVault is Off')) return fail('FileVault is off.')
  return unknown('This machine does not say whether FileVault is on.')
}

/** `sysctl -n vm.swapusage`: `total = 2048.00M  used = 0.00M  free = 2048.00M  (encrypted)` */
export function macSwapFinding(text: string | null): Finding {
  const [, total] = /total = ([\d.]+)M/.exec(text ?? '') ?? []
  if (text === null || total === undefined) return unknown('This machine does not say whether it swaps.')
  if (Number(total) === 0) return pass('No swap is in use.')
  return text.includes('(encrypted)')
    ? pass(`Swap of ${Number(total)} MB is in use; macOS encrypts it with a key that it forgets at every start.`)
    : fail(`Swap of ${Number(total)} MB is in use, and it is not encrypted.`)
}

/** `pmset -g`: the line ` hibernatemode        3` */
export function macHibernationFinding(text: string | null): Finding {
  const [, mode] = /^\s*hibernatemode\s+(\d+)/m.exec(text ?? '') ?? []
  if (mode === undefined) return unknown('This machine does not say whether it hibernates.')
  return mode === '0'
    ? pass('It does not write memory to disk when it sleeps.')
    : fail(`It writes memory to disk when it sleeps (mode ${mode}).`)
}

/** `ulimit -c` of a shell that this program started: it inherits the limit. */
export function macCoreFinding(text: string | null): Finding {
  const limit = text?.trim()
  if (!limit || !/^(?:\d+|unlimited)$/.test(limit))
    return unknown('This machine does not say what it does with a crash.')
  return limit === '0'
    ? pass('Memory of a crashed program is not written: the limit is 0.')
    : fail(`Memory of a crashed program is written to a file; the limit is ${limit}.`)
}

/** The shell's property of a drive, which needs no administrator: 1 and 3 to 5 protected, 2 not, 6 locked. */
export function bitLockerFinding(text: string | null, drive: string): Finding {
  const value = text?.trim()
  if (value === '1') return pass(`BitLocker protects ${drive}`)
  if (value === '2') return fail(`BitLocker does not protect ${drive}`)
  return unknown(`Windows does not say whether BitLocker protects ${drive}`)
}

/** Names of the page files, a line each; null where Windows did not answer. */
export function pageFileFinding(text: string | null): Finding {
  if (text === null) return unknown('Windows does not say whether it swaps.')
  const names = lines(text)
  return names.length > 0 ? fail(`Page files are in use: ${named(names)}.`) : pass('No page file is in use.')
}

/** A value of the registry, as `reg query` prints it: `    HibernateEnabled    REG_DWORD    0x0`. Null where there is none. */
export function registryNumber(text: string | null, name: string): number | null {
  const [, hex] = new RegExp(`^\\s*${name}\\s+REG_DWORD\\s+0x([0-9a-f]+)\\s*$`, 'im').exec(text ?? '') ?? []
  return hex === undefined ? null : Number.parseInt(hex, 16)
}

export function windowsHibernationFinding(enabled: number | null): Finding {
  if (enabled === null) return unknown('Windows does not say whether it hibernates.')
  return enabled === 0 ? pass('Hibernation is off.') : fail('Hibernation is on.')
}

/** Windows Error Reporting writes memory of crashed programs unless it is switched off. */
export function errorReportingFinding(disabled: number | null): Finding {
  if (disabled === null) return unknown('Windows does not say whether it reports errors.')
  return disabled === 1
    ? pass('Windows Error Reporting is off.')
    : fail('Windows Error Reporting is on and may keep memory of a crashed program.')
}

/** `lpstat -p` of CUPS: printers that are ready, by name. An answer without any names none. */
export const parsePrinters = (text: string): string[] =>
  lines(text).flatMap((line) => /^printer (\S+) (?!disabled)/.exec(line)?.[1] ?? [])

/** `names` null where this machine does not say which printers it has. */
export function printerFinding(names: readonly string[] | null): Finding {
  if (!names) return unknown('This machine does not say whether it has a printer.')
  return names.length > 0 ? pass(`Ready: ${named(names)}.`) : fail('No printer is ready.')
}

export const lines = (text: string): string[] =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter(Boolean)
