import { createHash } from 'node:crypto'
import { existsSync, lstatSync, readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { asKeyriteError } from '../../shared/errors.ts'
import { fromUtf8, toHex, utf8 } from '../../shared/formats/bytes.ts'
import { MB } from '../../shared/formats/json.ts'
import { readFileGuarded } from '../files/read.ts'
import type { Findings } from './findings.ts'

/** SHA256SUMS as `sha256sum --check` reads it. It is not signed: it finds damage, not intent. */

export const SUMS_NAME = 'SHA256SUMS'
export const SUMS_LINE = /^([0-9a-f]{64}) {2}([A-Za-z0-9][A-Za-z0-9._-]{0,200})$/

/** The list of these files, given their SHA-256 by name, in order of their names. */
export const sumsOf = (digests: Readonly<Record<string, Uint8Array>>): Uint8Array =>
  utf8(
    Object.keys(digests)
      .sort()
      .map((name) => `${toHex(digests[name] ?? new Uint8Array())}  ${name}\n`)
      .join(''),
  )

/** Compares every listed file, and names the files beside it that the list does not know. */
export function checkSums(path: string, findings: Findings): void {
  const folder = dirname(path)
  const listed = parseSums(path, findings)
  let same = 0
  for (const [name, hex] of listed) if (compare(join(folder, name), name, hex, findings)) same += 1
  if (same > 0)
    findings.fact(
      `${same} of ${listed.size} listed files have the digest that stands here. The list itself is not signed.`,
    )
  const unlisted = readdirSync(folder).filter(
    (name) => name !== basename(path) && !listed.has(name) && lstatSync(join(folder, name)).isFile(),
  )
  if (unlisted.length > 0) findings.fact(`Not on the list: ${unlisted.sort().join(', ')}.`)
}

function parseSums(path: string, findings: Findings): Map<string, string> {
  const listed = new Map<string, string>()
  const lines = fromUtf8(readFileGuarded(path, 4 * MB)).split('\n')
  findings.rule(lines.pop() === '', 'The last line does not end.')
  for (const line of lines) {
    const [, hex = '', name = ''] = SUMS_LINE.exec(line) ?? []
    if (name === '' || listed.has(name))
      findings.problem('A line is not a digest and the name of a file, or stands twice.')
    else listed.set(name, hex)
  }
  return listed
}

function compare(path: string, name: string, hex: string, findings: Findings): boolean {
  try {
    if (!existsSync(path)) findings.problem(`${name} is on the list but not in the folder.`)
    else if (
      createHash('sha256')
        .update(readFileGuarded(path, 1024 * MB))
        .digest('hex') === hex
    )
      return true
    else findings.problem(`${name} has another digest than the one that stands here.`)
  } catch (error) {
    findings.problem(asKeyriteError(error).message)
  }
  return false
}
