import { describe, expect, it } from 'vitest'
import type { Code } from '../../shared/errors.ts'
import { isKeyriteError } from '../../shared/errors.ts'
import { parseBundleLine } from '../../shared/formats/bundle.ts'
import { canonicalBytes } from '../../shared/formats/json.ts'

/** The line of a bundle for a tenant that was offboarded. */

const LINE = { tenant: 'acme', issuer: 'https://acme.example.com', removed: 1_772_323_200 }

describe('a removed tenant in a bundle', () => {
  it('is its id, its issuer and the instant, and nothing else', () => {
    expect(parseBundleLine(canonicalBytes(LINE))).toEqual(LINE)
  })

  const REFUSED: [string, object, Code][] = [
    ['with keys', { keys: [] }, 'format-invalid'],
    ['with another member', { name: 'Acme' }, 'format-invalid'],
    ['at no instant', { removed: null }, 'format-invalid'],
    ['before 1970', { removed: -1 }, 'format-invalid'],
    ['without an id', { tenant: '' }, 'format-invalid'],
  ]
  it.each(REFUSED)('%s is refused', (_, change, code) => {
    try {
      parseBundleLine(canonicalBytes({ ...LINE, ...change }))
    } catch (error) {
      if (!isKeyriteError(error)) throw error
      expect(error.code).toBe(code)
      return
    }
    throw new Error('this should have been refused')
  })
})
