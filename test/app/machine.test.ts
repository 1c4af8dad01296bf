import { mkdirSync, writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { digestTree } from '../../electron/app/machine/app-digest.ts'
import { isUp, NOT_TOLD, networksUp, upInFolder } from '../../electron/app/machine/networks.ts'
import {
  type BlockDevice,
  coreFinding,
  encryptionFinding,
  hibernationFinding,
  parseCoreLimit,
  parseSwaps,
  swapFinding,
} from '../../electron/app/machine/parse-linux.ts'
import {
  bitLockerFinding,
  errorReportingFinding,
  fileVaultFinding,
  macCoreFinding,
  macHibernationFinding,
  macSwapFinding,
  pageFileFinding,
  parsePrinters,
  printerFinding,
  registryNumber,
  windowsHibernationFinding,
} from '../../electron/app/machine/parse-others.ts'
import { probesOf } from '../../electron/app/machine/probes.ts'
import { FREE_MIN, freeFinding, networkFinding } from '../../electron/app/machine/readiness.ts'
import { watchMachine } from '../../electron/app/machine/watch.ts'
import { CHECKS } from '../../shared/contract/machine.ts'
import { Bench } from './machine-context.ts'

const bench = new Bench()
afterAll(() => bench.remove())
afterEach(() => vi.useRealTimers())

describe('network interfaces', () => {
  const interfaceIn = (folder: string, name: string, operstate: string, flags: string) => {
    mkdirSync(join(folder, name), { recursive: true })
    writeFileSync(join(folder, name, 'operstate'), `${operstate}\n`)
    writeFileSync(join(folder, name, 'flags'), `${flags}\n`)
  }

  it('count when they are up, tunnels and containers too; the loopback never', () => {
    const folder = join(bench.base, 'net')
    interfaceIn(folder, 'lo', 'unknown', '0x9')
    interfaceIn(folder, 'eth0', 'down', '0x1003')
    interfaceIn(folder, 'docker0', 'up', '0x1003')
    interfaceIn(folder, 'wg0', 'unknown', '0x10d1')
    interfaceIn(folder, 'tun9', 'unknown', '0x90')
    expect(upInFolder(folder).sort()).toEqual(['docker0', 'wg0'])
    // Not to be seen is not the same as down.
    expect(() => upInFolder(join(bench.base, 'nowhere'))).toThrow(/ENOENT/)
    mkdirSync(join(folder, 'eth1', 'operstate'), { recursive: true })
    expect(() => upInFolder(folder)).toThrow(/EISDIR/)
    expect([isUp('up\n', '0x1003'), isUp('dormant', '0x1'), isUp('unknown', '')]).toEqual([true, false, false])
  })

  it('are those of this very machine', () => {
    const addressed = Object.entries(networkInterfaces()).filter(([, list]) => list?.some(({ internal }) => !internal))
    expect(networksUp()).toEqual(expect.arrayContaining(addressed.map(([name]) => name)))
    expect(networksUp()).not.toContain('lo')
  })

  it('pass only when there are none', () => {
    expect(networkFinding([], 'electron')).toMatchObject({ state: 'pass' })
    expect(networkFinding(['wlan0', 'eth0'], 'browser')).toEqual({
      state: 'fail',
      found: '2 network interfaces are up: wlan0, eth0.',
    })
  })

  it('where the machine does not tell, nobody is offline: no check passes, and the frame shows it', async () => {
    const own = new Bench({
      networks: () => {
        throw new Error('EACCES: permission denied')
      },
    })
    expect((await own.call('machine', {})).networks).toEqual([NOT_TOLD])
    expect((await own.call('readiness', {})).checks[0]).toMatchObject({
      id: 'network',
      state: 'unknown',
      found: 'This machine does not say which network interfaces are up.',
    })
    own.remove()
  })

  it('are watched through looks that tell nothing: those are told to the screens, and stop no ceremony', () => {
    vi.useFakeTimers()
    let told: string[] | null = ['eth0']
    const networks = () => {
      if (!told) throw new Error('EACCES: permission denied')
      return told
    }
    const own = new Bench({ networks })
    const came: string[][] = []
    const watch = watchMachine(own.app, (names) => came.push(names))
    told = null
    vi.advanceTimersByTime(4_000)
    expect(came).toEqual([])
    expect(own.notices).toMatchObject([{ tell: 'machine', machine: { networks: [NOT_TOLD] } }])
    told = ['eth0', 'wlan0']
    vi.advanceTimersByTime(2_000)
    expect(came).toEqual([['wlan0']])
    watch.stop()
    own.remove()
  })

  it('are watched: who comes up is told once, and the screens hear of every change', () => {
    vi.useFakeTimers()
    const own = new Bench()
    own.networks = ['eth0']
    const came: string[][] = []
    const watch = watchMachine(own.app, (names) => came.push(names))
    vi.advanceTimersByTime(2_000)
    expect([came, own.notices]).toEqual([[], []])
    own.networks = ['eth0', 'wlan0']
    vi.advanceTimersByTime(4_000)
    expect(came).toEqual([['wlan0']])
    expect(own.notices).toMatchObject([{ tell: 'machine', machine: { networks: ['eth0', 'wlan0'] } }])
    own.networks = []
    vi.advanceTimersByTime(2_000)
    expect(own.notices).toHaveLength(2)
    vi.advanceTimersByTime(30_000)
    expect(own.notices).toHaveLength(3)
    own.networks = ['eth0']
    vi.advanceTimersByTime(2_000)
    expect(came).toEqual([['wlan0'], ['eth0']])
    watch.stop()
    own.networks = ['usb0']
    vi.advanceTimersByTime(60_000)
    expect(came).toHaveLength(2)
    own.remove()
  })
})

describe('swap', () => {
  const HEAD = 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n'
  const none = () => 'none'

  it('is read from /proc/swaps', () => {
    expect(parseSwaps(HEAD)).toEqual([])
    expect(parseSwaps(`${HEAD}/dev/dm-1   partition\t999\t0\t-2\n/swap.img file\t1\t0\t-3\n`)).toEqual([
      '/dev/dm-1',
      '/swap.img',
    ])
  })

  it('passes when it is off or stays in memory', () => {
    expect(swapFinding([], none).state).toBe('pass')
    expect(swapFinding(['/dev/zram0'], none).state).toBe('pass')
    expect(swapFinding(['/dev/zram0'], () => '/dev/sda9').state).toBe('fail')
    expect(swapFinding(['/dev/zram0', '/swap.img'], none)).toEqual({
      state: 'fail',
      found: 'Swap is in use: /swap.img.',
    })
  })

  it('on macOS passes when it is off or encrypted', () => {
    expect(macSwapFinding('total = 0.00M  used = 0.00M  free = 0.00M  (encrypted)').state).toBe('pass')
    expect(macSwapFinding('total = 2048.00M  used = 1.25M  free = 2046.75M  (encrypted)').state).toBe('pass')
    expect(macSwapFinding('total = 2048.00M  used = 1.25M  free = 2046.75M').state).toBe('fail')
    for (const silent of [null, '', 'sysctl: unknown oid']) expect(macSwapFinding(silent).state).toBe('unknown')
  })

  it('on Windows fails with every page file', () => {
    expect(pageFileFinding('C:\\pagefile.sys\r\n')).toEqual({
      state: 'fail',
      found: 'Page files are in use: C:\\pagefile.sys.',
    })
    expect(pageFileFinding('\r\n').state).toBe('pass')
    expect(pageFileFinding(null).state).toBe('unknown')
  })
})

describe('hibernation', () => {
  it('on Linux needs a kernel that offers it and swap to write to', () => {
    expect(hibernationFinding('freeze mem disk\n', '[platform] shutdown\n', ['/dev/sda2']).state).toBe('fail')
    expect(hibernationFinding('freeze mem disk\n', '[platform] shutdown\n', []).state).toBe('pass')
    expect(hibernationFinding('freeze mem disk\n', '[disabled]\n', ['/dev/sda2']).state).toBe('pass')
    expect(hibernationFinding('freeze mem\n', null, ['/dev/sda2']).state).toBe('pass')
    expect(hibernationFinding(null, null, []).state).toBe('unknown')
  })

  it('on macOS and Windows is what the system says', () => {
    const pmset = (mode: string) =>
      `System-wide power settings:\nCurrently in use:\n hibernatemode        ${mode}\n sleep 1\n`
    expect(macHibernationFinding(pmset('0')).state).toBe('pass')
    expect(macHibernationFinding(pmset('3')).state).toBe('fail')
    expect(macHibernationFinding('').state).toBe('unknown')
    const registry = (value: string) =>
      `\r\nHKEY_LOCAL_MACHINE\\SYSTEM\r\n    HibernateEnabled    REG_DWORD    ${value}\r\n\r\n`
    expect(windowsHibernationFinding(registryNumber(registry('0x0'), 'HibernateEnabled')).state).toBe('pass')
    expect(windowsHibernationFinding(registryNumber(registry('0x1'), 'HibernateEnabled')).state).toBe('fail')
    expect(windowsHibernationFinding(registryNumber(null, 'HibernateEnabled')).state).toBe('unknown')
  })
})

describe('core dumps', () => {
  const limits = (soft: string) =>
    `Limit                     Soft Limit           Hard Limit           Units     \nMax core file size        ${soft.padEnd(20)} unlimited            bytes     \n`

  it('on Linux depend on the limit and on where they would go', () => {
    expect(parseCoreLimit(limits('0'))).toBe('0')
    expect(parseCoreLimit(limits('unlimited'))).toBe('unlimited')
    expect(parseCoreLimit('')).toBeNull()
    expect(coreFinding('0', 'core\n').state).toBe('pass')
    expect(coreFinding('unlimited', 'core\n').state).toBe('fail')
    expect(coreFinding('unlimited', '/dev/null\n').state).toBe('pass')
    expect(coreFinding('0', '|/usr/lib/systemd/systemd-coredump %P\n')).toEqual({
      state: 'fail',
      found: 'Memory of a crashed program is given to /usr/lib/systemd/systemd-coredump, which may keep it.',
    })
    expect([coreFinding(null, 'core'), coreFinding('0', null)].map(({ state }) => state)).toEqual([
      'unknown',
      'unknown',
    ])
  })

  it('on macOS and Windows are what the system says', () => {
    expect(macCoreFinding('0\n').state).toBe('pass')
    expect(macCoreFinding('unlimited\n').state).toBe('fail')
    expect(macCoreFinding('sh: no').state).toBe('unknown')
    expect([1, 0, null].map((disabled) => errorReportingFinding(disabled).state)).toEqual(['pass', 'fail', 'unknown'])
  })
})

describe('disk encryption', () => {
  const device = (name: string, uuid: string | null, ...below: BlockDevice[]): BlockDevice => ({ name, uuid, below })
  const state = (of: BlockDevice | null) => encryptionFinding(of, '/home', 'ext4').state

  it('on Linux is a crypt layer below the folder, whatever lies between', () => {
    const crypt = device('dm-0', 'CRYPT-LUKS2-abc-home', device('sda3', null))
    expect(state(crypt)).toBe('pass')
    expect(state(device('vg-home', 'LVM-xyz', crypt))).toBe('pass')
    expect(state(device('sda2', null))).toBe('fail')
    expect(state(device('vg-home', 'LVM-xyz', device('sda2', null)))).toBe('fail')
    expect(state(device('md0', null, crypt, device('sdb1', null)))).toBe('fail')
    expect(state(null)).toBe('unknown')
  })

  it('on macOS and Windows is what the system says', () => {
    expect(fileVaultFinding('FileVault is On.\n').state).toBe('pass')
    expect(fileVaultFinding('FileVault is Off.\n').state).toBe('fail')
    expect(fileVaultFinding('Error: not allowed').state).toBe('unknown')
    expect(['1\r\n', '2', '', null, '6'].map((said) => bitLockerFinding(said, 'C:').state)).toEqual([
      'pass',
      'fail',
      'unknown',
      'unknown',
      'unknown',
    ])
  })
})

describe('space and printer', () => {
  it('need a gigabyte', () => {
    expect([FREE_MIN, FREE_MIN - 1, null].map((free) => freeFinding(free).state)).toEqual(['pass', 'fail', 'unknown'])
  })

  it('need one printer that is ready', () => {
    const said = 'printer HP_LaserJet is idle.  enabled since Mon\nprinter Old disabled since Tue -\n\treason unknown\n'
    expect(parsePrinters(said)).toEqual(['HP_LaserJet'])
    expect(printerFinding(parsePrinters(said))).toEqual({ state: 'pass', found: 'Ready: HP_LaserJet.' })
    expect([printerFinding([]).state, printerFinding(null).state]).toEqual(['fail', 'unknown'])
  })
})

describe('readiness', () => {
  it('answers every check, says how to fix what does not pass, and never more than an override may quote', async () => {
    bench.networks = ['eth0']
    const { checks, practice } = await bench.call('readiness', {})
    expect(checks.map(({ id }) => id)).toEqual([...CHECKS])
    expect(practice).toBe(false)
    for (const { state, found, why, fix, title } of checks) {
      expect(found.length).toBeLessThanOrEqual(300)
      expect(Math.min(found.length, why.length, title.length)).toBeGreaterThan(0)
      expect(fix === '').toBe(state === 'pass')
    }
    const states = Object.fromEntries(checks.map(({ id, state }) => [id, state]))
    expect(states).toMatchObject({ network: 'fail', 'self-test': 'pass', app: 'unknown' })
    bench.networks = []
    const again = await bench.call('readiness', {})
    expect(again.checks[0]).toMatchObject({ id: 'network', state: 'pass' })
  })

  it('knows nothing of an operating system that it does not know', async () => {
    const probes = probesOf('aix')
    const answers = [probes.swap(), probes.hibernation(), probes.coreDumps(), probes.encryption('/')]
    expect((await Promise.all(answers)).map(({ state }) => state)).toEqual(Array(4).fill('unknown'))
  })

  it('shows a fingerprint of the app that follows from every file and its place', async () => {
    const root = join(bench.base, 'app')
    const write = (name: string, text: string) => {
      mkdirSync(join(root, name, '..'), { recursive: true })
      writeFileSync(join(root, name), text)
    }
    write('electron/a.ts', 'one')
    write('electron/in/b.ts', 'two')
    write('package-lock.json', '{}')
    const parts = ['electron', 'shared', 'package-lock.json']
    const first = await digestTree(root, parts)
    expect(await digestTree(root, parts)).toBe(first)
    write('README.md', 'not part of it')
    expect(await digestTree(root, parts)).toBe(first)
    write('electron/in/b.ts', 'twO')
    const second = await digestTree(root, parts)
    write('electron/in/c.ts', '')
    expect(new Set([first, second, await digestTree(root, parts)]).size).toBe(3)
  })
})

describe('the camera', () => {
  it('is off until somebody asks for it, and off again afterwards', async () => {
    expect(bench.app.camera).toBe(false)
    await bench.call('camera', { on: true })
    expect(bench.app.camera).toBe(true)
    await bench.call('camera', { on: false })
    expect(bench.app.camera).toBe(false)
  })
})
