import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { VaultEvent } from '../../shared/domain/events.ts'
import { emptyState, evolve, openCeremony, type VaultState } from '../../shared/domain/state.ts'
import { KeyriteError, must } from '../../shared/errors.ts'
import { type Approval, checkApprovals, signApproval, tailAct } from '../../shared/formats/approval.ts'
import { type Bytes, digest, fromBase64url, toBase64url, wipe } from '../../shared/formats/bytes.ts'
import { signCheckpoint } from '../../shared/formats/checkpoint.ts'
import { CHAIN_START } from '../../shared/formats/event.ts'
import type { LogRow } from '../../shared/formats/log.ts'
import type { PeopleFile, PersonEntry } from '../../shared/formats/people-file.ts'
import type { Roster } from '../../shared/formats/roster.ts'
import type { Anchor } from '../../shared/formats/trust-anchor.ts'
import { moveFile, removeUnfinished } from '../files/write.ts'
import { type EncryptedDatabase, sqliteError } from '../sqlite/database.ts'
import { checkClaimsFrom } from './claims.ts'
import {
  activateNext,
  approveNext,
  dealNext,
  keepDealt,
  type NextDealt,
  type NextPeople,
  nextRoster,
} from './custody.ts'
import { activateEpoch } from './epoch.ts'
import { readHistory } from './history.ts'
import type { Inside } from './inside.ts'
import {
  append,
  chain,
  type Draft,
  type NewRow,
  openVaultFile,
  readChain,
  readRange,
  type SealedChange,
} from './log.ts'
import { nextPath, removeNext, writeNext } from './new-file.ts'
import { dbPath, openWithAnyFileKey, tailOf, unlockPeople } from './open.ts'
import { changePassphrase } from './passphrase.ts'
import { fileKeyId, openFileKey, sealFileKey, type UnlockedPerson } from './people.ts'
import { checkPeopleFile, digestsOf, pruned, readPeople, settled, writePeople } from './people-store.ts'
import { Quorum } from './quorum.ts'
import { sealedDigest } from './sealed-table.ts'
import { removeShares, writeShares } from './share-files.ts'
import { presentShare } from './shares.ts'
import { combineShares, type Share } from './sharing.ts'
import { makeSuccessor, type NextSuccessor, rotateRoot } from './succession.ts'

/** One open vault: its folded state, the people present, and the only ways to change it. */

export { dbPath, unlockPeople } from './open.ts'

/** The act that custodians approve, before the vault's own names are added. */
export type Act = Pick<Approval, 'ceremony' | 'planDigest' | 'step' | 'objects'>

export class Vault {
  readonly folder: string
  readonly state: VaultState
  /** Events after the newest checkpoint that nobody accepted yet, as found when the vault was opened. */
  tail: { from: number; to: number } | null
  /** Folders with custodians' own media: share files are read in all of them and written to the first. */
  shareFolders: readonly string[] = []
  #present: Map<string, UnlockedPerson>
  #anchor: Anchor
  #roster: Roster
  /** people.json as it lies on the medium. */
  #people: PeopleFile
  #db: EncryptedDatabase

  private constructor(folder: string, opened: Opened) {
    this.folder = folder
    this.state = opened.state
    this.#anchor = opened.anchor
    this.#present = opened.present
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
    const vault = await Vault.openFor(folder, await unlockPeople(people, passphrases))
    for (const [id, { identity }] of vault.present) {
      if (vault.state.people[id]?.identity === identity || vault.state.pending?.people[id]?.identity === identity)
        continue
      vault.close()
      throw new KeyriteError('passphrase-wrong', `${id} has another passphrase by now.`)
    }
    return vault
  }

