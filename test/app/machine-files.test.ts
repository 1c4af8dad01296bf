import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { toFrames } from '../../shared/formats/qr-frames.ts'
import { Bench } from './machine-context.ts'

/** Fault 28: a symbolic link, a FIFO, a device or a changing file where the screens expect a file. */

const bench = new Bench()
afterAll(() => bench.remove())
const onMedium = (name: string) => join(bench.base, name)
const SECRET = 'a file of this machine that no medium may reach'

const STRANGE = ['link.keyrite', 'dangling.keyrite', 'pipe.keyrite', 'null.keyrite', 'folder.keyrite']
writeFileSync(onMedium('target.txt'), SECRET)
mkdirSync(onMedium('folder.keyrite'))
symlinkSync(onMedium('target.txt'), onMedium('link.keyrite'))
symlinkSync(onMedium('nowhere'), onMedium('dangling.keyrite'))
symlinkSync('/dev/zero', onMedium('null.keyrite'))
execFileSync('mkfifo', [onMedium('pipe.keyrite')])

describe('strange files on a medium', () => {
  it('are not listed', async () => {
    writeFileSync(onMedium('plain\u202etxt.keyrite'), 'a name that reads backwards')
    writeFileSync(onMedium('.hidden'), 'hidden')
    const { files } = await bench.call('files', {})
    expect(files.map(({ name }) => name)).toEqual(['target.txt'])
  })

  it.each(STRANGE)('are neither inspected nor shown as QR codes: %s', async (name) => {
    const refused = name === 'dangling.keyrite' ? ['file-refused', 'file-missing'] : ['file-refused']
    expect(refused).toContain(await bench.codeOf('inspect', { name }))
    expect(refused).toContain(await bench.codeOf('qrFrames', { name }))
  })

  it('are told of without what stands in them', async () => {
    await expect(bench.call('inspect', { name: 'link.keyrite' })).rejects.toThrow('it is not a regular file')
    await expect(bench.call('inspect', { name: 'link.keyrite' })).rejects.not.toThrow(SECRET)
  })

  it.each(['../x', '..', '.', '.hidden', 'a/b', 'a\\b', '/etc/passwd', 'a\0b', 'a\nb', '\u202ea'])(
    'cannot be named from elsewhere: %j',
    async (name) => {
      expect(await bench.codeOf('inspect', { name })).toBe('file-refused')
      expect(await bench.codeOf('qrFrames', { name })).toBe('file-refused')
    },
  )

  it('are never written through by what a camera read', async () => {
    for (const name of STRANGE) {
      const frames = toFrames(name, randomBytes(100))
      expect(await bench.codeOf('takeQr', { frames })).toBe('file-exists')
    }
    expect(readFileSync(onMedium('target.txt'), 'utf8')).toBe(SECRET)
    expect(readdirSync(bench.base)).not.toContain('nowhere')
    expect(readdirSync(bench.base).filter((name) => name.endsWith('.partial'))).toEqual([])
  })
})

describe('a file that changes while it is read', () => {
  it('is refused: no mixture of two contents is ever shown', async () => {
    const path = onMedium('growing.bin')
    writeFileSync(path, new Uint8Array(48 * 1024 * 1024))
    const writer = spawn('sh', ['-c', 'i=0; while [ $i -lt 400000 ]; do printf x >> "$0"; i=$((i+1)); done', path])
    try {
      const codes = new Set<string>()
      for (let turn = 0; turn < 40 && !codes.has('file-refused'); turn++) {
        codes.add(await bench.codeOf('inspect', { name: 'growing.bin' }))
        await setTimeout(20)
      }
      expect(codes).toContain('file-refused')
    } finally {
      writer.kill('SIGKILL')
    }
  })
})
