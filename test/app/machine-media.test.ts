import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { volumeUnder } from '../../electron/app/machine/media.ts'
import { mountOf, parseMounts } from '../../electron/app/machine/mounts.ts'
import { waysOut, windowsEject } from '../../electron/app/machine/unmount.ts'
import {
  parseMacMounts,
  parseMacRemovable,
  parseWindowsDrives,
  plainLabel,
  type Volume,
} from '../../electron/app/machine/volumes.ts'
import { type ReadyPractice, readyPractice } from '../../electron/app/practice/ready.ts'
import { Vault } from '../../electron/vault/vault.ts'
import { Bench } from './machine-context.ts'

describe('mounted volumes', () => {
  const TABLE = [
    '22 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw',
    '40 22 254:0 / /home rw,nosuid shared:9 - ext4 /dev/mapper/home rw',
    '77 22 8:17 / /media/goran/KEY\\040STICK ro,nosuid - vfat /dev/sdb1 ro,codepage=437',
    '78 22 0:44 / /home rw - tmpfs tmpfs rw',
    'nonsense',
  ].join('\n')

  it('are read from the table of Linux, spaces and all', () => {
    const mounts = parseMounts(TABLE)
    expect(mounts).toHaveLength(4)
    expect(mounts[2]).toEqual({
      device: '8:17',
      folder: '/media/goran/KEY STICK',
      readOnly: true,
      fileSystem: 'vfat',
      source: '/dev/sdb1',
    })
    expect(mountOf(mounts, '/media/goran/KEY STICK/in')?.device).toBe('8:17')
    expect(mountOf(mounts, '/homes')?.device).toBe('259:2')
    expect(mountOf(mounts, '/home/x')?.fileSystem).toBe('tmpfs')
    expect(mountOf([], '/')).toBeNull()
  })

  it('have the labels that people gave them', () => {
    expect(plainLabel('KEY\\x20STICK')).toBe('KEY STICK')
    expect(plainLabel('Schl\\xc3\\xbcssel')).toBe('Schlüssel')
  })

  it('are read from what macOS and Windows say', () => {
    const mac = '/dev/disk3s1 on / (apfs, local)\n/dev/disk4s1 on /Volumes/KEY STICK (msdos, local, nodev)\n'
    expect(parseMacMounts(mac)).toEqual([{ device: '/dev/disk4s1', folder: '/Volumes/KEY STICK', fileSystem: 'msdos' }])
    expect(parseMacRemovable('   Device Location:           External\n')).toBe(true)
    expect(parseMacRemovable('   Removable Media:           Fixed\n   Device Location:  Internal\n')).toBe(false)
    const drive = { DeviceID: 'E:', VolumeName: 'KEYS', FileSystem: 'exFAT', DriveType: 2 }
    const stick = { folder: 'E:\\', label: 'KEYS', fileSystem: 'exFAT', removable: true, device: 'E:', disks: [] }
    const system = { ...drive, DeviceID: 'C:', DriveType: 3 }
    const all = [drive, system, { ...drive, DeviceID: 'Z:', DriveType: 4 }]
    expect(parseWindowsDrives(JSON.stringify(all), 'C:')).toEqual([stick])
    expect(parseWindowsDrives(JSON.stringify(system), 'C:')).toEqual([])
    // Without the drive that is always there, nothing was answered.
    for (const strange of [
      '',
      '{}',
      '[]',
      '[1]',
      JSON.stringify(drive),
      JSON.stringify({ ...system, DeviceID: "C:'; rm" }),
    ])
      expect([strange, parseWindowsDrives(strange, 'C:')]).toEqual([strange, null])
  })

  it('hold the folder below them that is deepest', () => {
    const volume = (folder: string): Volume => ({
      folder,
      label: '',
      fileSystem: '',
      removable: true,
      device: '',
      disks: [],
    })
    const volumes = [volume('/media/a'), volume('/media/a/b')]
    expect(volumeUnder(volumes, '/media/a/b/c')?.folder).toBe('/media/a/b')
    expect(volumeUnder(volumes, '/media/ab')).toBeNull()
    expect(volumeUnder([volume('E:\\')], 'E:\\')?.folder).toBe('E:\\')
  })

  it('are let go by fixed programs, with what they are called as one argument', () => {
    const stick = { device: '/dev/sdb1', folder: '/media/x; reboot' }
    expect(waysOut('linux', stick)).toEqual([
      ['udisksctl', 'unmount', '--no-user-interaction', '-b', '/dev/sdb1'],
      ['umount', '--', '/media/x; reboot'],
    ])
    expect(waysOut('darwin', stick)).toEqual([['/usr/sbin/diskutil', 'eject', '/dev/sdb1']])
    expect(waysOut('win32', stick)).toEqual([])
    expect(windowsEject('E:')).toContain("ParseName('E:').InvokeVerb('Eject')")
  })
})

