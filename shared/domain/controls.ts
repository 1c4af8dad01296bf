import type { CeremonyKind } from './events.ts'
import { copiesOf } from './ledger.ts'
import { count } from './plural.ts'
import type { Ceremony, VaultKey, VaultState } from './state.ts'
import { utcDay } from './utc.ts'

/**
 * What a vault can show for controls that auditors ask about. It speaks of the vault's signed history and of nothing
 * else: `shown` where that history holds it, `partly` where something stays open or lies outside of it, `not shown` where
 * nothing of the kind happened yet. Whether a control is met, an auditor decides.
 */

export type Met = 'shown' | 'partly' | 'not shown'
export type Control = { framework: string; control: string; title: string; evidence: string[]; met: Met }
export type QuorumSize = { threshold: number; custodians: number }

type Said = { met: Met; evidence: string[] }
type Facts = {
  state: VaultState
  quorum: QuorumSize
  now: number
  keys: VaultKey[]
  destroyed: VaultKey[]
  completed: Ceremony[]
}
type Topic = (facts: Facts) => Said

const shown = (...evidence: string[]): Said => ({ met: 'shown', evidence })
const partly = (...evidence: string[]): Said => ({ met: 'partly', evidence })
const notShown = (...evidence: string[]): Said => ({ met: 'not shown', evidence })

/** "3 rotations, the last R-2026-004 on 2026-08-02.", or null where there was none. */
function held({ completed }: Facts, kinds: readonly CeremonyKind[], one: string, many = `${one}s`): string | null {
  const of = completed.filter(({ kind }) => kinds.includes(kind))
  const last = of.at(-1)
  return last ? `${count(of.length, one, many)}, the last ${last.id} on ${utcDay(last.startedAt)}.` : null
}

const quorumLine = ({ quorum: { threshold, custodians } }: Facts): string =>
  `${threshold} of ${custodians} custodians must act together whenever a private key is made, used, exported or destroyed.`

const generation: Topic = (facts) => {
  const imported = facts.keys.filter((one) => one.imported).length
  const made = facts.keys.length - imported
  if (made === 0) return notShown('No key was made in this vault yet.')
  const line = `${count(made, 'key')} made in ceremonies, each tenant's in a process of its own, checked before they were sealed.`
  const ceremonies = held(
    facts,
    ['onboard', 'rotate', 'emergency'],
    'ceremony that makes keys',
    'ceremonies that make keys',
  )
  const said = [line, ...(ceremonies ? [ceremonies] : [])]
  return imported > 0
    ? partly(...said, `${count(imported, 'key')} came from elsewhere; nobody attests how they were made.`)
    : shown(...said)
}

const ceremonial: Topic = (facts) => {
  if (facts.completed.length === 0) return notShown('No ceremony was completed yet.')
  const noted = facts.completed.reduce((sum, one) => sum + one.deviations.length, 0)
  const unconfirmed = facts.completed.filter(({ clock }) => clock === null).length
  const said = [
    `${count(facts.completed.length, 'completed ceremony', 'completed ceremonies')} by script, each with a signed record; ${count(noted, 'deviation')} noted.`,
  ]
  return unconfirmed > 0
    ? partly(
        ...said,
        `In ${count(unconfirmed, 'ceremony', 'ceremonies')} nobody confirmed the time from a watch of their own.`,
      )
    : shown(...said)
}

const control: Topic = (facts) =>
  shown(
    quorumLine(facts),
    'One person has one role: custodians hold shares, a compliance officer witnesses, the administrator holds no share.',
  )

const storage: Topic = (facts) =>
  shown(
    `${count(facts.keys.length - facts.destroyed.length, 'private key')} sealed under a secret that only a quorum combines, in an encrypted file.`,
    quorumLine(facts),
  )

const cryptoperiods: Topic = ({ state, keys, now }) => {
  const living = [...state.tenants.values()].filter(({ offboarded }) => !offboarded)
  if (living.length === 0) return notShown('No tenant has a schedule yet.')
  const late = living.filter(
    ({ kids }) =>
      !kids.some((kid) => (state.keys.get(kid)?.times.signUntil ?? 0) > now && !state.keys.get(kid)?.destroyed),
  )
  const line = `${count(living.length, 'tenant')} with a rotation policy; each of ${count(keys.length, 'key')} has fixed times to be announced, to sign and to be removed.`
  return late.length > 0
    ? partly(line, `${count(late.length, 'tenant')} without a key whose time to sign is not over.`)
    : shown(line)
}

