import { KEY_SPECS } from '../domain/algorithms.ts'
import type { ScheduledKey } from '../domain/key.ts'
import type { Counterexample } from '../domain/prover.ts'

/** What a picture of a counterexample shows, on paper and in a terminal: spans beside each other and numbered moments. */

export type Span = {
  from: number
  to: number
  kind: 'announced' | 'signing' | 'retired' | 'on the way' | 'held' | 'token'
}
export type Row = { label: string; spans: Span[] }
export type Moment = { at: number; text: string }
export type Timeline = { from: number; to: number; rows: Row[]; moments: Moment[]; why: string }

/** A counterexample among its tenant's keys. `nameOf` gives a key's label; `lifetime` is that of a token in seconds. */
export function timelineOf(
  shown: Counterexample,
  keys: readonly ScheduledKey[],
  nameOf: (kid: string) => string,
  lifetime: number,
): Timeline {
  const own = keys.find((key) => key.kid === shown.kid)
  const moments = momentsOf(shown, own?.removeAt ?? shown.verifiedAt, nameOf(shown.kid))
  const instants = moments.map(({ at }) => at)
  const [first, last] = [Math.min(...instants), Math.max(...instants)]
  const margin = Math.max(1, Math.ceil((last - first) / 12))
  const [from, to] = [first - margin, last + margin]
  const rows = [
    ...keys
      .filter((key) => key.announceAt < to && key.removeAt > from)
      .map((key) => keyRow(key, shown, own, nameOf(key.kid))),
    {
      label: 'key set in use',
      spans: [
        { from: shown.setOf, to: shown.fetchedAt, kind: 'on the way' as const },
        { from: shown.fetchedAt, to: Math.max(shown.verifiedAt, shown.fetchedAt + 1), kind: 'held' as const },
      ],
    },
    { label: 'token', spans: [{ from: shown.signedAt, to: shown.signedAt + lifetime, kind: 'token' as const }] },
  ]
  return { from, to, rows: rows.map((row) => clip(row, from, to)), moments, why: shown.why }
}

/** The key in question from its switch to its token; before and after it sign those of its algorithm that it makes wait. */
function keyRow(key: ScheduledKey, shown: Counterexample, own: ScheduledKey | undefined, label: string): Row {
  const row = (announced: number, signs: number, ends: number): Row => ({
    label,
    spans: [
      { from: announced, to: signs, kind: 'announced' },
      { from: signs, to: ends, kind: 'signing' },
      { from: ends, to: key.removeAt, kind: 'retired' },
    ],
  })
  const { announceAt, signFrom, signUntil, extendUntil } = key
  if (key === own) return row(shown.publishedAt, shown.switchAt, Math.max(signUntil, shown.signedAt))
  if (key.standby) return row(announceAt, signUntil, signUntil)
  const sameTurn = own !== undefined && KEY_SPECS[key.spec].alg === KEY_SPECS[own.spec].alg
  if (!sameTurn) return row(announceAt, signFrom, signUntil)
  if (signFrom < own.signFrom)
    return row(announceAt, signFrom, Math.min(extendUntil, Math.max(signUntil, shown.switchAt)))
  return row(announceAt, Math.max(signFrom, shown.signedAt), Math.max(signUntil, shown.signedAt))
}

const clip = ({ label, spans }: Row, from: number, to: number): Row => ({
  label,
  spans: spans
    .map((span) => ({ ...span, from: Math.max(from, span.from), to: Math.min(to, span.to) }))
    .filter((span) => span.from < span.to),
})

/** The moments in the order of time; where several fall together, in that of cause. */
function momentsOf(shown: Counterexample, removeAt: number, name: string): Moment[] {
  const { relyingParty, publishedAt, setOf, fetchedAt, switchAt, signedAt, verifiedAt } = shown
  const unknown = setOf < publishedAt
  const fetched = `${relyingParty} fetches the key set`
  const late = `${fetched} and is given the one of moment`
  const set: Moment[] =
    setOf === fetchedAt
      ? [{ at: fetchedAt, text: `${fetched}; ${name} is not in it` }]
      : [
          { at: setOf, text: `a key set is served without ${name}` },
          { at: fetchedAt, text: late },
        ]
  const moments = [
    ...(unknown ? [] : [{ at: removeAt, text: `${name} leaves the published set` }]),
    ...set,
    ...(unknown ? [{ at: publishedAt, text: `${name} is first published` }] : []),
    ...(unknown && switchAt !== signedAt ? [{ at: switchAt, text: `${name} begins to sign` }] : []),
    { at: signedAt, text: `${name} signs a token` },
    { at: verifiedAt, text: `${relyingParty} meets the token, does not find its key, and rejects it` },
  ].sort((a, b) => a.at - b.at)
  const number = moments.findIndex((moment) => moment.at === setOf) + 1
  return moments.map((moment) => (moment.text === late ? { ...moment, text: `${late} ${number}` } : moment))
}

/** `text` in lines of at most `width` characters. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
