import { must } from '../../../shared/errors.ts'
import { Vault } from '../../vault/vault.ts'
import type { AppContext } from '../context.ts'
import { gatheringAt, opened } from '../gathering.ts'

type Wanted = { folder: string; person: string; passphrase: string }

/**
 * Opens a vault to look at it. The passphrase is tried before the view that is open is closed, so a slip of the finger
 * changes nothing. Codes `people-invalid`, `passphrase-wrong`, `vault-in-use` and those of `Vault.openFor`.
 */
export async function openToLook(app: AppContext, { folder, person, passphrase }: Wanted): Promise<void> {
  const { people, unlock } = await gatheringAt(folder)
  const name = people.find(({ id }) => id === person)?.name
  must(name, 'people-invalid', `Nobody in this vault has the id ${person}.`)
  const by = await opened(unlock, person, passphrase)
  must(by, 'passphrase-wrong', `That passphrase does not open what is sealed for ${name}.`)
  closeView(app)
  app.view = { vault: await Vault.openFor(folder, new Map([[person, by]])), folder, by, openedAt: app.now() }
}

/** Closes the vault that is open to look at, where one is. */
export function closeView(app: AppContext): void {
  app.view?.vault.close()
  app.view = null
}