const rotation: Topic = (facts) => {
  const line = held(facts, ['rotate'], 'rotation')
  if (line) return shown(line)
  const turned = facts.keys.filter((one) => one.times.signUntil <= facts.now).length
  return turned > 0
    ? shown(`${count(turned, 'key')} gave way to the next by schedule; no rotation ceremony was needed yet.`)
    : notShown('No key has reached the end of its time yet.')
}

const compromise: Topic = (facts) => {
  const line = held(facts, ['emergency'], 'emergency ceremony', 'emergency ceremonies')
  const marked = facts.keys.filter((one) => one.compromised).length
  if (line) return shown(line, `${count(marked, 'key')} named compromised.`)
  return notShown('No key was named compromised. That the way out works, only a rehearsal has shown.')
}

const distribution: Topic = (facts) => {
  const handed = [...facts.state.runtimes.values()].flatMap(({ handoffs }) => handoffs.filter((one) => one.exported))
  const exports = facts.state.exports.length
  if (handed.length + exports === 0) return notShown('Nothing has left the vault yet.')
  const erased = [...facts.state.runtimes.values()].flatMap(({ receipts }) =>
    receipts.statements.filter(({ stated }) => stated.type === 'transport-key-erased'),
  ).length
  const line = `${count(handed.length, 'handoff')}, each encrypted to a transport key that is used once; runtimes state ${count(erased, 'erasure')} of such keys.`
  return erased < handed.length || exports > 0
    ? partly(line, ...(exports > 0 ? [`${count(exports, 'export')} to other issuers, which state nothing.`] : []))
    : shown(line)
}

const backup: Topic = (facts) => {
  const made = [...facts.state.backups.values()].filter((one) => one.made)
  const newest = made.at(-1)
  if (!newest) return notShown('No backup was made.')
  const outside = facts.keys.filter((one) => !one.destroyed && !newest.kids.has(one.kid)).length
  const line = `${count(made.length, 'backup')}; the newest of ${utcDay(newest.at)}, held by ${newest.holder}, ${newest.place}.`
  const opened =
    newest.openedAt === null ? 'Nobody opened it yet.' : `A quorum opened it on ${utcDay(newest.openedAt)}.`
  const said = [line, opened, ...(outside > 0 ? [`${count(outside, 'key')} made since then are not in it.`] : [])]
  return newest.openedAt === null || outside > 0 ? partly(...said) : shown(...said)
}

/** Destroyed keys by what their certificates call it. */
const destruction: Topic = (facts) => {
  if (facts.destroyed.length === 0) return notShown('No key was destroyed yet.')
  const certified = facts.destroyed.filter((one) => one.certificate)
  const whole = certified.filter((one) => one.certificate?.grade === 'destruction').length
  const open = facts.destroyed.filter((one) =>
    copiesOf(facts.state, one).some(({ status }) => status === 'open'),
  ).length
  const said = [
    `${count(facts.destroyed.length, 'private key')} erased, ${certified.length} with a signed certificate: ${whole} of destruction, ${certified.length - whole} of deletion.`,
    ...(open > 0 ? [`Of ${count(open, 'erased key')} a known copy stays open.`] : []),
  ]
  return open > 0 || certified.length < facts.destroyed.length ? partly(...said) : shown(...said)
}

const proof: Topic = (facts) => {
  if (facts.destroyed.length === 0) return notShown('Nothing was erased yet.')
  const proved = facts.destroyed.filter((one) => one.absenceProved).length
  const line = `After the erasure of ${proved} of ${count(facts.destroyed.length, 'key')} every decrypted page of the vault was searched for it.`
  return partly(line, 'What a medium keeps beneath its file system, only sanitising the medium removes.')
}

const accountability: Topic = ({ state }) =>
  shown(
    `${count(state.seq, 'event')} in one chain, each signed by the person who acted or marked as the software's; the root signs the end of each ceremony of a quorum.`,
  )