  /** Opens a vault for people who are unlocked already. */
  static async openFor(folder: string, present: ReadonlyMap<string, UnlockedPerson>): Promise<Vault> {
    const people = readPeople(folder)
    must(existsSync(dbPath(folder)), 'vault-missing', `There is no vault at ${folder}.`)
    const db = await openWithAnyFileKey(folder, people, present)
    try {
      const { state, anchor, roster } = await readHistory(db, people.anchor)
      await checkPeopleFile(people, state, anchor)
      const known = new Map([...present].filter(([id]) => state.people[id] ?? state.pending?.people[id]))
      must(known.size > 0, 'passphrase-missing', 'No passphrase of a person of this vault was given.')
      return new Vault(folder, { people, present: known, db, state, anchor, roster })
    } catch (error) {
      db.close()
      throw error
    }
  }

  /** People whose passphrase was given, by id. */
  get present(): ReadonlyMap<string, UnlockedPerson> {
    return this.#present
  }

  get anchor(): Anchor {
    return this.#anchor
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

  /**
   * Removes what an interrupted change left behind. Called before a ceremony, never by a mere look. Share files stay: this
   * may be an older copy, and then a share of an epoch that it does not know is in force elsewhere.
   */
  tidy(): void {
    removeUnfinished(this.folder)
    removeNext(this.folder)
    for (const folder of this.shareFolders) if (existsSync(folder)) removeUnfinished(folder)
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
    // What the root signs is the vault as it stands, less what goes: rows and rosters come with a commit of their own.
    const brings = sealed.put !== undefined || events.some((event) => 'sealed' in event || 'roster' in event)
    must(!brings, 'internal', 'A checkpoint cannot cover rows or a roster that come with it.')
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

  /** The rows of the log from `from` to `to`, as they stand in the file; read only once somebody asks for the first. */
  *rows(from: number, to: number): Generator<LogRow> {
    yield* readRange(this.#db, from, to)
  }

  /**
   * Looks for erased rows in every row and every decrypted page of the file as it is now. Gives how much was searched.
   * Code `vault-damaged`, naming the row, if anything is found.
   */
  proveAbsence(marks: Readonly<Record<string, string>>): { rows: number; pages: number } {
    const pages = this.#pages()
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

  /** The link of the chain at an event, or null where there is none. */
  headAt(seq: number): string | null {
    const row = this.#db.prepare<[number], { hash: string }>('SELECT hash FROM events WHERE seq = ?').get(seq)
    return row?.hash ?? null
  }

  /** The approvals of the first M custodians present (of those `by` names): each signs exactly this act. Code `quorum-missing`. */
  async approve(act: Act, by?: readonly string[]): Promise<string[]> {
    const willing = this.custodians().filter((person) => !by || by.includes(person.id))
    const signing = willing.slice(0, this.#roster.threshold)
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

  /**
   * Accepts the tail for this quorum: M custodians present sign its ends. Codes `quorum-missing`, `vault-history-broken`
   * for an event in it that the person it names did not sign.
   */
  async acceptTail(at: number, actor: string): Promise<void> {
    if (!this.tail) return
    const { from, to } = this.tail
    await checkClaimsFrom(this.#db, this.anchor.jws, from)
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
    const events = from === to ? `Event ${from}${whose} was` : `Events ${from} to ${to}${whose} were`
    return `${events} written after the last ceremony that was completed, so the root has not signed ${from === to ? 'it' : 'them'}. A quorum must look before anything else is done.`
  }

  /** Opens a custodian's share and checks it against the roster. Code `share-invalid`. */
  async proveShare(id: string): Promise<void> {
    const share = await this.#share(id)
    wipe(share.bytes)
  }

  /** New shares for the people of another list, in memory. Codes of `dealNext`. */
  dealNext(next: NextPeople): Promise<NextDealt> {
    return dealNext(this.#inside, next)
  }

  /** Keeps them beside those in force; nobody loses theirs. Codes of writing and committing. */
  keepDealt(dealt: NextDealt, also: (present: string[]) => VaultEvent[], at: number, actor: string): void {
    keepDealt(this.#inside, dealt, also, at, actor)
  }

  /** Opens a custodian's share of the roster that is dealt. Codes `quorum-missing`, `share-invalid`. */
  async proveNext(id: string): Promise<void> {
    const share = await this.#share(id, nextRoster(this))
    wipe(share.bytes)
  }

  /** Custodians of the roster that is dealt approve an act. Code `quorum-missing`. */
  approveNext(act: Act, by: readonly string[]): Promise<string[]> {
    return approveNext(this.#inside, act, by)
  }

  /** Puts the roster that is dealt in force. Codes of `activateNext`. */
  activateNext(
    quorum: Quorum,
    given: { by: readonly string[]; also: readonly VaultEvent[] },
    at: number,
    actor: string,
  ): Promise<void> {
    return activateNext(this.#inside, quorum, given, at, actor)
  }

  /** A key pair that is to be the next sealed successor, in memory. */
  makeSuccessor(): NextSuccessor {
    return makeSuccessor()
  }

  /** Lets the sealed successor take over. Codes of committing. */
  rotateRoot(
    quorum: Quorum,
    given: { successor: NextSuccessor; compromised: boolean; also: readonly VaultEvent[] },
    at: number,
    actor: string,
  ): Promise<void> {
    return rotateRoot(this.#inside, quorum, given, at, actor)
  }

  /** Seals a present person's keys under another passphrase. Codes of `changePassphrase`. */
  async changePassphrase(id: string, passphrase: string, also: readonly VaultEvent[], at: number): Promise<void> {
    await changePassphrase(this.#inside, id, passphrase, also, at)
    this.#prune()
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
    await activateEpoch(this.#inside, quorum, at, actor, also)
  }

  /**
   * Moves the vault to a new file under a new file key: both keys' wraps first, then a complete new file, compared row
   * by row, then one rename. Never re-keys in place. A crash leaves the old file or the new one.
   */
  async moveToNewFile(events: (fileKey: string) => VaultEvent[], at: number, actor: string): Promise<void> {
    const fileKey = new Uint8Array(randomBytes(32))
    const id = fileKeyId(fileKey)
    const wraps = await this.#wrapFileKey(fileKey, this.#roster.people)
    const after = this.#changed((person) => ({ fileKeys: wraps.get(person) ?? {} }))
    this.#stage(after)
    const rows = this.#chain(
      [{ type: 'file-key-changed', fileKey: id, people: digestsOf(after) }, ...events(id)],
      at,
      actor,
    )
    this.#fold(rows, (evolveAll) => {
      evolveAll()
      writeNext(this.folder, fileKey, this.#db, rows)
    })
    this.#db.close()
    moveFile(nextPath(this.folder), dbPath(this.folder))
    this.#db = openVaultFile(dbPath(this.folder), fileKey)
    wipe(fileKey)
    this.#prune()
  }

  /** Closes the file and lets go of everybody's keys. */
  close(): void {
    this.#db.close()
    this.#present = new Map()
  }

  #pages(): Buffer {
    try {
      return this.#db.serialize()
    } catch (error) {
      throw sqliteError(error, 'vault', this.folder)
    }
  }

  #approval(act: Act): Approval {
    const { ceremony, planDigest, step, objects } = act
    return { vaultId: this.anchor.vaultId, epoch: this.#roster.epoch, ceremony, planDigest, step, objects }
  }

  #share(id: string, roster = this.#roster): Promise<Share> {
    const { anchor, state, present, shareFolders: folders } = this
    return presentShare({ anchor, state, present, folders, entries: this.#entries() }, id, roster)
  }

  #writeShares(jwes: Iterable<string>, at: number): () => void {
    const all = [...jwes]
    if (all.length === 0) return () => {}
    const [folder] = this.shareFolders
    must(folder, 'share-invalid', 'A share is to lie on a medium of its custodian, and no folder for it was named.', {
      hint: 'Insert that medium and name its folder with --shares.',
    })
    const paths = writeShares(folder, all, at)
    return () => removeShares(paths)
  }

  async #wrapFileKey(fileKey: Uint8Array, people: Roster['people']): Promise<Map<string, Record<string, string>>> {
    const id = fileKeyId(fileKey)
    const wraps = new Map<string, Record<string, string>>()
    for (const person of people)
      wraps.set(person.id, { [id]: await sealFileKey(this.anchor, person.id, person.encryption, fileKey) })
    return wraps
  }

  /** The file key in use, opened by somebody who is present. The caller wipes it. */
  async #fileKey(): Promise<Bytes> {
    const { people } = this.#entries()
    for (const person of this.present.values())
      for (const [id, jwe] of Object.entries(people[person.id]?.fileKeys ?? {}))
        return openFileKey(this.anchor, person, id, jwe)
    throw new KeyriteError('vault-people-changed', "Nobody who is here has access to the vault's file.")
  }

  #entries(): PeopleFile {
    return settled(this.#people, this.state)
  }

  /** Everybody's entry with something else in it. */
  #changed(change: (id: string) => Partial<PersonEntry>): Record<string, PersonEntry> {
    const { people } = this.#entries()
    return Object.fromEntries(Object.entries(people).map(([id, entry]) => [id, { ...entry, ...change(id) }]))
  }

  /** Entries that will count once the log names them. */
  #stage(pending: Record<string, PersonEntry>): void {
    this.#writePeople({ ...this.#entries(), pending })
  }

  get #inside(): Inside {
    const vault = this
    return {
      get anchor() {
        return vault.#anchor
      },
      get roster() {
        return vault.#roster
      },
      state: this.state,
      present: this.#present,
      entries: () => this.#entries(),
      recheck: () => checkPeopleFile(readPeople(this.folder), this.state, this.anchor),
      stage: (pending) => this.#stage(pending),
      commit: (events, at, actor, sealed) => this.commit(events, at, actor, sealed),
      inForce: ({ roster, anchor = this.#anchor }) => {
        this.#roster = roster
        this.#anchor = anchor
        this.#prune()
      },
      share: (id, roster) => this.#share(id, roster),
      wrapFileKey: async (people) => {
        const fileKey = await this.#fileKey()
        try {
          return await this.#wrapFileKey(fileKey, people)
        } finally {
          wipe(fileKey)
        }
      },
      writeShares: (jwes, at) => this.#writeShares(jwes, at),
    }
  }

  #chain(events: readonly VaultEvent[], at: number, actor: string | null): NewRow[] {
    must(at >= this.state.lastAt, 'clock-refused', 'The clock of this machine is behind the newest event of the vault.')
    const person = actor === null ? null : (this.present.get(actor) ?? null)
    must(actor === null || person, 'quorum-missing', `${actor} is not present.`)
    const drafts = events.map((event): Draft => ({ event, at, actor: person }))
    return chain(this.anchor.vaultId, this.state, drafts)
  }

  #append(rows: readonly NewRow[], sealed: SealedChange): void {
    this.#fold(rows, (evolveAll) => append(this.#db, rows, sealed, evolveAll))
  }

  /**
   * Folds events around what writes them, which calls `evolveAll` before anything is final: committed, events that cannot
   * follow would close the vault for good. If either fails, the state is folded anew from what the file still holds.
   */
  #fold(rows: readonly NewRow[], write: (evolveAll: () => void) => void): void {
    try {
      write(() => {
        for (const row of rows) evolve(this.state, row)
      })
    } catch (error) {
      this.#foldAnew()
      throw error
    }
  }

  #foldAnew(): void {
    try {
      const state = emptyState(CHAIN_START)
      for (const logged of readChain(this.#db, this.anchor.vaultId)) evolve(state, logged)
      Object.assign(this.state, state)
    } catch {
      // What the file holds is unknown: nothing more happens to this vault before it was opened again.
      this.#db.close()
    }
  }

  #writePeople(file: PeopleFile): void {
    writePeople(this.folder, file)
    this.#people = file
  }

  #prune(): void {
    const next = pruned(this.#people, this.state)
    if (next) this.#writePeople(next)
  }
}

type Opened = {
  people: PeopleFile
  present: Map<string, UnlockedPerson>
  db: EncryptedDatabase
  state: VaultState
  anchor: Anchor
  roster: Roster
}
