import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { VaultEvent } from '../../shared/domain/events.ts'
import { evolve, openCeremony, type VaultState } from '../../shared/domain/state.ts'
import { isKeyriteError, KeyriteError, must } from '../../shared/errors.ts'
import { type Approval, checkApprovals, signApproval } from '../../shared/formats/approval.ts'
import { type Bytes, digest, equalBytes, fromBase64url, toBase64url, wipe } from '../../shared/formats/bytes.ts'
import { signCheckpoint } from '../../shared/formats/checkpoint.ts'
import { parseEvent } from '../../shared/formats/event.ts'
import type { PeopleFile } from '../../shared/formats/people-file.ts'
import { agreeToRoster, type Roster, signRoster } from '../../shared/formats/roster.ts'
import { type Anchor, openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import { syncFolder } from '../files/write.ts'
import { type EncryptedDatabase, openDatabase } from '../sqlite/database.ts'
import { readHistory, sealedDigest, tailAct } from './history.ts'
import { append, chain, createTables, type Draft, type EventRow, readRows, type SealedChange } from './log.ts'
import {
  fileKeyId,
  openFileKey,
  openShare,
  sealFileKey,
  sealShare,
  type UnlockedPerson,
  unlockPerson,
} from './people.ts'
import { checkPeopleFile, digestsOf, extend, keep, pruned, readPeople, writePeople } from './people-store.ts'
import { Quorum } from './quorum.ts'
import { checkShare, combineShares, dealShares } from './sharing.ts'

/** A file that was being written when this program was ended. */
const PARTIAL = /^\.[0-9a-f]{16}\.partial$/

/** One open vault: its folded state, the people present, and the only ways to change it. */

export const dbPath = (folder: string): string => join(folder, 'vault.db')
const nextPath = (folder: string): string => join(folder, 'vault.db.next')
/** An unfinished new file and the journal that an interruption left beside it. */
const removeNext = (folder: string): void => {
  for (const path of [nextPath(folder), `${nextPath(folder)}-journal`]) rmSync(path, { force: true })
}

export const openVaultFile = (path: string, key: Uint8Array, create = false): EncryptedDatabase =>
  openDatabase({ path, key, profile: 'vault', what: 'vault', create })

/** The act that custodians approve, before the vault's own names are added. */
export type Act = Pick<Approval, 'ceremony' | 'planDigest' | 'step' | 'objects'>

export class Vault {
  readonly folder: string
  readonly anchor: Anchor
  readonly state: VaultState
  /** People whose passphrase was given, by id. */
  readonly present: ReadonlyMap<string, UnlockedPerson>
  /** Events after the newest checkpoint that nobody accepted yet, as found when the vault was opened. */
  tail: { from: number; to: number } | null
  #roster: Roster
  #people: PeopleFile
  #db: EncryptedDatabase

  private constructor(folder: string, opened: Opened) {
    this.folder = folder
    this.anchor = opened.anchor
    this.state = opened.state
    this.present = opened.present
    this.#roster = opened.roster
    this.#people = opened.people
    this.#db = opened.db
    this.tail = tailOf(opened.state)
  }

  /**
   * Opens a vault with the passphrases of one or more people. Codes: `vault-missing`, `kdf-refused`, `passphrase-missing`,
   * `passphrase-wrong`, `vault-in-use`, `vault-damaged`, `vault-history-broken`, `vault-people-changed`.
   */
  static async open(folder: string, passphrases: ReadonlyMap<string, string>): Promise<Vault> {
    const people = readPeople(folder)
    return Vault.openFor(folder, await unlockPeople(people, passphrases))
  }

  /** Opens a vault for people who are unlocked already. */
  static async openFor(folder: string, present: ReadonlyMap<string, UnlockedPerson>): Promise<Vault> {
    const people = readPeople(folder)
    must(existsSync(dbPath(folder)), 'vault-missing', `There is no vault at ${folder}.`)
    const db = await openWithAnyFileKey(folder, people, present)
    try {
      const { state, anchor, roster } = await readHistory(db, people.anchor)
      await checkPeopleFile(people, state.people, state.roster, anchor)
      return new Vault(folder, { people, present, db, state, anchor, roster })
    } catch (error) {
      db.close()
      throw error
    }
  }

  get roster(): Roster {
    return this.#roster
  }

  get database(): EncryptedDatabase {
    return this.#db
  }

  /** Custodians present, in the order of the roster. */
  custodians(): UnlockedPerson[] {
    return this.#roster.people.flatMap((person) =>
      person.role === 'custodian' ? (this.present.get(person.id) ?? []) : [],
    )
  }

  /** Removes what an interrupted change left behind. Called before a ceremony, never by a mere look. */
  tidy(): void {
    for (const name of readdirSync(this.folder))
      if (PARTIAL.test(name)) rmSync(join(this.folder, name), { force: true })
    removeNext(this.folder)
    this.#prune()
  }

  /** Commits events (and sealed rows) in one transaction. `actor` null means that the software acts by itself. */
  commit(events: readonly VaultEvent[], at: number, actor: string | null, sealed: SealedChange = {}): void {
    const rows = this.#chain(events, at, actor)
    this.#append(rows, sealed)
  }

  /**
   * Commits events and, with them in one transaction, the root's signature over the vault as it is after them: the end
   * of every quorum ceremony.
   */
  async commitWithCheckpoint(
    events: readonly VaultEvent[],
    at: number,
    actor: string | null,
    quorum: Quorum,
    sealed: SealedChange = {},
  ): Promise<string> {
    const rows = this.#chain(events, at, actor)
    const last = rows.at(-1) ?? { seq: this.state.seq, hash: this.state.head }
    const { vaultId, practice } = this.anchor
    const digests = new Map([...this.state.sealed].filter(([id]) => !sealed.remove?.includes(id)))
    const checkpoint = {
      vaultId,
      seq: last.seq,
      head: last.hash,
      roster: digest(this.state.roster),
      sealed: sealedDigest(digests),
      iat: at,
    }
    const statement = await signCheckpoint(checkpoint, practice, await quorum.root())
    const event: VaultEvent = { type: 'checkpoint', statement }
    const link = chain(vaultId, { seq: last.seq, head: last.hash }, [{ event, at, actor: null }])
    this.#append([...rows, ...link], sealed)
    return statement
  }

  /** The first 16 bytes of sealed rows, by which their absence is proved once they are gone. */
  marksOf(ids: readonly string[]): Record<string, string> {
    const row = this.#db.prepare<[string], { mark: Buffer }>(
      'SELECT substr(blob, 1, 16) AS mark FROM sealed WHERE id = ?',
    )
    return Object.fromEntries(
      ids.flatMap((id) => {
        const found = row.get(id)
        return found ? [[id, toBase64url(found.mark)]] : []
      }),
    )
  }

  /**
   * Looks for erased rows in every row and every decrypted page of the file as it is now. Gives how much was searched.
   * Code `vault-damaged`, naming the row, if anything is found.
   */
  proveAbsence(marks: Readonly<Record<string, string>>): { rows: number; pages: number } {
    const pages = this.#db.serialize()
    const count = this.#db.prepare<[], { rows: number }>('SELECT count(*) AS rows FROM sealed').get()
    const held = this.#db.prepare('SELECT 1 FROM sealed WHERE id = ?')
    for (const [id, mark] of Object.entries(marks)) {
      const found = held.get(id) !== undefined || pages.includes(Buffer.from(fromBase64url(mark)))
      must(!found, 'vault-damaged', `${id} is still in the vault's file.`)
    }
    const size = Number(this.#db.pragma('page_size', { simple: true }))
    wipe(pages)
    return { rows: count?.rows ?? 0, pages: pages.length / size }
  }

  /** The approvals of the first M custodians present: each signs exactly this act. Code `quorum-missing`. */
  async approve(act: Act): Promise<string[]> {
    const signing = this.custodians().slice(0, this.#roster.threshold)
    const missing = this.#roster.threshold - signing.length
    must(
      missing === 0,
      'quorum-missing',
      missing === 1 ? 'One more custodian needs to approve.' : `${missing} more custodians need to approve.`,
    )
    const approval = this.#approval(act)
    return Promise.all(signing.map((person) => signApproval(approval, this.anchor.practice, person.signer)))
  }

  /**
   * Combines the quorum secret for one approved act and drops it afterwards. Codes: those of `checkApprovals`,
   * `share-invalid` naming the custodian, `vault-tail` while unchecked events stand after the newest checkpoint.
   */
  async withQuorum<T>(act: Act, approvals: readonly string[], work: (quorum: Quorum) => Promise<T>): Promise<T> {
    must(!this.tail, 'vault-tail', this.describeTail())
    const approved = await checkApprovals(approvals, this.#approval(act), this.#roster)
    const shares = []
    for (const id of approved.slice(0, this.#roster.threshold)) shares.push(await this.#share(id))
    const secret = await combineShares(shares, this.#roster)
    for (const share of shares) wipe(share.bytes)
    const quorum = new Quorum({ secret, epoch: this.#roster.epoch }, this.#db, this.anchor, this.state)
    try {
      return await work(quorum)
    } finally {
      quorum.drop()
    }
  }

  /** Accepts the tail for this quorum: M custodians present sign its ends. Code `quorum-missing`. */
  async acceptTail(at: number, actor: string): Promise<void> {
    if (!this.tail) return
    const { from, to } = this.tail
    const act = tailAct(from, to, this.state.head)
    const approvals = await this.approve(act)
    await checkApprovals(approvals, this.#approval(act), this.#roster)
    this.commit([{ type: 'tail-accepted', from, to, head: this.state.head, approvals }], at, actor)
    this.tail = null
  }

  /** For people: which events nobody but their writers vouches for. */
  describeTail(): string {
    const { from, to } = this.tail ?? { from: 0, to: 0 }
    const open = openCeremony(this.state)
    const whose = open ? ` of ${open.id}` : ''
    return `Events ${from} to ${to}${whose} were written after the last ceremony that was completed, so the root has not signed them. A quorum must look at them before anything else is done.`
  }

  /** Opens a custodian's share and checks it against the roster. Code `share-invalid`. */
  async proveShare(id: string): Promise<void> {
    const share = await this.#share(id)
    checkShare(share, this.#roster)
    wipe(share.bytes)
  }

  /**
   * A new quorum secret for the same people: new shares beside the old, then one transaction that re-wraps every data
   * key and names the epoch, then the old shares go. A crash leaves the old epoch or the new one, both complete.
   */
  async activateEpoch(
    quorum: Quorum,
    at: number,
    actor: string,
    also: (roster: Roster) => VaultEvent[],
  ): Promise<void> {
    const epoch = this.#roster.epoch + 1
    const secret = new Uint8Array(randomBytes(32))
    const custodians = this.#roster.people.filter((person) => person.role === 'custodian').map((person) => person.id)
    const place = { vaultId: this.anchor.vaultId, epoch, threshold: this.#roster.threshold }
    const { shares, commitments, secretCommitment } = await dealShares(secret, custodians, place)
    const roster = { ...this.#roster, epoch, shares: commitments, secretCommitment }
    const rosterJws = await signRoster(roster, await quorum.root())
    const agreements = await agreementsOf(rosterJws, roster, this.present)
    const dealt = new Map<string, { shares: Record<string, string> }>()
    for (const share of shares) {
      const to = roster.people.find((person) => person.id === share.person)?.encryption
      if (to) dealt.set(share.person, { shares: { [epoch]: await sealShare(this.anchor, share, epoch, to) } })
      wipe(share.bytes)
    }
    const sealed = quorum.rewrapAll({ secret, epoch })
    wipe(secret)
    const both = extend(this.#people, dealt)
    const after = keep(both, { fileKeys: this.#fileKeyIds(), shares: [String(epoch)] })
    this.#writePeople(both)
    const event: VaultEvent = {
      type: 'epoch-activated',
      epoch,
      roster: rosterJws,
      agreements,
      people: digestsOf(after),
      sealed: sealed.digests,
    }
    this.commit([...also(roster), event], at, actor, { put: sealed.put })
    this.#roster = roster
    this.#prune()
  }

  /**
   * Moves the vault to a new file under a new file key: both keys' wraps first, then a complete new file, compared row
   * by row, then one rename. Never re-keys in place. A crash leaves the old file or the new one.
   */
  async moveToNewFile(events: (fileKey: string) => VaultEvent[], at: number, actor: string): Promise<void> {
    const fileKey = new Uint8Array(randomBytes(32))
    const id = fileKeyId(fileKey)
    const wraps = new Map<string, { fileKeys: Record<string, string> }>()
    for (const person of this.#roster.people)
      wraps.set(person.id, {
        fileKeys: { [id]: await sealFileKey(this.anchor, person.id, person.encryption, fileKey) },
      })
    const both = extend(this.#people, wraps)
    const after = keep(both, { fileKeys: [id], shares: [String(this.#roster.epoch)] })
    this.#writePeople(both)
    const rows = this.#chain(
      [{ type: 'file-key-changed', fileKey: id, people: digestsOf(after) }, ...events(id)],
      at,
      actor,
    )
    const next = nextPath(this.folder)
    removeNext(this.folder)
    copyInto(next, fileKey, this.#db, rows)
    compareFiles(next, fileKey, this.#db, rows)
    this.#db.close()
    renameSync(next, dbPath(this.folder))
    syncFolder(this.folder)
    this.#db = openVaultFile(dbPath(this.folder), fileKey)
    wipe(fileKey)
    this.#fold(rows)
    this.#prune()
  }

  close(): void {
    this.#db.close()
  }

  #approval(act: Act): Approval {
    const { ceremony, planDigest, step, objects } = act
    return { vaultId: this.anchor.vaultId, epoch: this.#roster.epoch, ceremony, planDigest, step, objects }
  }

  async #share(id: string) {
    const person = this.present.get(id)
    const entry = this.#people.people[id]
    must(person && entry, 'quorum-missing', `${id} is not present.`)
    return openShare(this.anchor, person, entry, this.#roster.epoch)
  }

  #chain(events: readonly VaultEvent[], at: number, actor: string | null): EventRow[] {
    must(at >= this.state.lastAt, 'clock-refused', 'The clock of this machine is behind the newest event of the vault.')
    const person = actor === null ? null : (this.present.get(actor) ?? null)
    must(actor === null || person, 'quorum-missing', `${actor} is not present.`)
    const drafts = events.map((event): Draft => ({ event, at, actor: person }))
    return chain(this.anchor.vaultId, this.state, drafts)
  }

  /** Events that cannot follow are found on a copy of the state, before they are written: committed, they would close the vault. */
  #append(rows: readonly EventRow[], sealed: SealedChange): void {
    const copy = structuredClone(this.state)
    for (const row of rows) evolve(copy, { ...row, event: parseEvent(row.body) })
    append(this.#db, rows, sealed)
    this.#fold(rows)
  }

  #fold(rows: readonly EventRow[]): void {
    for (const row of rows) evolve(this.state, { ...row, event: parseEvent(row.body) })
  }

  #fileKeyIds(): string[] {
    return Object.keys(Object.values(this.state.people)[0]?.fileKeys ?? {})
  }

  #writePeople(file: PeopleFile): void {
    writePeople(this.folder, file)
    this.#people = file
  }

  #prune(): void {
    const next = pruned(this.#people, this.state.people, this.state.roster)
    if (next) this.#writePeople(next)
  }
}

type Opened = {
  people: PeopleFile
  present: ReadonlyMap<string, UnlockedPerson>
  db: EncryptedDatabase
  state: VaultState
  anchor: Anchor
  roster: Roster
}

function tailOf(state: VaultState): { from: number; to: number } | null {
  const covered = Math.max(state.checkpoint?.seq ?? 0, state.acceptedTail)
  // The acceptance itself, and what its quorum did before a crash, come after the accepted part and count as tail again.
  return state.seq > covered ? { from: covered + 1, to: state.seq } : null
}

/** Unlocks everybody whose passphrase was given; nobody else's entry is touched. */
export async function unlockPeople(
  file: PeopleFile,
  passphrases: ReadonlyMap<string, string>,
): Promise<Map<string, UnlockedPerson>> {
  const anchor = await openTrustAnchor(file.anchor)
  const present = new Map<string, UnlockedPerson>()
  for (const [id, passphrase] of passphrases) {
    const entry = file.people[id]
    if (entry) present.set(id, await unlockPerson(anchor, id, entry.identity, passphrase))
  }
  must(present.size > 0, 'passphrase-missing', 'No passphrase of a person of this vault was given.')
  return present
}

/** While a vault moves to a new file, two file keys are wrapped; the one that opens the file counts. */
async function openWithAnyFileKey(
  folder: string,
  file: PeopleFile,
  present: ReadonlyMap<string, UnlockedPerson>,
): Promise<EncryptedDatabase> {
  const [person] = present.values()
  must(person, 'passphrase-missing', 'No passphrase of a person of this vault was given.')
  const anchor = await openTrustAnchor(file.anchor)
  let failure = new KeyriteError('vault-people-changed', `${person.id} has no access to the vault's file.`)
  for (const [id, jwe] of Object.entries(file.people[person.id]?.fileKeys ?? {})) {
    let key: Bytes | undefined
    try {
      key = await openFileKey(anchor, person, id, jwe)
      return openVaultFile(dbPath(folder), key)
    } catch (error) {
      if (!isKeyriteError(error) || !['vault-damaged', 'decryption-failed'].includes(error.code)) throw error
      failure = error
    } finally {
      wipe(key)
    }
  }
  throw failure
}

/** Everyone present agrees to a roster with their own key. */
export async function agreementsOf(
  rosterJws: string,
  roster: Roster,
  present: ReadonlyMap<string, UnlockedPerson>,
): Promise<Record<string, string>> {
  const agreements: Record<string, string> = {}
  for (const [id, person] of present) agreements[id] = await agreeToRoster(rosterJws, roster, person.signer)
  return agreements
}

type SealedRow = { id: string; blob: Buffer }
const SEALED = 'SELECT id, blob FROM sealed ORDER BY id'

function copyInto(path: string, key: Uint8Array, from: EncryptedDatabase, more: readonly EventRow[]): void {
  const db = openVaultFile(path, key, true)
  try {
    createTables(db)
    append(db, [...readRows(from), ...more], {
      put: new Map(
        from
          .prepare<[], SealedRow>(SEALED)
          .all()
          .map((row) => [row.id, row.blob]),
      ),
    })
  } finally {
    db.close()
  }
}

const fieldsOf = (rows: readonly EventRow[]): string =>
  JSON.stringify(rows.map((row) => [row.seq, row.at, row.actor, row.type, row.body, row.prev, row.hash, row.signature]))

function compareFiles(path: string, key: Uint8Array, from: EncryptedDatabase, more: readonly EventRow[]): void {
  const db = openVaultFile(path, key)
  try {
    const rows = [...readRows(db)]
    const wanted = [...readRows(from), ...more]
    const sealed = db.prepare<[], SealedRow>(SEALED).all()
    const original = from.prepare<[], SealedRow>(SEALED).all()
    const same =
      fieldsOf(rows) === fieldsOf(wanted) &&
      sealed.length === original.length &&
      sealed.every((row, index) => row.id === original[index]?.id && equalBytes(row.blob, original[index].blob))
    must(same, 'medium-failed', 'The new file of the vault reads back differently.')
  } finally {
    db.close()
  }
  syncFolder(dirname(path))
}
