/** What was refused, counted by reason: nothing in this app asks for any of it, so people should know. */

export const REASONS = [
  'call-from-elsewhere',
  'call-unknown',
  'call-too-large',
  'permission',
  'request',
  'navigation',
  'window',
  'download',
  'device',
] as const
export type Reason = (typeof REASONS)[number]

const WORDS: Record<Reason, string> = {
  'call-from-elsewhere': 'A call that did not come from the screens was refused.',
  'call-unknown': 'A call that Keyrite does not know was refused.',
  'call-too-large': 'A call that was too large was refused.',
  permission: 'A permission was asked for and refused.',
  request: 'A request to leave this machine was refused.',
  navigation: 'Something tried to show another page and was refused.',
  window: 'Something tried to open a window and was refused.',
  download: 'Something tried to save a file and was refused.',
  device: 'A device or the screen was asked for and refused.',
}

export type Refusals = {
  refuse(reason: Reason): void
  counts(): Readonly<Record<Reason, number>>
}

/** `tell` is called with a sentence the first time and then whenever ten times as many came: a flood stays readable. */
export function createRefusals(tell: (why: string) => void): Refusals {
  const counts = Object.fromEntries(REASONS.map((reason) => [reason, 0])) as Record<Reason, number>
  return {
    refuse(reason) {
      const count = ++counts[reason]
      if (Number.isInteger(Math.log10(count))) tell(count === 1 ? WORDS[reason] : `${WORDS[reason]} (${count} times)`)
    },
    counts: () => ({ ...counts }),
  }
}