const ledger: Topic = ({ state, keys }) => {
  if (keys.length === 0) return notShown('There is no key yet.')
  const copies = new Set(keys.flatMap((one) => copiesOf(state, one).map(({ id }) => id))).size
  return shown(
    `A ledger of ${count(copies, 'known place')} of private keys. Copies that nobody told the vault of are not in it.`,
  )
}

/** Whoever was not there when the list changed agrees to it when they next come. */
const acknowledged: Topic = ({ state, quorum: { custodians } }) => {
  const agreed = Object.keys(state.agreements).filter((id) => id in state.holders).length
  const line = `${agreed} of ${count(custodians, 'custodian')} signed the list of people in force, which names their role and their share.`
  return agreed < custodians ? partly(line) : shown(line)
}

const substitution: Topic = ({ state }) => {
  const bundles = [...state.runtimes.values()].flatMap(({ handoffs }) => handoffs.filter((one) => one.exported)).length
  return bundles === 0
    ? notShown('No bundle was signed yet.')
    : shown(`${count(bundles, 'bundle')} signed by the root, each naming every key of its tenants.`)
}

const NIST57 = 'NIST SP 800-57 Part 1 Rev. 5'
const NIST88 = 'NIST SP 800-88 Rev. 1'
const ISO = 'ISO/IEC 27001:2022'
const SOC = 'SOC 2 (Trust Services Criteria)'
const PCI = 'PCI DSS 4.0, by analogy'
const CAB = 'CA/Browser Forum Baseline Requirements, by analogy'

const TABLE: readonly [framework: string, control: string, title: string, topic: Topic][] = [
  [NIST57, '5.3', 'Cryptoperiods', cryptoperiods],
  [NIST57, '5.5', 'Compromise of keys', compromise],
  [NIST57, '8.1.5', 'Generation and distribution of key pairs', generation],
  [NIST57, '8.2.2', 'Backup for continuity of operations', backup],
  [NIST57, '8.2.3', 'Key change', rotation],
  [NIST57, '8.3.4', 'Key destruction', destruction],
  [NIST57, '9', 'Accountability and audit', accountability],
  [NIST88, '4.7', 'Verification of sanitisation', proof],
  [NIST88, '4.8', 'Documentation of sanitisation', destruction],
  [ISO, 'A.5.3', 'Segregation of duties', control],
  [ISO, 'A.8.10', 'Information deletion', destruction],
  [ISO, 'A.8.13', 'Information backup', backup],
  [ISO, 'A.8.15', 'Logging', accountability],
  [ISO, 'A.8.24', 'Use of cryptography', cryptoperiods],
  [SOC, 'CC6.1', 'Logical access to keys', storage],
  [PCI, '3.6.1', 'Keys are protected against disclosure and misuse', storage],
  [PCI, '3.7.1', 'Generation of strong keys', generation],
  [PCI, '3.7.2', 'Secure distribution of keys', distribution],
  [PCI, '3.7.4', 'Changes at the end of the cryptoperiod', rotation],
  [PCI, '3.7.5', 'Retirement, replacement or destruction', destruction],
  [PCI, '3.7.6', 'Split knowledge and dual control', control],
  [PCI, '3.7.7', 'No unauthorised substitution', substitution],
  [PCI, '3.7.8', 'Custodians accept their responsibilities', acknowledged],
  [CAB, '6.1.1.1', 'Key generation by a witnessed script', ceremonial],
  [CAB, '6.2.2', 'Control of private keys by several people', control],
  [CAB, '6.2.10', 'Destroying private keys', destruction],
  ['Keyrite', 'Copy ledger', 'Every known copy of every private key', ledger],
]

/** What this vault shows for each control. `now` in seconds since 1970. */
export function controlsOf(state: VaultState, quorum: QuorumSize, now: number): Control[] {
  const keys = [...state.keys.values()]
  const completed = [...state.ceremonies.values()].filter(({ ended }) => ended?.how === 'completed')
  const facts: Facts = { state, quorum, now, keys, destroyed: keys.filter((one) => one.destroyed), completed }
  const said = new Map<Topic, Said>()
  return TABLE.map(([framework, name, title, topic]) => {
    const found = said.get(topic) ?? topic(facts)
    said.set(topic, found)
    return { framework, control: name, title, ...found }
  })
}
