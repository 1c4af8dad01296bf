import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { VaultEvent } from '../../shared/domain/events.ts'
import { checkPeople, holdersOf, type PlannedPerson } from '../../shared/domain/roster.ts'
import { must } from '../../shared/errors.ts'
import { type Bytes, wipe } from '../../shared/formats/bytes.ts'
import { CHAIN_START } from '../../shared/formats/event.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import type { PeopleFile, PersonEntry } from '../../shared/formats/people-file.ts'
import { costOf, type RosterPerson, signRoster } from '../../shared/formats/roster.ts'
import { signTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import { ioError } from '../files/errors.ts'
import { moveFile, removeFile, tryRemove } from '../files/write.ts'
import { agreementsOf, deal, sharesIn } from './deal.ts'
import { append, chain, createTables, openVaultFile } from './log.ts'
import {
  checkPassphrase,
  createIdentity,
  fileKeyId,
  p256Public,
  sealFileKey,
  statementSigner,
  type UnlockedPerson,
  unlockPerson,
  type VaultName,
} from './people.ts'
import { digestsOf, writePeople } from './people-store.ts'
import { keyRow, nameOf, ROOT_OWNER, sealedRows, wrapRow } from './quorum.ts'
import { sealKey } from './sealing.ts'
import { removeShares, writeShares } from './share-files.ts'
import { dbPath, Vault } from './vault.ts'

export type NewVault = {
  /** The vault's folder; its name ends in .vault and it does not exist yet. */
  folder: string
  name: string
  practice: boolean
  people: readonly PlannedPerson[]
  threshold: number
  /** Where shares of custodians with a medium of their own go. */
  shareFolder?: string
  /** One passphrase for each person. */
  passphrases: ReadonlyMap<string, string>
  at: number
  /** Events of the ceremony that creates the vault, right after the first one. */
  first: (created: { vaultId: string }) => VaultEvent[]
  actor: string
  onPerson?: (done: number, total: number) => void
}

/**
 * Creates a vault: people, roster, M-of-N shares, root and sealed successor. It is built in a folder beside and renamed
 * when it is whole, so that a crash leaves no half vault. Codes: `vault-exists`, `people-invalid`, `passphrase-missing`,
 * `passphrase-weak`, `medium-full`, `medium-failed`.
 */
export async function createVault(wanted: NewVault): Promise<Vault> {
  const folder = resolve(wanted.folder)
  must(folder.endsWith('.vault'), 'usage-invalid', "A vault's folder has a name that ends in .vault.")
  must(!existsSync(folder), 'vault-exists', `There is something at ${folder} already.`)
  checkPeople(wanted.people, wanted.threshold)
  const onMedia = Object.values(holdersOf(wanted.people)).includes('medium')
  must(
    !onMedia || wanted.shareFolder,
    'usage-invalid',
    'A share is to lie on a medium of its custodian: name its folder with --shares.',
  )
  checkPassphrases(wanted)
  const building = join(dirname(folder), `.${basename(folder)}.${randomBytes(4).toString('hex')}.partial`)
  let written: string[] = []
  try {
    removeUnfinished(folder)
    mkdirSync(building, { mode: 0o700, recursive: true })
    const { present, shares } = await build(building, wanted)
    if (wanted.shareFolder !== undefined) written = writeShares(wanted.shareFolder, shares, wanted.at)
    moveFile(building, folder)
    const vault = await Vault.openFor(folder, present)
    vault.shareFolders = wanted.shareFolder === undefined ? [] : [wanted.shareFolder]
    // Its first events were written just now, by this very process.
    vault.tail = null
    return vault
  } catch (error) {
    tryRemove(building)
    if (!existsSync(folder)) removeShares(written)
    throw ioErrorOf(error, folder)
  }
}

/** What earlier tries for the same folder left when they were ended: no vault ever came of it. */
function removeUnfinished(folder: string): void {
  const beside = dirname(folder)
  if (!existsSync(beside)) return
  const ours = (name: string) => name.startsWith(`.${basename(folder)}.`) && /\.[0-9a-f]{8}\.partial$/.test(name)
  for (const name of readdirSync(beside).filter(ours)) removeFile(join(beside, name))
}

type Built = { present: Map<string, UnlockedPerson>; shares: string[] }

async function build(folder: string, wanted: NewVault): Promise<Built> {
  const vault: VaultName = { vaultId: randomUUID(), practice: wanted.practice }
  const fileKey = new Uint8Array(randomBytes(32))
  const { people, entries, present } = await enrollPeople(vault, wanted, fileKey)

  const root = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const successor = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const [rootJwk, successorJwk] = [p256Public(root.publicKey), p256Public(successor.publicKey)]
  const [rootKid, successorKid] = [thumbprint(rootJwk), thumbprint(successorJwk)]
  const signer = statementSigner(rootKid, root.privateKey)

  const holders = holdersOf(wanted.people)
  const dealt = await deal(vault, { people, threshold: wanted.threshold, epoch: 1 })
  const { roster, secret } = dealt
  for (const [id, jwe] of sharesIn('vault', dealt, holders)) {
    const entry = entries[id]
    if (entry) entry.shares = { 1: jwe }
  }
  const rosterJws = await signRoster(roster, signer)
  const agreements = await agreementsOf(rosterJws, roster, present)
  const { name, practice, at } = wanted
  const anchor = await signTrustAnchor(
    { vaultId: vault.vaultId, name, practice, root: rootJwk, successor: successorKid, iat: at },
    signer,
  )

  const sealed = sealedRows(
    [
      { kid: rootKid, use: 'root', key: root.privateKey },
      { kid: successorKid, use: 'successor', key: successor.privateKey },
    ].flatMap(({ kid, use, key }): [string, Bytes][] => {
      const pkcs8 = key.export({ format: 'der', type: 'pkcs8' })
      const rows = sealKey({ secret, epoch: 1 }, nameOf(vault, ROOT_OWNER, kid, use), pkcs8)
      wipe(pkcs8)
      return [
        [keyRow(kid), rows.key],
        [wrapRow(kid), rows.wrap],
      ]
    }),
  )
  wipe(secret)
  const file: PeopleFile = { anchor, roster: rosterJws, people: entries, pending: {} }
  const media = sharesIn('medium', dealt, holders)
  const created: VaultEvent = {
    type: 'vault-created',
    vaultId: vault.vaultId,
    name,
    practice,
    anchor,
    successor: successorKid,
    roster: rosterJws,
    agreements,
    people: digestsOf(entries),
    sealed: sealed.digests,
    epoch: 1,
    ...(media.size > 0 && { medium: [...media.keys()] }),
  }
  const actor = present.get(wanted.actor) ?? null
  const drafts = [created, ...wanted.first(vault)].map((event) => ({ event, at, actor }))
  writePeople(folder, file)
  const db = openVaultFile(dbPath(folder), fileKey, true)
  try {
    createTables(db)
    append(db, chain(vault.vaultId, { seq: 0, head: CHAIN_START }, drafts), { put: sealed.put })
  } finally {
    db.close()
    wipe(fileKey)
  }
  return { present, shares: [...media.values()] }
}

/** Everybody has one, nobody the same: two shares behind one passphrase would be one person's. */
function checkPassphrases({ people, passphrases }: NewVault): void {
  for (const { id } of people) must(passphrases.has(id), 'passphrase-missing', `No passphrase of ${id} was given.`)
  const owners = new Map<string, string>()
  for (const { id } of people) {
    const passphrase = passphrases.get(id) ?? ''
    checkPassphrase(id, passphrase)
    const normal = passphrase.normalize('NFKC')
    const other = owners.get(normal)
    must(!other, 'passphrase-weak', `${other} and ${id} have the same passphrase. Each person needs their own.`)
    owners.set(normal, id)
  }
}

/** Each person's key pairs, sealed by their passphrase, and the file key addressed to them. */
async function enrollPeople(vault: VaultName, wanted: NewVault, fileKey: Uint8Array) {
  let done = 0
  const enrolled = await Promise.all(
    wanted.people.map(async ({ id, name, role }) => {
      const passphrase = wanted.passphrases.get(id) ?? ''
      const identity = await createIdentity(vault, id, passphrase)
      const person = await unlockPerson(vault, id, identity, passphrase)
      const { encryption, signing, kdf } = identity
      const fileKeys = { [fileKeyId(fileKey)]: await sealFileKey(vault, id, encryption, fileKey) }
      const entry: PersonEntry = { identity, fileKeys, shares: {} }
      done += 1
      wanted.onPerson?.(done, wanted.people.length)
      return { row: { id, name, role, encryption, signing, kdf: costOf(kdf) }, entry, person }
    }),
  )
  const people: RosterPerson[] = enrolled.map(({ row }) => row)
  const entries = Object.fromEntries(enrolled.map(({ row, entry }): [string, PersonEntry] => [row.id, entry]))
  return { people, entries, present: new Map(enrolled.map(({ person }) => [person.id, person])) }
}

function ioErrorOf(error: unknown, folder: string): unknown {
  return (error as NodeJS.ErrnoException).syscall ? ioError(error, 'Creating', folder) : error
}
