import { must } from '../../shared/errors.ts'

const LEAST = 8
const WHOLE = 43

/**
 * A key id as typed on the command line: whole, or its first 8 characters or more where only one known key begins so.
 * Code `key-unknown`; a whole id is given back as it is, for the command to look up.
 */
export function wholeKid(typed: string, known: Iterable<string>): string {
  if (typed.length >= WHOLE) return typed
  const begin = [...known].filter((kid) => kid.startsWith(typed))
  must(typed.length >= LEAST, 'key-unknown', `“${typed}” is too short for a key id: give at least ${LEAST} characters.`)
  must(begin.length < 2, 'key-unknown', `${begin.length} keys begin with ${typed}. Give more of the key id.`)
  must(begin[0], 'key-unknown', `No key begins with ${typed}.`)
  return begin[0]
}
