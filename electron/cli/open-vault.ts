import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { must } from '../../shared/errors.ts'
import { openRoster } from '../../shared/formats/roster.ts'
import { openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import { ioError } from '../files/errors.ts'
import { readPeople } from '../vault/people-store.ts'
import { Vault } from '../vault/vault.ts'
import { readPassphrases } from './passphrases.ts'

/** The vault's folder: the one named, or the only .vault inside it. Codes `vault-missing`, `usage-invalid`. */
export function vaultFolder(given: unknown): string {
  must(typeof given === 'string' && given !== '', 'usage-invalid', 'Name the vault with --vault.')
  const folder = resolve(given)
  must(
    !existsSync(folder) || statSync(folder).isDirectory(),
    'usage-invalid',
    `${given} is a file; a vault is a folder.`,
  )
  if (basename(folder).endsWith('.vault')) return folder
  const inside = list(folder).filter((name) => name.endsWith('.vault') && !name.startsWith('.'))
  must(
    inside[0] && inside.length === 1,
    'vault-missing',
    `There is ${inside.length === 0 ? 'no vault' : 'more than one vault'} at ${given}.`,
  )
  return join(folder, inside[0])
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    throw ioError(error, 'Reading', folder)
  }
}

/** Opens a vault to look at it: any one person's passphrase is enough. */
export const openToView = (vault: unknown, passphrases: unknown): Promise<Vault> =>
  Vault.open(vaultFolder(vault), readPassphrases(text(passphrases)))

/**
 * Opens a vault for a ceremony. That M custodians are there is checked before anything else, from the list of people
 * alone: with fewer the vault is not even opened. Then `before` runs (reading the plan, say), then the vault is opened.
 * What one person does `alone` needs nobody else, and nobody else is let in. Codes `quorum-missing`, and those of `before`
 * and `Vault.open`.
 */
export async function openForCeremony<T = undefined>(
  vault: unknown,
  passphrases: unknown,
  before: () => T = () => undefined as T,
  alone: string | null = null,
): Promise<{ vault: Vault; before: T }> {
  const folder = vaultFolder(vault)
  const given = readPassphrases(text(passphrases))
  if (alone !== null) {
    const result = before()
    return { vault: await openAlone(folder, given, alone), before: result }
  }
  const people = readPeople(folder)
  const anchor = await openTrustAnchor(people.anchor)
  const roster = await openRoster(people.roster, anchor.key, anchor.practice)
  const present = roster.people.filter((person) => person.role === 'custodian' && given.has(person.id)).length
  const missing = roster.threshold - present
  must(
    missing <= 0,
    'quorum-missing',
    missing === 1 ? 'One more custodian needs to be here.' : `${missing} more custodians need to be here.`,
  )
  const result = before()
  return { vault: await Vault.open(folder, given), before: result }
}

function openAlone(folder: string, given: ReadonlyMap<string, string>, person: string): Promise<Vault> {
  const passphrase = given.get(person)
  must(passphrase !== undefined, 'passphrase-missing', `No passphrase of ${person} was given.`)
  return Vault.open(folder, new Map([[person, passphrase]]))
}

export const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
