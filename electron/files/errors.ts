import { KeyriteError } from '../../shared/errors.ts'

/** Turns a file-system error into one of ours. The path is named; content never is. */
export function ioError(error: unknown, doing: string, path: string): KeyriteError {
  if (error instanceof KeyriteError) return error
  const { code } = error as NodeJS.ErrnoException
  const say = (what: string) => `${doing} ${path}: ${what}`
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new KeyriteError('file-missing', say('there is no such file or folder.'), { cause: error })
    case 'EEXIST':
      return new KeyriteError('file-exists', say('it exists already.'), { cause: error })
    case 'ELOOP':
    case 'ENXIO':
    case 'EISDIR':
      return new KeyriteError('file-refused', say('it is not a regular file.'), { cause: error })
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return new KeyriteError('medium-full', say('the medium is full.'), { cause: error, lost: NOT_FINISHED })
    default:
      return new KeyriteError('medium-failed', say(`the medium reports ${code ?? 'an error'}.`), {
        cause: error,
        lost: NOT_FINISHED,
      })
  }
}

const NOT_FINISHED = 'No file was left under its final name; what stood there before is unchanged.'
