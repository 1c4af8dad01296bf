/** Everything that this shell refuses: why, with which status, and in which words. */
const REFUSALS = {
  'not-http': { status: 400, words: 'A connection that does not speak HTTP as it should was cut.' },
  'too-many': { status: 503, words: 'Connections were cut: more were open than one window needs.' },
  host: { status: 421, words: 'A request that named another host than this one was refused.' },
  origin: { status: 403, words: 'A request from a page of another origin was refused.' },
  site: { status: 403, words: 'A request that this window did not make itself was refused.' },
  address: { status: 404, words: 'A request for an address that does not exist here was refused.' },
  method: { status: 405, words: 'A request with a method that its address does not take was refused.' },
  'content-type': { status: 415, words: 'A call whose content is not JSON was refused.' },
  'too-large': { status: 413, words: 'A call larger than it may be was refused.' },
  malformed: { status: 400, words: 'A call that is not well-formed JSON was refused.' },
  token: { status: 401, words: 'An address that is too old, used before or wrong was refused.' },
  session: { status: 401, words: 'A request without the cookie of this session was refused.' },
  client: { status: 409, words: 'A request from a second window was refused: one window at a time.' },
  'unknown-method': { status: 404, words: 'A call of a method that Keyrite does not have was refused.' },
  'wrong-types': { status: 200, words: 'A call with an input that its method does not take was refused.' },
  ending: { status: 503, words: 'A request was refused because Keyrite is ending.' },
} as const satisfies Record<string, { status: number; words: string }>

export type Reason = keyof typeof REFUSALS

export const statusOf = (reason: Reason): number => REFUSALS[reason].status
export const wordsOf = (reason: Reason): string => REFUSALS[reason].words

export type Refusals = {
  /** Counts one refusal; the first of its reason is told. */
  note(reason: Reason): void
  counts(): Partial<Record<Reason, number>>
}

/** Counts refusals by reason. `tell` hears each reason once, so that a flood of requests is no flood of lines. */
export function createRefusals(tell: (words: string, reason: Reason) => void): Refusals {
  const counts = new Map<Reason, number>()
  return {
    note: (reason) => {
      const before = counts.get(reason) ?? 0
      counts.set(reason, before + 1)
      if (before === 0) tell(wordsOf(reason), reason)
    },
    counts: () => Object.fromEntries(counts),
  }
}
