import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Code } from '../../shared/errors.ts'
import { stateOf, temporaryFolder } from '../issuer/fixtures.ts'
import { FORESEEN, mutateFile, refusal, resigned } from './files.ts'
import { makeKinds } from './kinds.ts'
import { rounds, TIMEOUT } from './rounds.ts'

/** Files of the air gap, changed on the way: refused for a reason that is foreseen, and nothing is left of them. */

/** Reading lines from a file takes longer than reading one statement. */
const shareOf = (name: string) => (['bundle', 'key material', 'revocation'].includes(name) ? 1 / 20 : 1 / 8)
const NAMES = ['bundle', 'key material', 'revocation', 'trust anchor', 'succession', 'enrollment'] as const
const spelled = (file: Buffer) => JSON.stringify(file.toString('latin1')).slice(0, 3000)
/** The third line of a succession repeats the old trust anchor for people; who reads it has that one pinned. */
function sameSaid(name: string, file: Buffer, good: Buffer): boolean {
  const said = (bytes: Buffer) => bytes.toString('latin1').split('\n').with(2, '').join('\n')
  return (
    file.equals(good) ||
    (name === 'succession' && file.toString('latin1').split('\n').length > 3 && said(file) === said(good))
  )
}
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
/** What only a whole import, or a file of the right signer, may be refused for. */
const IN_PLACE: readonly Code[] = [
  ...FORESEEN,
  'bundle-lower',
  'bundle-gap',
  'bundle-forked',
  'bundle-refused',
  'key-refused',
  'clock-refused',
  'policy-rejected',
  'issuer-url-invalid',
  'tenant-id-invalid',
  'bundle-late',
  'tombstone-hit',
  'file-from-future',
  'runtime-behind',
  'revocation-lower',
  'revocation-forked',
]

it.each(NAMES)(
  'reading a changed file: %s',
  async (name) => {
    const { kinds } = await makeKinds()
    const kind = kinds[name]
    if (!kind) throw new Error('no such kind')
    await kind.open(kind.file)
    const codes = new Set<string>()
    await rounds(
      `reading: ${name}`,
      async (random) => {
        const file = mutateFile(random, kind.file, (_, jws) => resigned(random, jws, stranger))
        const code = await refusal(() => kind.open(file))
        if (code === null && !sameSaid(name, file, kind.file)) throw new Error(`taken: ${spelled(file)}`)
        if (code !== null) codes.add(code)
      },
      { share: shareOf(name) },
    )
    expect(codes).toContain('format-invalid')
    expect(codes).toContain('signature-invalid')
  },
  TIMEOUT,
)

it.each(NAMES)(
  'reading what the right key signed, with other contents: %s',
  async (name) => {
    const { kinds } = await makeKinds()
    const kind = kinds[name]
    if (!kind) throw new Error('no such kind')
    await rounds(
      `signed anew: ${name}`,
      async (random) => {
        const lines = kind.file.toString('latin1').split('\n')
        const file = Buffer.from(lines.with(0, resigned(random, lines[0] ?? '', kind.own)).join('\n'), 'latin1')
        await refusal(() => kind.open(file), IN_PLACE)
      },
      { share: shareOf(name) },
    )
  },
  TIMEOUT,
)

it(
  'importing changed files: the store stays as it was, and then takes the good ones',
  async () => {
    const { kinds, made, handoff, revocation } = await makeKinds()
    const { runtime } = made
    const before = await stateOf(runtime)
    const path = join(temporaryFolder(), 'file.keyrite')
    await rounds(
      'importing',
      async (random, at) => {
        const name = random.pick(NAMES)
        const kind = kinds[name]
        if (!kind) throw new Error('no such kind')
        const file = mutateFile(random, kind.file, (_, jws) => resigned(random, jws, stranger))
        if (sameSaid(name, file, kind.file)) return
        writeFileSync(path, file)
        const asRevocation = name === 'revocation' || random.chance(0.05)
        const code = await refusal(async () => {
          if (asRevocation) await runtime.importRevocation(path, 'test')
          else if (name === 'succession') await runtime.takeSuccession(path)
          else if (name === 'trust anchor') await runtime.repin(path, 'a'.repeat(64))
          else await runtime.importFiles(name === 'key material' ? [handoff.bundle, path] : [path])
        }, [...IN_PLACE, 'comparison-failed'])
        if (code === null) throw new Error(`taken: ${spelled(file)}`)
        if (at % 20 === 0) expect(await stateOf(runtime)).toBe(before)
      },
      { share: 1 / 40 },
    )
    expect(await stateOf(runtime)).toBe(before)
    expect((await runtime.importFiles([handoff.bundle])).outcome).toBe('imported')
    expect((await runtime.importRevocation(revocation, 'test')).outcome).toBe('revoked')
  },
  TIMEOUT,
)
