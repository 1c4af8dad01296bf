import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { disksUnder, isRemovable } from '../../electron/app/machine/disks.ts'
import { afterLettingGo, isOwnFolder, letGo, mountedOn } from '../../electron/app/machine/unmount.ts'
import { linuxVolumes, volumesNow } from '../../electron/app/machine/volumes.ts'
import { writeOut } from '../../electron/app/machine/write-out.ts'
import { Bench } from './machine-context.ts'

describe('what a medium is, and whether it was let go', () => {
  const bench = new Bench()
  afterAll(() => bench.remove())
  const sys = (path: string) => join(bench.base, 'sys', path)
  const write = (path: string, text: string) => {
    mkdirSync(dirname(sys(path)), { recursive: true })
    writeFileSync(sys(path), text)
  }
  const link = (path: string, to: string) => {
    mkdirSync(dirname(sys(path)), { recursive: true })
    symlinkSync(relative(dirname(sys(path)), sys(to)), sys(path))
  }
  const STICK = 'devices/usb1/block/sdb'
  const INNER = 'devices/pci/block/sda'
  const CARD = 'devices/mmc/block/mmcblk0'

  beforeAll(() => {
    write(`${STICK}/removable`, '0')
    write(`${STICK}/sdb1/partition`, '1')
    write(`${STICK}/sdb2/partition`, '2')
    write(`${INNER}/removable`, '0')
    write(`${INNER}/sda1/partition`, '1')
    write(`${CARD}/removable`, '1')
    link('devices/virtual/block/dm-0/slaves/sdb1', `${STICK}/sdb1`)
    link('devices/virtual/block/dm-1/slaves/dm-0', 'devices/virtual/block/dm-0')
    link('devices/virtual/block/dm-1/slaves/sda1', `${INNER}/sda1`)
    link('devices/virtual/block/dm-2/slaves/gone', 'devices/virtual/block/gone')
    for (const [device, path] of Object.entries({
      '8:17': `${STICK}/sdb1`,
      '8:18': `${STICK}/sdb2`,
      '8:1': `${INNER}/sda1`,
      '179:0': CARD,
      '254:0': 'devices/virtual/block/dm-0',
      '254:1': 'devices/virtual/block/dm-1',
      '254:2': 'devices/virtual/block/dm-2',
    }))
      link(`dev/block/${device}`, path)
  })
  const disksAt = ({ device }: { device: string }) => disksUnder(sys(`dev/block/${device}`))
  const mount = (device: string, folder: string, source = `/dev/${device}`, fileSystem = 'ext4') => ({
    device,
    folder,
    readOnly: false,
    fileSystem,
    source,
  })

  it('finds the disks below partitions, encryption and volume groups, and none where a layer does not tell', () => {
    expect(disksAt({ device: '8:17' })).toEqual([sys(STICK)])
    expect(disksAt({ device: '254:0' })).toEqual([sys(STICK)])
    expect(disksAt({ device: '254:1' }).toSorted()).toEqual([sys(INNER), sys(STICK)].toSorted())
    expect([disksAt({ device: '254:2' }), disksAt({ device: '9:9' })]).toEqual([[], []])
    const removable = ['8:1', '8:17', '179:0', '254:0', '254:1', '254:2'].map((device) =>
      isRemovable(disksAt({ device })),
    )
    expect(removable).toEqual([false, true, true, true, true, false])
  })

  it('takes an encrypted stick for one wherever it is mounted', () => {
    const mounts = [mount('8:1', '/'), mount('254:0', '/home/goran/keys'), mount('254:2', '/srv/odd')]
    const volumes = linuxVolumes(mounts, disksAt)
    expect(volumes).toMatchObject([{ folder: '/home/goran/keys', removable: true, disks: [sys(STICK)] }])
    expect(linuxVolumes([], disksAt)).toBeNull()
  })

  it('takes a folder for one of this machine only where the system says so', () => {
    const mounts = [
      mount('8:1', '/'),
      mount('0:40', '/tmp', 'tmpfs', 'tmpfs'),
      mount('254:2', '/srv/odd'),
      mount('0:41', '/srv/share', 'server:/share', 'nfs4'),
      mount('254:0', '/home/goran/keys'),
    ]
    const own = (folder: string) => isOwnFolder('linux', folder, mounts, disksAt)
    expect(['/home/goran', '/tmp/x', '/srv/odd', '/srv/share/x', '/home/goran/keys/in'].map(own)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ])
    expect(isOwnFolder('linux', '/home', [], disksAt)).toBe(false)
    expect([isOwnFolder('darwin', '/Volumes/KEYS', []), isOwnFolder('darwin', '/Users/goran', [])]).toEqual([
      false,
      true,
    ])
  })

  it('knows other parts of the same stick that are still in use', () => {
    const stick = { folder: '/media/keys', disks: [sys(STICK)] }
    const rest = [mount('8:1', '/'), mount('254:0', '/home/goran/keys')]
    expect(mountedOn([...rest, mount('8:18', '/media/keys')], stick, disksAt)).toEqual([
      '/home/goran/keys',
      '/media/keys',
    ])
    expect(mountedOn(rest, stick, disksAt)).toEqual(['/home/goran/keys'])
    expect(mountedOn(rest.slice(0, 1), stick, disksAt)).toEqual([])
    expect(mountedOn([], stick, disksAt)).toBeNull()
  })

  it('says that it may be pulled only where that is known', () => {
    const stick = { folder: '/media/keys', label: 'KEYS', fileSystem: '', removable: true, device: '', disks: ['sdb'] }
    const all = { closed: 0, more: false }
    const saidAfter = (left: string[] | null, disks = ['sdb']) =>
      afterLettingGo({ ...stick, disks }, all, left, 'linux')
    expect(saidAfter([])).toEqual({
      safe: true,
      said: 'Everything in the chosen folder is written out. KEYS is let go. It may be pulled now.',
    })
    for (const [left, disks, said] of [
      [null, ['sdb'], 'does not say whether it let go of KEYS'],
      [['/media/keys'], ['sdb'], 'still holds KEYS'],
      [['/media/other'], ['sdb'], 'still in use at /media/other'],
      [[], [], 'does not say whether other parts'],
    ] as const)
      expect(saidAfter(left && [...left], [...disks])).toEqual({ safe: false, said: expect.stringContaining(said) })
    expect(afterLettingGo(stick, { closed: 2, more: false }, [], 'linux').said).toBe(
      '2 files or folders could not be opened to write them out; all others are written out. KEYS is let go. It may be pulled now.',
    )
    expect(afterLettingGo(stick, { closed: 0, more: true }, null, 'linux').said).not.toContain('Everything')
  })

  it.runIf(process.platform === 'linux')(
    'where the programs of the system do not answer, nothing is safe',
    async () => {
      for (const platform of ['darwin', 'win32', 'aix'] as const) {
        expect([platform, await volumesNow(platform)]).toEqual([platform, null])
        expect(await letGo(bench.app, platform)).toEqual({
          safe: false,
          said: expect.stringContaining('nobody knows whether something may be pulled'),
        })
        expect(bench.app.medium).toBe(bench.base)
      }
    },
  )

  it('counts what could not be written out', () => {
    const folder = join(bench.base, 'out')
    mkdirSync(join(folder, 'in'), { recursive: true })
    for (const name of ['a', 'b', 'in/c']) writeFileSync(join(folder, name), name)
    expect(writeOut(folder)).toEqual({ closed: 0, more: false })
    expect(writeOut(folder, 3)).toEqual({ closed: 0, more: true })
  })

  it('counts files and folders that it may not open', (context) => {
    if (process.getuid?.() === 0) context.skip('the administrator of a machine may open everything')
    const folder = join(bench.base, 'shut')
    mkdirSync(join(folder, 'in'), { recursive: true, mode: 0o000 })
    writeFileSync(join(folder, 'a'), 'a', { mode: 0o000 })
    expect(writeOut(folder)).toEqual({ closed: 2, more: false })
    chmodSync(join(folder, 'in'), 0o700)
  })
})