describe('choosing a medium', () => {
  const bench = new Bench({ medium: null })
  afterAll(() => bench.remove())
  const inBase = (name: string) => join(bench.base, name)

  it('is needed before anything is carried', async () => {
    expect(await bench.codeOf('files', {})).toBe('medium-failed')
    expect(await bench.codeOf('unmount', {})).toBe('medium-failed')
    expect((await bench.call('media', {})).chosen).toBeNull()
  })

  it('takes an existing folder that can be written, by its whole path, and no link', async () => {
    mkdirSync(inBase('stick'))
    symlinkSync(inBase('stick'), inBase('link'))
    writeFileSync(inBase('file'), '')
    expect(await bench.codeOf('chooseMedium', { folder: 'stick' })).toBe('file-refused')
    expect(await bench.codeOf('chooseMedium', { folder: inBase('link') })).toBe('file-refused')
    expect(await bench.codeOf('chooseMedium', { folder: inBase('file') })).toBe('file-refused')
    expect(await bench.codeOf('chooseMedium', { folder: inBase('nowhere') })).toBe('file-missing')
    expect(await bench.codeOf('chooseMedium', { folder: `${inBase('stick')}\0` })).toBe('file-refused')
    expect(bench.app.medium).toBeNull()
    const chosen = await bench.call('chooseMedium', { folder: inBase('stick') })
    expect(chosen).toMatchObject({ folder: inBase('stick'), label: 'stick', removable: false, writable: true })
    expect(chosen.free).toBeGreaterThan(0)
    const { media, chosen: folder } = await bench.call('media', {})
    expect(folder).toBe(inBase('stick'))
    expect(media.at(-1)).toMatchObject({ folder: inBase('stick') })
  })

  it('refuses a folder in which nothing can be written', async (context) => {
    if (process.getuid?.() === 0) context.skip('the administrator of a machine may write everywhere')
    mkdirSync(inBase('read-only'))
    chmodSync(inBase('read-only'), 0o500)
    expect(await bench.codeOf('chooseMedium', { folder: inBase('read-only') })).toBe('medium-failed')
  })

  it('offers the folders inside another by name, without links and hidden ones', async () => {
    mkdirSync(inBase('.hidden'))
    mkdirSync(inBase('another'))
    const { folder, parent, folders } = await bench.call('folders', { folder: null })
    expect([folder, parent]).toEqual([bench.base, join(bench.base, '..')])
    expect(folders.filter((name) => name !== 'read-only')).toEqual(['another', 'stick'])
    expect((await bench.call('folders', { folder: '/' })).parent).toBeNull()
    expect(await bench.codeOf('folders', { folder: inBase('link') })).toBe('file-refused')
  })

  it('says of a folder of this machine that there is nothing to pull, and keeps it chosen', async () => {
    writeFileSync(join(inBase('stick'), 'a'), 'a')
    await bench.call('chooseMedium', { folder: inBase('stick') })
    expect(await bench.call('unmount', {})).toEqual({
      safe: true,
      said: 'Everything is written out. This is a folder of this machine: there is nothing to pull.',
    })
    expect(bench.app.medium).toBe(inBase('stick'))
  })
})

