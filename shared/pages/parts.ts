import type { Role } from '../domain/roster.ts'
import { hexGroups, shortHex, thumbprint, words } from '../formats/fingerprint.ts'
import { KB } from '../formats/json.ts'
import { peekStatement } from '../formats/jws.ts'
import type { Participant } from '../formats/record.ts'
import { type Roster, rosterSchema } from '../formats/roster.ts'
import { type SignOff, signOffSchema } from '../formats/sign-off.ts'
import { type Html, html, type Part, said } from './page.ts'
import { spellClock, spellDate } from './words.ts'

/** What several pages share. They draw what a file says; whether it is true is for `keyrite verify` to find. */

export const ROLE_WORDS: Record<Role, string> = {
  custodian: 'Custodian',
  compliance: 'Compliance officer',
  administrator: 'Administrator',
}

/** The roster inside its statement, not verified. */
export const peekRoster = (jws: string): Roster => peekStatement(jws, rosterSchema, 'roster', 256 * KB)

/** Date and clock on two lines of a narrow cell, read as one. */
export const timeCell = (at: number): Html => html`${spellDate(at)},<br>${spellClock(at)}`

/** Rows of a name and what stands for it. */
export const factTable = (rows: readonly (readonly [string, Part])[]): Html =>
  html`<table class="facts"><tbody>
${rows.map(([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>\n`)}</tbody></table>
`

export const FOOT = html`<p class="foot">The signed file is the authority; this page is drawn from it. Check it with <code>keyrite verify</code> and the trust anchor.</p>
`

/** Sixteen groups of four in two lines that do not break elsewhere on a wide page. */
export function hexPair(digest: string): Html {
  const groups = hexGroups(digest)
  return html`<span class="mono pair">${groups.slice(0, 8).join(' ')}<br>${groups.slice(8).join(' ')}</span>`
}

/** A digest as people compare it: sixteen groups of four in two lines, and 24 numbered words. */
export const fingerprint = (
  title: string,
  covers: string,
  digest: string,
): Html => html`<section class="digest"><h2>${title} <span class="aside">${covers}</span></h2>
<p class="hex">${hexGroups(digest).slice(0, 8).join(' ')}
${hexGroups(digest).slice(8).join(' ')}</p>
${wordList(digest)}</section>
`

export const wordList = (digest: string): Html =>
  html`<ol class="words">${words(digest).map((word, index) => html`<li><i>${index + 1}</i>${word}</li>`)}</ol>
`

/** A sign-off inside its statement, not verified. */
export const peekSignOff = (jws: string): SignOff => peekStatement(jws, signOffSchema, 'sign-off', 8 * KB)

/** Whoever does not agree, and why: boxed, before anything else is told. */
export function objections(
  people: readonly Participant[],
  signatures: Readonly<Record<string, string>>,
  what: string,
): Part {
  return people.map(({ id, name, role }) => {
    const word = signatures[id] === undefined ? null : peekSignOff(signatures[id])
    if (!word || word.agrees) return null
    return html`<section class="objection"><p><b>${said(name)}</b> does not agree with ${what}.<small>${ROLE_WORDS[role]}, ${spellDate(word.at)}, ${spellClock(word.at)}</small></p><blockquote>${said(word.reason)}</blockquote></section>
`
  })
}

/** How many blocks stand in a row: as many as fit, unless the last one would then stand alone. */
const inARow = (count: number): number => [4, 3, 5].find((row) => count % row !== 1) ?? 4

/** One block for each person: a line for ink, the name, when they agreed, and their key in two groups. */
export function signatureBlocks(
  people: readonly Participant[],
  signatures: Readonly<Record<string, string>>,
  rosters: readonly Roster[],
): Html {
  const block = ({ id, name, role }: Participant) => {
    const known = rosters.findLast((roster) => roster.people.some((person) => person.id === id))
    const person = known?.people.find((one) => one.id === id)
    return html`<li><b>${said(name)}</b>${name.startsWith(ROLE_WORDS[role]) ? null : html`${ROLE_WORDS[role]}<br>`}${agreement(signatures[id])}${
      person ? html`<br>key <span class="mono">${shortHex(thumbprint(person.signing))}</span>` : null
    }</li>
`
  }
  return html`<h2>Signed <span class="aside">each with their own key; the line is for ink, where your rules ask for it</span></h2>
<ul class="signed row-${inARow(people.length)}">
${people.map(block)}</ul>
`
}

function agreement(jws: string | undefined): Part {
  if (jws === undefined) return html`<span class="open">has not signed</span>`
  const { agrees, at } = peekSignOff(jws)
  const word = agrees ? html`agrees` : html`<span class="open">does not agree</span>`
  return html`${word}, ${spellDate(at)}, <span class="t">${spellClock(at)}</span>`
}

/** What these signatures can and cannot show; it stands on everything that people sign. */
export const MEANING = html`<p class="aside">What the signatures mean: a person’s key and their share open with the same passphrase, and they are typed into this machine. They identify people as far as the machine was honest.</p>
`
