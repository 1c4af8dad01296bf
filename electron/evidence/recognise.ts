import { looksLikeExport } from '../../shared/formats/exported-key.ts'
import { MB } from '../../shared/formats/json.ts'
import { JWK_SET_TYP, readStatementHeader } from '../../shared/formats/jws.ts'
import { shareHeader } from '../../shared/formats/share-file.ts'
import { readStartGuarded } from '../files/read.ts'
import { SUMS_LINE } from './sums.ts'

/** What a file is, by its content alone: its name may say anything. */

/** In the order of checking: what others lean on comes first. */
export const KINDS = [
  'trust anchor',
  'succession',
  'record',
  'log',
  'evidence',
  'acceptance',
  'enrollment',
  'certificate',
  'inventory',
  'bundle',
  'tenant proof',
  'key material',
  'envelope',
  'revocation',
  'exported key',
  'receipts',
  'head card',
  'share',
  'checksums',
  'unknown',
] as const
export type Kind = (typeof KINDS)[number]

/** A map, because the name comes from a file: an object also answers to names such as `constructor`. */
const BY_TYP = new Map<string, Kind>([
  ['trust-anchor', 'trust anchor'],
  ['succession', 'succession'],
  ['enrollment', 'enrollment'],
  ['enrollment-acceptance', 'acceptance'],
  ['bundle', 'bundle'],
  ['material', 'key material'],
  ['envelope', 'envelope'],
  ['revocation', 'revocation'],
  ['receipt', 'receipts'],
  ['checkpoint', 'head card'],
])

const BY_MEMBER: [RegExp, Kind][] = [
  [/^\s*\{\s*"(?:closing|record)"\s*:/, 'record'],
  [/^\{"actor":/, 'log'],
  [/^\s*\{\s*"evidence"\s*:/, 'evidence'],
  [/^\s*\{\s*"certificate"\s*:/, 'certificate'],
  [/^\s*\{\s*"inventory"\s*:/, 'inventory'],
  [/^\s*\{\s*"inclusion"\s*:/, 'tenant proof'],
]

export const JSON_MAX = 128 * MB
const LINE_MAX = 32 * 1024
const FILE_MAX = 4 * 1024 ** 3

/** Looks at the beginning of a file. Codes of `readFileGuarded`. */
export function recognise(path: string): Kind {
  const line = firstLine(path)
  if (SUMS_LINE.test(line)) return 'checksums'
  const member = BY_MEMBER.find(([start]) => start.test(line))
  if (looksLikeExport(line)) return 'exported key'
  return member?.[1] ?? statementKind(line)
}

function isShare(line: string): boolean {
  try {
    shareHeader(line)
    return true
  } catch {
    return false
  }
}

function statementKind(line: string): Kind {
  if (isShare(line)) return 'share'
  try {
    const { typ } = readStatementHeader(line, LINE_MAX)
    if (typ === JWK_SET_TYP) return 'unknown'
    return BY_TYP.get(typ.replace(/^keyrite-(?:practice-)?/, '')) ?? 'unknown'
  } catch {
    return 'unknown'
  }
}

/** The first line, or the beginning of a file that is one long line; what is not UTF-8 in it matches nothing. */
function firstLine(path: string): string {
  const start = readStartGuarded(path, { maxBytes: FILE_MAX, length: LINE_MAX })
  const end = start.indexOf(10)
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(end > 0 ? start.subarray(0, end) : start)
}