describe('inspecting what lies on a medium', () => {
  let ready: ReadyPractice
  let bench: Bench
  beforeAll(async () => {
    ready = await readyPractice()
    bench = new Bench({ home: ready.home, medium: ready.medium })
    writeFileSync(join(ready.medium, 'amend.json'), '{"kind":"amend","reason":"A new name","changes":[]}')
    writeFileSync(join(ready.medium, 'notes.txt'), 'buy batteries')
    writeFileSync(join(ready.medium, 'old-key.pem'), '-----BEGIN PRIVATE KEY-----\n')
  })
  afterAll(() => {
    bench.app.view?.vault.close()
    bench.remove()
    ready.remove()
  })
  const named = async (kind: string): Promise<string> =>
    (await bench.call('files', {})).files.find((file) => file.kind === kind)?.name ?? `no ${kind}`
  const open = async (): Promise<void> => {
    const [person] = ready.practice.people
    if (!person) throw new Error('The practice vault has nobody.')
    const vault = await Vault.open(ready.practice.folder, new Map([[person.id, person.passphrase]]))
    const by = vault.present.get(person.id)
    if (!by) throw new Error('Nobody came in.')
    bench.app.view = { vault, folder: ready.practice.folder, by, openedAt: 0 }
  }

  it('tells by their content what the files are', async () => {
    const { files } = await bench.call('files', {})
    const kinds = Object.fromEntries(files.map(({ name, kind }) => [name.replace(/-[0-9a-f]{8}-.*/, ''), kind]))
    expect(kinds).toEqual({
      'amend.json': 'plan',
      'notes.txt': 'other',
      'old-key.pem': 'other',
      enrollment: 'enrollment',
      receipts: 'receipts',
      'trust-anchor': 'trust anchor',
    })
  })

  it('verifies nothing while no vault is open, and says so', async () => {
    for (const kind of ['receipts', 'enrollment', 'trust anchor'])
      expect(await bench.call('inspect', { name: await named(kind) })).toMatchObject({ kind, verified: false })
    const { signer } = await bench.call('inspect', { name: await named('receipts') })
    expect(signer).toBe('No vault is open, so nobody has checked who signed this.')
  })

  it('checks receipts as an intake will, and refuses them when a byte is changed', async () => {
    await open()
    const name = await named('receipts')
    const inspected = await bench.call('inspect', { name })
    expect(inspected).toMatchObject({ verified: true, runtime: 'issuer-east' })
    expect(inspected.signer).toBe('Signed by the runtime issuer-east, with the receipt key that the root accepted.')
    expect(inspected.facts).toContainEqual({
      name: 'Receipts new to the vault',
      value: expect.stringMatching(/^\d+: numbers/),
    })
    const text = readFileSync(join(ready.medium, name), 'utf8')
    const lines = text.trimEnd().split('\n')
    const [last = ''] = lines.slice(-1)
    const forged = `${last.slice(0, -6)}${last.at(-6) === 'A' ? 'B' : 'A'}${last.slice(-5)}`
    writeFileSync(join(ready.medium, 'forged.keyrite'), `${[...lines.slice(0, -1), forged].join('\n')}\n`)
    expect(await bench.codeOf('inspect', { name: 'forged.keyrite' })).toBe('signature-invalid')
    writeFileSync(join(ready.medium, 'gap.keyrite'), `${last}\n`)
    expect(await bench.codeOf('inspect', { name: 'gap.keyrite' })).toBe('receipts-gap')
  })

  it('never takes an enrollment for verified before a quorum accepted it', async () => {
    const fresh = await bench.call('inspect', { name: await named('enrollment') })
    expect(fresh).toMatchObject({ verified: false, runtime: 'issuer-west' })
    expect(fresh.facts).toContainEqual({ name: 'Asks to be known to', value: 'Harbour rehearsal' })
    expect(fresh.digest.hex).toHaveLength(16)
    expect(fresh.digest.words).toHaveLength(24)
  })

  it('knows the trust anchor of the open vault', async () => {
    expect(await bench.call('inspect', { name: await named('trust anchor') })).toMatchObject({ verified: true })
  })

  it('checks bundle, key material and backup that left the vault', async () => {
    const before = bench.app.medium
    bench.app.medium = join(ready.home, '..', 'media')
    expect(await bench.call('inspect', { name: await named('bundle') })).toMatchObject({
      verified: true,
      signer: 'Signed by the root of Harbour rehearsal, the open vault.',
      runtime: 'issuer-east',
    })
    expect(await bench.call('inspect', { name: await named('key material') })).toMatchObject({ verified: true })
    expect(await bench.call('inspect', { name: await named('backup') })).toMatchObject({ verified: false })
    expect(await bench.call('inspect', { name: await named('enrollment') })).toMatchObject({ verified: true })
    bench.app.medium = before
  })

  it('shows of other files what they look like, and a plan that is wrong as wrong', async () => {
    expect((await bench.call('inspect', { name: 'notes.txt' })).facts).toEqual([
      { name: 'Looks like', value: 'no file of Keyrite' },
    ])
    const key = await bench.call('inspect', { name: 'old-key.pem' })
    expect(key.facts[0]?.value).toContain('a private key in PEM form')
    expect(await bench.codeOf('inspect', { name: 'amend.json' })).toBe('plan-invalid')
  })

  it('goes out as QR codes and comes back the same, and never over a file that is there', async () => {
    const name = await named('receipts')
    const { frames } = await bench.call('qrFrames', { name })
    expect(await bench.codeOf('takeQr', { frames })).toBe('file-exists')
    const there = join(bench.base, 'arrives')
    mkdirSync(there)
    const here = bench.app.medium ?? ''
    bench.app.medium = there
    expect(await bench.codeOf('takeQr', { frames: frames.slice(1) })).toBe('format-invalid')
    expect(existsSync(join(there, name))).toBe(false)
    expect(await bench.call('takeQr', { frames: frames.toReversed() })).toEqual({ name })
    expect(readFileSync(join(there, name))).toEqual(readFileSync(join(here, name)))
    bench.app.medium = here
    writeFileSync(join(here, 'large.bin'), new Uint8Array(64 * 1024 + 1))
    expect(await bench.codeOf('qrFrames', { name: 'large.bin' })).toBe('file-too-large')
  })
})
