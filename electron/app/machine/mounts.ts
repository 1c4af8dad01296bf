import { readFileSync } from 'node:fs'

/** Linux's own table of what is mounted where: proc(5), mountinfo. */

export type Mount = {
  /** `major:minor` of the device, as /sys/dev/block names it. */
  device: string
  folder: string
  readOnly: boolean
  fileSystem: string
  /** The device file, or a name that only the file system understands. */
  source: string
}

/** Spaces and the like stand as three octal digits. */
const unescaped = (text: string): string =>
  Buffer.from(
    text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    'latin1',
  ).toString('utf8')

/** Parses /proc/self/mountinfo; a line of another form is left out. */
export function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ')
    const [, , device, , folder, options] = before.split(' ')
    const [fileSystem, source] = after.split(' ')
    if (!device || !folder || !options || !fileSystem || !source) return []
    const readOnly = options.split(',').includes('ro')
    return [{ device, folder: unescaped(folder), readOnly, fileSystem, source: unescaped(source) }]
  })
}

/** The mount that a path lies in: the deepest one above it, and of several at one place the one mounted last. */
export function mountOf(mounts: readonly Mount[], path: string): Mount | null {
  const above = mounts.filter(({ folder }) => folder === '/' || path === folder || path.startsWith(`${folder}/`))
  const deepest = Math.max(...above.map(({ folder }) => folder.length))
  return above.findLast(({ folder }) => folder.length === deepest) ?? null
}

/** What is mounted now; empty where this system has no such table. */
export function mountsNow(): Mount[] {
  try {
    // Names are bytes; latin1 keeps each of them until the escapes are undone.
    return parseMounts(readFileSync('/proc/self/mountinfo', 'latin1'))
  } catch {
    return []
  }
}
