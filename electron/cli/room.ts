import { dirname, join, resolve } from 'node:path'
import { checkpointSchema } from '../../shared/formats/checkpoint.ts'
import { hexGroups } from '../../shared/formats/fingerprint.ts'
import { peekStatement } from '../../shared/formats/jws.ts'
import type { Reporter } from '../app/reporter.ts'
import type { Room } from '../app/wiring.ts'
import type { ShownCard } from '../ceremony/ports.ts'
import { readStatement } from '../handoff/statements.ts'
import { text } from './open-vault.ts'
import { readPassphrases, readSecrets } from './passphrases.ts'

/** Where a ceremony of the command line is held: folders, clocks, and what was given for its automated desk. */
export function roomOf(options: Record<string, unknown>, reporter: Reporter, plan: string | null): Room {
  const beside = dirname(resolve(text(options['vault']) ?? '.'))
  const secrets = text(options['secrets'])
  const card = text(options['headCard'])
  const dice = text(options['dice'])
  return {
    media: text(options['media']) ?? (plan ? dirname(resolve(plan)) : beside),
    records: text(options['records']) ?? join(beside, 'records'),
    now: () => Math.floor(Date.now() / 1000),
    elapsed: () => Math.floor(performance.now() / 1000),
    ...(card && { headCard: readCard(card) }),
    ...(shareFoldersOf(options)[0] && { shares: shareFoldersOf(options)[0] }),
    secrets: new Map([...newcomers(options), ...(secrets ? readSecrets(secrets) : [])]),
    ...(dice && { dice }),
    reporter,
  }
}

/** `--shares`: folders with custodians' own media. */
export const shareFoldersOf = (options: Record<string, unknown>): string[] =>
  Array.isArray(options['shares']) ? options['shares'].map((folder) => resolve(String(folder))) : []

/** Whoever is new gives their passphrase like everybody else: as a file in the folder of --passphrases. */
function newcomers(options: Record<string, unknown>): [string, string][] {
  const folder = text(options['passphrases'])
  return folder ? [...readPassphrases(folder)].map(([id, passphrase]) => [`passphrase-${id}`, passphrase]) : []
}

/** A head card as a file. Its signature is not looked at: a false card can only stop a ceremony. */
export function readCard(path: string): ShownCard {
  const { seq, head } = peekStatement(readStatement(path), checkpointSchema, 'head card')
  return { seq, head: hexGroups(head).join('').toLowerCase() }
}
