import { KeyriteError } from '../errors.ts'
import { fromUtf8 } from './bytes.ts'
import { KB } from './json.ts'

/** A file that holds one signed statement: the statement and one line feed, and nothing else. */

export const STATEMENT_FILE_MAX = 16 * KB

export const statementFile = (jws: string): string => `${jws}\n`

/** The statement of such a file, not verified yet. Code `format-invalid` for any other form. */
export function parseStatementFile(bytes: Uint8Array): string {
  const text = fromUtf8(bytes)
  if (!/^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){2}\n$/.test(text))
    throw new KeyriteError('format-invalid', 'This is not a file of Keyrite with one signed statement.')
  return text.slice(0, -1)
}
