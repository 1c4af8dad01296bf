import { type KeyObject, sign } from 'node:crypto'
import { type Code, isKeyriteError } from '../../shared/errors.ts'
import { mutateBytes, mutateJson, type Random } from './random.ts'

/** Files that crossed the air gap and were changed on the way: their bytes, their lines, or what is signed in them. */

/** What reading such a file may be refused for; anything else, `internal` above all, is a defect. */
export const FORESEEN: readonly Code[] = [
  'format-invalid',
  'json-invalid',
  'jose-refused',
  'signature-invalid',
  'decryption-failed',
  'file-too-large',
  'file-expired',
  'vault-mismatch',
  'practice-refused',
  'audience-wrong',
  'environment-wrong',
  'usage-invalid',
]

/** The code of a refusal that is foreseen, or null when the file was taken. Throws for anything else. */
export async function refusal(work: () => unknown, foreseen: readonly Code[] = FORESEEN): Promise<Code | null> {
  try {
    await work()
    return null
  } catch (error) {
    if (isKeyriteError(error) && foreseen.includes(error.code)) return error.code
    throw error
  }
}

/** Some other file: bytes changed anywhere, lines swapped, doubled or left out, or a statement made anew. */
export function mutateFile(random: Random, file: Buffer, resign: (random: Random, jws: string) => string): Buffer {
  const lines = file.toString('latin1').split('\n')
  switch (random.below(5)) {
    case 0:
    case 1:
      return mutateBytes(random, file)
    case 2:
      return Buffer.from(shuffled(random, lines).join('\n'), 'latin1')
    case 3: {
      const at = random.below(lines.length - 1)
      return Buffer.from(lines.with(at, mutateLine(random, lines[at] ?? '')).join('\n'), 'latin1')
    }
    default:
      return Buffer.from(lines.with(0, resign(random, lines[0] ?? '')).join('\n'), 'latin1')
  }
}

function shuffled(random: Random, lines: string[]): string[] {
  const [from, to] = [random.below(lines.length), random.below(lines.length)]
  const line = lines[from] ?? ''
  if (random.chance(0.3)) return lines.toSpliced(from, 1)
  if (random.chance(0.3)) return lines.toSpliced(to, 0, line)
  return lines.with(from, lines[to] ?? '').with(to, line)
}

/** A line of JSON with a change in it, still JSON; any other line with changed bytes. */
function mutateLine(random: Random, line: string): string {
  try {
    return JSON.stringify(mutateJson(random, JSON.parse(line)))
  } catch {
    return mutateBytes(random, Buffer.from(line, 'latin1')).toString('latin1')
  }
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value) ?? 'null').toString('base64url')

/** Takes a statement apart, changes its header, its claims or neither, and has `key` sign what became of it. */
export function resigned(random: Random, jws: string, key: KeyObject): string {
  const read = (part = ''): unknown => JSON.parse(Buffer.from(part, 'base64url').toString())
  const [header, claims] = jws.split('.')
  const newHeader = random.chance(0.4) ? mutateJson(random, read(header)) : read(header)
  const newClaims = random.chance(0.7) ? mutateJson(random, read(claims)) : read(claims)
  const input = `${encode(newHeader)}.${encode(newClaims)}`
  const hash = key.asymmetricKeyType === 'ed25519' ? null : 'sha256'
  return `${input}.${sign(hash, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}
