import type { VaultEvent } from '../../shared/domain/events.ts'
import { must } from '../../shared/errors.ts'
import { personDigests } from '../../shared/formats/people-file.ts'
import type { Inside } from './inside.ts'
import { checkNobodyElse, opensWith } from './people.ts'

/**
 * Seals a person's keys under another passphrase and a new salt; the keys stay as they are. Codes `passphrase-weak` for a
 * weak one, the one in use, or that of somebody else; `quorum-missing` when the person is not there.
 */
export async function changePassphrase(
  inside: Inside,
  id: string,
  passphrase: string,
  also: readonly VaultEvent[],
  at: number,
): Promise<void> {
  await inside.recheck()
  const { people } = inside.entries()
  const [person, entry] = [inside.present.get(id), people[id]]
  must(person && entry, 'quorum-missing', `${id} is not present.`)
  const same = await opensWith(inside.anchor, id, entry.identity, passphrase)
  must(!same, 'passphrase-weak', `${id} has this passphrase already.`)
  await checkNobodyElse(inside.anchor, id, passphrase, people)
  const identity = await person.reseal(passphrase)
  const changed = { ...entry, identity }
  inside.stage({ [id]: changed })
  const event: VaultEvent = { type: 'passphrase-changed', person: id, identity: personDigests(changed).identity }
  inside.commit([event, ...also], at, id)
}
