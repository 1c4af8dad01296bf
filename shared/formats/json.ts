import serialize from 'canonicalize'
import type { z } from 'zod'
import { type Code, KeyriteError } from '../errors.ts'
import { type Bytes, fromUtf8, utf8 } from './bytes.ts'

/** Strict JSON: one parser for everything that crosses a border. */

export type Caps = { maxBytes: number; maxDepth?: number }

export const KB = 1024
export const MB = 1024 * 1024

/** Canonical JSON (RFC 8785) of plain data. */
export function canonicalText(value: unknown): string {
  const text = serialize(value)
  if (text === undefined) throw new KeyriteError('internal', 'A value has no canonical JSON form.')
  return text
}

export const canonicalBytes = (value: unknown): Bytes => utf8(canonicalText(value))

/**
 * Parses JSON text strictly. Beyond RFC 8259 it refuses, as `json-invalid`: more than `maxBytes` bytes or `maxDepth`
 * levels (before any other work), malformed UTF-8, a byte order mark, trailing bytes, duplicate member names (RFC 8259
 * section 4 leaves them open), lone surrogates, `-0`, and integers that a double cannot hold (RFC 7493 section 2.2).
 */
export function parseJson(input: Uint8Array | string, { maxBytes, maxDepth = 32 }: Caps): unknown {
  if (input.length > maxBytes) throw new KeyriteError('file-too-large', `JSON of more than ${maxBytes} bytes.`)
  const text = typeof input === 'string' ? input : fromUtf8(input)
  if (!text.isWellFormed()) refuse('a lone surrogate')
  if (!scan(text, maxDepth, inOrder)) scan(text, maxDepth, onceEach)
  try {
    return JSON.parse(text)
  } catch {
    return refuse('not well-formed JSON')
  }
}

const NUMBER = /-?\d[\d.eE+-]*/y
const NAME_END = /[ \t\n\r]*:/y

const QUOTE = 0x22
const MINUS = 0x2d
const COLON = 0x3a
const LIST = 0x5b
const BACKSLASH = 0x5c
const LIST_END = 0x5d
const OBJECT = 0x7b
const OBJECT_END = 0x7d
const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39

/** Takes the names of one object as they come: false when it cannot tell whether each stands once. */
type Names = (name: string) => boolean

/** Names that rise, as in canonical JSON (RFC 8785 section 3.2.3), cannot repeat: nothing need be kept but the last. */
function inOrder(): Names {
  let last: string | null = null
  return (name) => {
    const rises = last === null || name > last
    last = name
    return rises
  }
}

/** Names in any order. */
function onceEach(): Names {
  const seen = new Set<string>()
  return (name) => {
    if (seen.has(name)) refuse('a duplicate member name')
    seen.add(name)
    return true
  }
}

/**
 * One pass over the tokens, before any value is built, in time proportional to the text. Grammar is left to JSON.parse;
 * here only what it would let pass. Gives false as soon as `ofObject` cannot tell whether a name stands once.
 */
function scan(text: string, maxDepth: number, ofObject: () => Names): boolean {
  const names: (Names | null)[] = []
  const escapes = text.includes('\\')
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      const end = escapes ? endOfString(text, at) : text.indexOf('"', at + 1)
      if (end < 0) refuse('not well-formed JSON')
      if (!checkString(text, at, end, escapes, names[names.length - 1] ?? null)) return false
      at = end
    } else if (code === OBJECT || code === LIST) {
      names.push(code === OBJECT ? ofObject() : null)
      if (names.length > maxDepth) refuse(`more than ${maxDepth} levels`)
    } else if (code === OBJECT_END || code === LIST_END) {
      names.pop()
    } else if (code === MINUS || isDigit(code)) {
      at = endOfNumber(text, at) - 1
    }
  }
  return true
}

/** The place of the closing quote, or -1. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) return at
    if (code === BACKSLASH) at++
  }
  return -1
}

/** The place after a number that a double holds. */
function endOfNumber(text: string, start: number): number {
  let at = start
  while (isDigit(text.charCodeAt(at))) at++
  const after = text[at]
  const plain = after === ',' || after === '}' || after === ']'
  if (plain && at > start && at - start <= 15) return at
  NUMBER.lastIndex = start
  const token = NUMBER.exec(text)?.[0] ?? refuse('not well-formed JSON')
  checkNumber(token)
  return start + token.length
}

/** A string is a member's name when a colon follows; each stands once, and no escape may spell a lone surrogate. */
function checkString(text: string, start: number, end: number, escapes: boolean, names: Names | null): boolean {
  const isName = names !== null && endsName(text, end + 1)
  if (!isName && !escapes) return true
  const raw = text.slice(start + 1, end)
  const escaped = escapes && raw.includes('\\')
  if (!isName && !escaped) return true
  const value = escaped ? unescaped(text.slice(start, end + 1)) : raw
  if (!value.isWellFormed()) refuse('a lone surrogate')
  return isName ? names(value) : true
}

function endsName(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  if (code === COLON) return true
  if (code > 0x20) return false
  NAME_END.lastIndex = at
  return NAME_END.test(text)
}

function unescaped(token: string): string {
  try {
    return String(JSON.parse(token))
  } catch {
    return refuse('not well-formed JSON')
  }
}

function checkNumber(token: string): void {
  const value = Number(token)
  if (Object.is(value, -0)) refuse('-0')
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) refuse('a number over 2^53')
}

function refuse(why: string): never {
  throw new KeyriteError('json-invalid', `The JSON is refused: ${why}.`)
}

/**
 * Validates parsed data against a schema and names the first place that does not fit, without repeating its value
 * (which may be secret). Throws `code`, by default `format-invalid`.
 */
export function parseAs<S extends z.ZodType>(
  schema: S,
  value: unknown,
  what: string,
  code: Code = 'format-invalid',
): z.output<S> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const where = issue && issue.path.length > 0 ? ` at ${issue.path.map(String).join('.').slice(0, 200)}` : ''
  throw new KeyriteError(code, `This is not a valid ${what}${where}: ${issue?.message.slice(0, 200) ?? 'unknown'}.`)
}
