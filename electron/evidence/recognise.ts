import { isKeyriteError } from '../../shared/errors.ts'
import { fromUtf8 } from '../../shared/formats/bytes.ts'
import { MB } from '../../shared/formats/json.ts'
import { JWK_SET_TYP, readStatementHeader } from '../../shared/formats/jws.ts'
import { readFileGuarded, readLinesGuarded } from '../files/read.ts'
import { SUMS_LINE } from './sums.ts'

/** What a file is, by its content alone: its name may say anything. */

/** In the order of checking: what others lean on comes first. */
export const KINDS = [
  'trust anchor',
  'record',
  'evidence',
  'acceptance',
  'enrollment',
  'certificate',
  'bundle',
  'key material',
  'receipts',
  'head card',
  'checksums',
  'unknown',
] as const
export type Kind = (typeof KINDS)[number]

/** A map, because the name comes from a file: an object also answers to names such as `constructor`. */
const BY_TYP = new Map<string, Kind>([
  ['trust-anchor', 'trust anchor'],
  ['enrollment', 'enrollment'],
  ['enrollment-acceptance', 'acceptance'],
  ['bundle', 'bundle'],
  ['material', 'key material'],
  ['receipt', 'receipts'],
  ['checkpoint', 'head card'],
])

const BY_MEMBER: [RegExp, Kind][] = [
  [/^\s*\{\s*"(?:closing|record)"\s*:/, 'record'],
  [/^\s*\{\s*"evidence"\s*:/, 'evidence'],
  [/^\s*\{\s*"certificate"\s*:/, 'certificate'],
]

export const JSON_MAX = 128 * MB
const LINE_MAX = 32 * 1024
const FILE_MAX = 4 * 1024 ** 3

/** Looks at the beginning of a file. Codes of `readFileGuarded`. */
export function recognise(path: string): Kind {
  const line = firstLine(path)
  if (line === null) return 'unknown'
  if (SUMS_LINE.test(line)) return 'checksums'
  const member = BY_MEMBER.find(([start]) => start.test(line))
  return member?.[1] ?? statementKind(line)
}

function statementKind(line: string): Kind {
  try {
    const { typ } = readStatementHeader(line, LINE_MAX)
    if (typ === JWK_SET_TYP) return 'unknown'
    return BY_TYP.get(typ.replace(/^keyrite-(?:practice-)?/, '')) ?? 'unknown'
  } catch {
    return 'unknown'
  }
}

/** The first line, or the beginning of a file that is one long line; null for what is not text. */
function firstLine(path: string): string | null {
  try {
    for (const line of readLinesGuarded(path, { maxBytes: FILE_MAX, maxLine: LINE_MAX })) return fromUtf8(line)
    return null
  } catch (error) {
    if (!isKeyriteError(error, 'format-invalid')) throw error
  }
  try {
    return fromUtf8(
      readFileGuarded(path, JSON_MAX)
        .subarray(0, LINE_MAX)
        .filter((byte) => byte < 0x80),
    )
  } catch (error) {
    if (isKeyriteError(error, 'format-invalid') || isKeyriteError(error, 'file-too-large')) return null
    throw error
  }
}
