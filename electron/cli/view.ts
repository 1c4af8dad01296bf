import type { Vault } from '../vault/vault.ts'
import { openToView, vaultFolder } from './open-vault.ts'
import { lookAtTerminal } from './terminal/people.ts'
import { terminalFor } from './terminal/room.ts'

type Options = Record<string, unknown>

/** Opens the vault to look: with a passphrase from a file, or from somebody at the terminal. */
export function viewed(options: Options): Promise<Vault> {
  const { vault, passphrases } = options
  if (passphrases !== undefined) return openToView(vault, passphrases)
  const folder = vaultFolder(vault)
  return lookAtTerminal(terminalFor(options, 'the passphrase of one person'), folder)
}

/** Opens the vault to look, looks, and closes it. */
export async function withView<T>(options: Options, look: (vault: Vault) => Promise<T> | T): Promise<T> {
  const vault = await viewed(options)
  try {
    return await look(vault)
  } finally {
    vault.close()
  }
}
