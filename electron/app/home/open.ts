import { realpathSync } from 'node:fs'
import { must } from '../../../shared/errors.ts'
import { ioError } from '../../files/errors.ts'
import type { UnlockedPerson } from '../../vault/people.ts'
import { Vault } from '../../vault/vault.ts'
import type { AppContext } from '../context.ts'
import { gatheringAt, opened } from '../gathering.ts'
import { Tries } from './tries.ts'

type Wanted = { folder: string; person: string; passphrase: string }

/** What is known of the openings of one app. */
type Door = {
  /** The opening under way: one after the other, so that passphrases are tried one at a time. */
  last: Promise<unknown>
  /** How often everything was closed from outside: whatever was being opened then is not wanted any more. */
  closings: number
  tries: Tries
}
const doors = new WeakMap<AppContext, Door>()

function doorOf(app: AppContext): Door {
  const door = doors.get(app) ?? { last: Promise.resolve(), closings: 0, tries: new Tries(app.elapsed) }
  doors.set(app, door)
  return door
}

/**
 * Opens a vault to look at it. The view that is open stays until this one is: only the same vault is closed before, and
 * where it then does not open, `view-closed` is told. Codes `people-invalid`; `passphrase-wrong`, after five of them in a
 * row for ten seconds whatever was typed; `practice-refused` for a production vault in a practice window; `vault-in-use`
 * and those of `Vault.openFor`; `interrupted` where it was closed meanwhile.
 */
export function openToLook(app: AppContext, wanted: Wanted): Promise<void> {
  const door = doorOf(app)
  const { closings } = door
  const opening = door.last.then(() => openNow(app, wanted, () => stillWanted(door, closings)))
  door.last = opening.catch(() => {})
  return opening
}

async function openNow(app: AppContext, wanted: Wanted, mustBeWanted: () => void): Promise<void> {
  mustBeWanted()
  const { folder, person } = wanted
  const by = await unlocked(app, wanted)
  mustBeWanted()
  const again = app.view !== null && realFolder(app.view.folder) === realFolder(folder)
  if (again) shut(app)
  try {
    const vault = await Vault.openFor(folder, new Map([[person, by]]))
    try {
      mustBeWanted()
    } catch (error) {
      vault.close()
      throw error
    }
    shut(app)
    app.view = { vault, folder, by, openedAt: app.now() }
  } catch (error) {
    if (again) app.tell({ tell: 'view-closed' })
    throw error
  }
}

async function unlocked(app: AppContext, { folder, person, passphrase }: Wanted): Promise<UnlockedPerson> {
  const { anchor, people, unlock } = await gatheringAt(folder)
  must(
    anchor.practice || app.practice === null,
    'practice-refused',
    `“${anchor.name}” is no practice vault, and this window is for practice: what it writes is removed when it closes.`,
    { hint: 'Close this window, and start Keyrite without practice to open that vault.' },
  )
  const name = people.find(({ id }) => id === person)?.name
  must(name, 'people-invalid', `Nobody in this vault has the id ${person}.`)
  return doorOf(app).tries.try(realFolder(folder), name, () => opened(unlock, person, passphrase))
}

function stillWanted(door: Door, closings: number): void {
  must(door.closings === closings, 'interrupted', 'The vault was closed while it was being opened.', {
    hint: 'Open it again.',
  })
}

function realFolder(folder: string): string {
  try {
    return realpathSync(folder)
  } catch (error) {
    throw ioError(error, 'Reading', folder)
  }
}

/** Closes the vault that is open to look at, where one is; one that is being opened is not opened any more. */
export function closeView(app: AppContext): void {
  doorOf(app).closings += 1
  shut(app)
}

function shut(app: AppContext): void {
  app.view?.vault.close()
  app.view = null
}
