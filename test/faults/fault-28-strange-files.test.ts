import { execFileSync } from 'node:child_process'
import fs, { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { initRuntime } from '../../electron/issuer/init.ts'
import type { CeremonyKind } from '../../shared/domain/events.ts'
import { failure, filesOf, type Genesis, makeGenesis } from '../ceremony/fixtures.ts'
import { RUNTIME, Story, withRuntime } from '../ceremony/kinds.ts'
import './harness/cheap.ts'

/** Fault 28: symlink, FIFO, device, changing file on import [refused]. What the reader itself refuses: test/files/read.test.ts. */

vi.mock('../../electron/vault/kdf.ts', () => import('./harness/cheap-kdf.ts'))

let genesis: Genesis
let story: Story
let aside: string
beforeAll(async () => {
  genesis = await makeGenesis()
  story = new Story(genesis)
  aside = mkdtempSync(join(tmpdir(), 'keyrite-strange-'))
})
afterAll(() => {
  genesis.remove()
  rmSync(aside, { recursive: true, force: true })
})

/** Puts something else in the place of a file that is to be imported. */
const INSTEAD: [string, (path: string) => void][] = [
  [
    'a symbolic link to the very file',
    (path) => {
      const target = join(aside, basename(path))
      copyFileSync(path, target)
      rmSync(path)
      symlinkSync(target, path)
    },
  ],
  [
    'a FIFO',
    (path) => {
      rmSync(path)
      execFileSync('mkfifo', [path])
    },
  ],
  [
    'a device, by a link',
    (path) => {
      rmSync(path)
      symlinkSync('/dev/zero', path)
    },
  ],
  [
    'a folder',
    (path) => {
      rmSync(path)
      mkdirSync(path)
    },
  ],
]

describe.skipIf(process.platform === 'win32')('a file on the medium that is none', () => {
  const CEREMONIES: [CeremonyKind, string][] = [
    ['enroll-runtime', 'enrollment'],
    ['intake', 'receipts'],
  ]
  describe.each(CEREMONIES)('a ceremony that takes it: %s', (kind, field) => {
    it.each(INSTEAD)('%s: file-refused, and the vault is as it was', async (_what, replace) => {
      const { room, plan } = await story.ready(kind)
      const name = String(plan[field])
      replace(join(room.media, name))
      const before = (await room.state()).head
      expect((await failure(room.run(plan))).code).toBe('file-refused')
      expect((await room.state()).head).toBe(before)
    })
  })

  describe.each(['bundle', 'material'])('a runtime that imports it: the %s', (type) => {
    it.each(INSTEAD)('%s: file-refused, and the runtime is as it was', async (_what, replace) => {
      const room = await story.enrolled()
      await room.run({ kind: 'handoff', runtime: RUNTIME, tenants: 'all' })
      const files = [...room.written]
      const path = files.find((file) => basename(file).startsWith(`${type}-`)) ?? ''
      replace(path)
      await withRuntime(room, async ({ runtime }) => {
        expect((await failure(runtime.importFiles(files))).code).toBe('file-refused')
        expect((await runtime.status()).tenants).toEqual([])
      })
    })
  })

  it.each(INSTEAD)(
    'a trust anchor for a new runtime: %s: file-refused, and no runtime is made',
    async (_what, replace) => {
      const room = story.born()
      const [anchor = ''] = filesOf(room.media)
      replace(join(room.media, anchor))
      const made = initRuntime({
        dir: join(room.base, 'eu-strange'),
        trustAnchorFile: join(room.media, anchor),
        runtimeId: 'eu-strange',
        environment: 'test',
        listen: { host: '127.0.0.1', port: 1 },
        enrollmentFolder: room.media,
        practice: true,
        clock: room.clock,
      })
      expect((await failure(made)).code).toBe('file-refused')
      expect(filesOf(room.base).filter((name) => name.startsWith('eu-strange'))).toEqual([])
    },
  )
})

describe('a file that changes while it is imported', () => {
  it('a bundle that is touched: file-refused, and the runtime is as it was', async () => {
    const room = await story.enrolled()
    await room.run({ kind: 'handoff', runtime: RUNTIME, tenants: 'all' })
    const [bundle = '', material = ''] = room.written
    await withRuntime(room, async ({ runtime }) => {
      const { readSync } = fs
      let touched = 0
      fs.readSync = ((...given: Parameters<typeof readSync>) => {
        fs.utimesSync(bundle, ++touched, touched)
        return readSync(...given)
      }) as typeof readSync
      syncBuiltinESMExports()
      const error = await failure(runtime.importFiles([bundle, material])).finally(() => {
        fs.readSync = readSync
        syncBuiltinESMExports()
      })
      expect(error.code).toBe('file-refused')
      expect((await runtime.status()).tenants).toEqual([])
    })
  })
})
