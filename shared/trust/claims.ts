import type { ClaimRule } from '../formats/trust-policy.ts'
import { Denied } from './reasons.ts'

/** The rules for claims: a small closed set, each of which can be said in words. */

type Scalar = string | number | boolean

/** "repository is acme/shop", "scope contains orders:read". */
export function ruleInWords({ claim, equals, oneOf, startsWith, contains }: ClaimRule): string {
  if (equals !== undefined) return `${claim} is ${spell(equals)}`
  if (oneOf !== undefined) return `${claim} is one of ${oneOf.map(spell).join(', ')}`
  if (startsWith !== undefined) return `${claim} starts with ${startsWith}`
  return contains === undefined ? `${claim} is present` : `${claim} contains ${contains}`
}

/** A number or a truth value is told apart from the text that looks like it. */
const spell = (value: Scalar): string => (typeof value === 'string' ? value : `${value} (${typeof value})`)

/** Holds every claim against its rules, in the order of the policy. Throws `Denied`: `claim-missing`, `claim-wrong`. */
export function checkClaims(rules: readonly ClaimRule[], claims: Readonly<Record<string, unknown>>): void {
  const members = new Map(Object.entries(claims))
  for (const rule of rules) {
    const value = members.get(rule.claim)
    if (isNothing(value)) throw new Denied('claim-missing', ruleInWords(rule))
    if (!holds(rule, value)) throw new Denied('claim-wrong', ruleInWords(rule))
  }
}

/** A claim that says nothing is not there. */
const isNothing = (value: unknown): boolean =>
  value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)

function holds({ claim, equals, oneOf, startsWith, contains }: ClaimRule, value: unknown): boolean {
  if (equals !== undefined) return value === equals
  if (oneOf !== undefined) return oneOf.some((one) => value === one)
  if (startsWith !== undefined) return typeof value === 'string' && value.startsWith(startsWith)
  return contains === undefined || wordsOf(claim, value).includes(contains)
}

/** RFC 6749 section 3.3: only scopes are words with spaces between; a text of another claim is never cut. */
const SCOPES = ['scope', 'scp']

function wordsOf(claim: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  return typeof value === 'string' && SCOPES.includes(claim) ? value.split(' ') : []
}
