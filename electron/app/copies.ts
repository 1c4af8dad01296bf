import { join } from 'node:path'
import { must } from '../../shared/errors.ts'
import type { CopiesPort } from '../ceremony/ports.ts'
import { readFileGuarded } from '../files/read.ts'
import { openBackup, removeBackup, tryKeys, writeBackup } from '../vault/backup.ts'
import type { Quorum } from '../vault/quorum.ts'
import { Vault } from '../vault/vault.ts'

/** Connects copies of a vault to the real vault and the medium. */

/** Copies are made of a real vault, whose rows no port gives out. */
function real(vault: unknown): Vault {
  must(vault instanceof Vault, 'internal', 'Only a real vault can be copied.')
  return vault
}

export const copiesAt = (media: string): CopiesPort<Quorum> => ({
  write: (vault, backup) => writeBackup(real(vault), media, backup),
  takeBack: (vault, number) => removeBackup(media, number, real(vault).anchor.jws),
  open: (vault, folder, act) => openBackup(real(vault), join(media, folder), act),
  tryKeys: (vault, folder, kids, act) => tryKeys(real(vault), join(media, folder), kids, act),
  read: (name, maxBytes) => readFileGuarded(join(media, name), maxBytes),
})
