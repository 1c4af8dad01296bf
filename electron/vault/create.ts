import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { VaultEvent } from '../../shared/domain/events.ts'
import { checkPeople, type PersonName } from '../../shared/domain/roster.ts'
import { must } from '../../shared/errors.ts'
import { type Bytes, wipe } from '../../shared/formats/bytes.ts'
import { CHAIN_START } from '../../shared/formats/event.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import type { PeopleFile, PersonEntry } from '../../shared/formats/people-file.ts'
import { type Roster, type RosterPerson, signRoster } from '../../shared/formats/roster.ts'
import { signTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import { ioError } from '../files/errors.ts'
import { syncFolder } from '../files/write.ts'
import { append, chain, createTables } from './log.ts'
import {
  checkPassphrase,
  createIdentity,
  fileKeyId,
  p256Public,
  sealFileKey,
  sealShare,
  statementSigner,
  type UnlockedPerson,
  unlockPerson,
  type VaultName,
} from './people.ts'
import { digestsOf, writePeople } from './people-store.ts'
import { keyRow, nameOf, ROOT_OWNER, sealedRows, wrapRow } from './quorum.ts'
import { sealKey } from './sealing.ts'
import { dealShares } from './sharing.ts'
import { agreementsOf, dbPath, openVaultFile, Vault } from './vault.ts'

export type NewVault = {
  /** The vault's folder; its name ends in .vault and it does not exist yet. */
  folder: string
  name: string
  practice: boolean
  people: readonly PersonName[]
  threshold: number
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
  checkPassphrases(wanted)
  const building = join(dirname(folder), `.${basename(folder)}.${randomBytes(4).toString('hex')}.partial`)
  try {
    mkdirSync(building, { mode: 0o700, recursive: true })
    const present = await build(building, wanted)
    renameSync(building, folder)
    syncFolder(dirname(folder))
    const vault = await Vault.openFor(folder, present)
    // Its first events were written just now, by this very process.
    vault.tail = null
    return vault
  } catch (error) {
    rmSync(building, { recursive: true, force: true })
    throw ioErrorOf(error, folder)
  }
}

async function build(folder: string, wanted: NewVault): Promise<Map<string, UnlockedPerson>> {
  const vault: VaultName = { vaultId: randomUUID(), practice: wanted.practice }
  const fileKey = new Uint8Array(randomBytes(32))
  const secret = new Uint8Array(randomBytes(32))
  const { people, entries, present } = await enrollPeople(vault, wanted, fileKey)

  const root = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const successor = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const [rootJwk, successorJwk] = [p256Public(root.publicKey), p256Public(successor.publicKey)]
  const [rootKid, successorKid] = [thumbprint(rootJwk), thumbprint(successorJwk)]
  const signer = statementSigner(rootKid, root.privateKey)

  const custodians = wanted.people.filter((person) => person.role === 'custodian').map((person) => person.id)
  const place = { vaultId: vault.vaultId, epoch: 1, threshold: wanted.threshold }
  const { shares, commitments, secretCommitment } = await dealShares(secret, custodians, place)
  for (const share of shares) {
    const entry = entries[share.person]
    const to = people.find((person) => person.id === share.person)?.encryption
    if (entry && to) entry.shares = { 1: await sealShare(vault, share, 1, to) }
    wipe(share.bytes)
  }
  const roster: Roster = {
    vaultId: vault.vaultId,
    practice: vault.practice,
    epoch: 1,
    threshold: wanted.threshold,
    people,
    shares: commitments,
    secretCommitment,
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
  const file: PeopleFile = { anchor, roster: rosterJws, people: entries }
  const created: VaultEvent = {
    type: 'vault-created',
    vaultId: vault.vaultId,
    name,
    practice,
    anchor,
    successor: successorKid,
    roster: rosterJws,
    agreements,
    people: digestsOf(file),
    sealed: sealed.digests,
    epoch: 1,
  }
  const actor = present.get(wanted.actor) ?? null
  const drafts = [created, ...wanted.first(vault)].map((event) => ({ event, at, actor }))
  writePeople(folder, file)
  const db = openVaultFile(dbPath(folder), fileKey, true)
  createTables(db)
  append(db, chain(vault.vaultId, { seq: 0, head: CHAIN_START }, drafts), { put: sealed.put })
  db.close()
  wipe(fileKey)
  return present
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
  const people: RosterPerson[] = []
  const entries: Record<string, PersonEntry> = {}
  const present = new Map<string, UnlockedPerson>()
  for (const { id, name, role } of wanted.people) {
    const passphrase = wanted.passphrases.get(id) ?? ''
    const identity = await createIdentity(vault, id, passphrase)
    const person = await unlockPerson(vault, id, identity, passphrase)
    const { encryption, signing, kdf } = identity
    people.push({ id, name, role, encryption, signing, kdf })
    entries[id] = {
      identity,
      fileKeys: { [fileKeyId(fileKey)]: await sealFileKey(vault, id, encryption, fileKey) },
      shares: {},
    }
    present.set(id, person)
    wanted.onPerson?.(present.size, wanted.people.length)
  }
  return { people, entries, present }
}

function ioErrorOf(error: unknown, folder: string): unknown {
  return (error as NodeJS.ErrnoException).syscall ? ioError(error, 'Creating', folder) : error
}
