import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { readLinesGuarded } from '../../electron/files/read.ts'
import { readBundle } from '../../electron/handoff/bundle.ts'
import { readMaterial } from '../../electron/handoff/material.ts'
import { openCeremony } from '../../shared/domain/state.ts'
import { isKeyriteError } from '../../shared/errors.ts'
import { BUNDLE_CAPS } from '../../shared/formats/bundle-file.ts'
import { type Anchor, openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import { failure, type Genesis, makeGenesis, type Room } from '../ceremony/fixtures.ts'
import { RUNTIME, Story, withRuntime } from '../ceremony/kinds.ts'
import { resume } from './harness/aftermath.ts'
import './harness/cheap.ts'

/** Fault 3: export torn at every length; medium pulled [import rejects; export passes only after read-back]. */

vi.mock('../../electron/vault/kdf.ts', () => import('./harness/cheap-kdf.ts'))

let genesis: Genesis
let story: Story
/** A room after an export that nobody imported yet. */
let room: Room
let files: string[]
let anchor: Anchor
beforeAll(async () => {
  genesis = await makeGenesis()
  story = new Story(genesis)
  room = await story.enrolled()
  await room.run({ kind: 'handoff', runtime: RUNTIME, tenants: 'all' })
  files = [...room.written]
  anchor = await room.withVault((vault) => openTrustAnchor(vault.anchor.jws))
})
afterAll(() => genesis.remove())

/** The code of a refusal, or null. */
async function codeOf(work: Promise<unknown>): Promise<string | null> {
  return work.then(
    () => null,
    (error) => {
      if (isKeyriteError(error)) return error.code
      throw error
    },
  )
}

const LF = 10

function codeOfLines(path: string): string | null {
  try {
    for (const _ of readLinesGuarded(path, BUNDLE_CAPS));
    return null
  } catch (error) {
    if (isKeyriteError(error)) return error.code
    throw error
  }
}

/** Reads the first `length` bytes of a file as an import does. */
async function torn(path: string, length: number): Promise<string | null> {
  const part = join(genesis.base, 'torn')
  writeFileSync(part, readFileSync(path).subarray(0, length))
  return codeOf(basename(path).startsWith('bundle-') ? readBundle(part, anchor) : readMaterial(part, anchor))
}

/** Lengths at which a file looks most like a whole one: around each end of a line, and evenly between. */
function tellingLengths(path: string): number[] {
  const bytes = readFileSync(path)
  const ends = [...bytes.keys()].filter((at) => bytes[at] === 10).flatMap((at) => [at - 1, at, at + 1, at + 2])
  const even = Array.from({ length: 10 }, (_, part) => Math.floor((part * bytes.length) / 10))
  return [...new Set([...ends, ...even])].filter((length) => length >= 0 && length < bytes.length)
}

describe('a file of an export that was torn', () => {
  it.each(['bundle', 'material'])('%s: no length but the whole passes', async (type) => {
    const path = files.find((file) => basename(file).startsWith(`${type}-`)) ?? ''
    const bytes = readFileSync(path)
    const part = join(genesis.base, `torn-${type}`)
    writeFileSync(part, bytes)
    const borders: number[] = []
    const other = new Set<string | null>()
    // Both readers take a file by its lines: where a line is cut, they fail as the lines do.
    for (let length = bytes.length - 1; length >= 0; length--) {
      truncateSync(part, length)
      if (length === 0 || bytes[length - 1] === LF) borders.push(length)
      else other.add(codeOfLines(part))
    }
    expect([...other]).toEqual(['format-invalid'])
    expect(borders.length).toBeGreaterThan(2)
    for (const length of [...borders, ...tellingLengths(path)])
      expect(await torn(path, length), `${length} bytes`).not.toBeNull()
    expect(await torn(path, bytes.length)).toBeNull()
  })

  it.each(['bundle', 'material'])(
    '%s: the runtime imports nothing of it, and the whole files afterwards',
    async (type) => {
      const here = room.copy(genesis.folder())
      const copies = files.map((file) => join(here.media, basename(file)))
      const path = copies.find((file) => basename(file).startsWith(`${type}-`)) ?? ''
      const whole = readFileSync(path)
      await withRuntime(here, async ({ runtime }) => {
        for (const length of tellingLengths(path)) {
          writeFileSync(path, whole.subarray(0, length))
          expect(await codeOf(runtime.importFiles(copies)), `${length} of ${whole.length} bytes`).not.toBeNull()
          expect((await runtime.status()).tenants).toEqual([])
        }
        writeFileSync(path, whole)
        expect((await runtime.importFiles(copies)).outcome).toBe('imported')
      })
    },
  )
})

describe('a medium that is pulled before the files are read back', () => {
  const PULLED: [string, (path: string) => void][] = [
    ['the file is gone', (path) => rmSync(path)],
    ['the file is cut', (path) => truncateSync(path, readFileSync(path).length - 1)],
    ['the file is empty', (path) => truncateSync(path, 0)],
  ]
  const CASES = PULLED.flatMap(([what, pull]) => ['bundle', 'material'].map((type) => [type, what, pull] as const))

  it.each(CASES)(
    '%s: %s: the ceremony stops, shows no success, and ends once the medium is back',
    async (type, _, pull) => {
      const here = await story.enrolled()
      const plan = { kind: 'handoff', runtime: RUNTIME, tenants: 'all' } as const
      let whole: [string, Buffer] | undefined
      const error = await failure(
        here.run(plan, {
          ports: (ports) => ({
            ...ports,
            media: {
              ...ports.media,
              checkExport: (...given) => {
                const path = here.written.find((file) => basename(file).startsWith(`${type}-`)) ?? ''
                whole = [path, readFileSync(path)]
                pull(path)
                return ports.media.checkExport(...given)
              },
            },
          }),
        }),
      )
      expect(['file-missing', 'format-invalid']).toContain(error.code)
      expect(here.said.join('\n')).not.toContain('Read back')
      expect(openCeremony(await here.state())?.done.map(({ step }) => step)).not.toContain('compare-files')
      if (whole) writeFileSync(...whole)
      const present = [...here.people.keys()].filter((id) => id !== 'clara')
      const ready = { room: here, plan, confirm: [], secrets: {}, present }
      const { steps } = await resume(here, ready)
      expect(steps.map(({ step }) => step)).toContain('compare-files')
    },
  )
})
