import { outputOf, powershell, run } from './commands.ts'
import { type Finding, unknown } from './findings.ts'
import {
  bitLockerFinding,
  errorReportingFinding,
  fileVaultFinding,
  lines,
  macCoreFinding,
  macHibernationFinding,
  macSwapFinding,
  pageFileFinding,
  parsePrinters,
  printerFinding,
  registryNumber,
  windowsHibernationFinding,
} from './parse-others.ts'
import { linuxProbes } from './probe-linux.ts'

/** How each operating system is asked for what keeps memory and files of a ceremony from staying behind. */

type Answer = Finding | Promise<Finding>
export type SystemProbes = {
  swap(): Answer
  hibernation(): Answer
  coreDumps(): Answer
  encryption(folder: string): Answer
}

const macProbes: SystemProbes = {
  swap: async () => macSwapFinding(await outputOf('/usr/sbin/sysctl', ['-n', 'vm.swapusage'])),
  hibernation: async () => macHibernationFinding(await outputOf('/usr/bin/pmset', ['-g'])),
  coreDumps: async () => macCoreFinding(await outputOf('/bin/sh', ['-c', 'ulimit -c'])),
  encryption: async () => fileVaultFinding(await outputOf('/usr/bin/fdesetup', ['status'])),
}

const registry = async (key: string, name: string): Promise<number | null> =>
  registryNumber(await outputOf('reg.exe', ['query', key, '/v', name]), name)

const windowsProbes: SystemProbes = {
  swap: async () => pageFileFinding(await powershell('(Get-CimInstance Win32_PageFileUsage).Name')),
  hibernation: async () =>
    windowsHibernationFinding(await registry('HKLM\\SYSTEM\\CurrentControlSet\\Control\\Power', 'HibernateEnabled')),
  coreDumps: async () =>
    errorReportingFinding(await registry('HKLM\\SOFTWARE\\Microsoft\\Windows\\Windows Error Reporting', 'Disabled')),
  encryption: async (folder) => {
    const drive = folder.slice(0, 2)
    if (!/^[A-Za-z]:$/.test(drive)) return unknown('Windows does not say where this folder is kept.')
    const property = `(New-Object -ComObject Shell.Application).NameSpace('${drive}').Self.ExtendedProperty('System.Volume.BitLockerProtection')`
    return bitLockerFinding(await powershell(property), drive)
  },
}

const NOT_TOLD: SystemProbes = {
  swap: () => unknown('This operating system is not known here.'),
  hibernation: () => unknown('This operating system is not known here.'),
  coreDumps: () => unknown('This operating system is not known here.'),
  encryption: () => unknown('This operating system is not known here.'),
}

/** The probes of one operating system; of any other, nothing is known. */
export function probesOf(platform: NodeJS.Platform): SystemProbes {
  if (platform === 'linux') return linuxProbes
  if (platform === 'darwin') return macProbes
  return platform === 'win32' ? windowsProbes : NOT_TOLD
}

/** Printers that are ready, by name; null where the machine does not tell. */
export async function printers(platform: NodeJS.Platform): Promise<Finding> {
  if (platform === 'win32') {
    const names = await powershell('(Get-CimInstance Win32_Printer).Name')
    return printerFinding(names === null ? null : lines(names))
  }
  const ran = await run('lpstat', ['-p'])
  // It fails with this answer where the printing system runs and has no printer.
  const none = ran !== null && !ran.ok && /No destinations added/i.test(ran.output)
  return printerFinding(ran?.ok || none ? parsePrinters(ran.output) : null)
}
