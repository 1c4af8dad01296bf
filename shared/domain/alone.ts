import type { LoggedEvent, PersonDigests } from './events.ts'
import { isAlone } from './script.ts'
import type { Ceremony, VaultState } from './state.ts'

/** What one person, who can open the file and sign for themselves, may still not write without a quorum. */

type Said = Pick<LoggedEvent, 'actor' | 'event'> & { ceremony: Ceremony | null }

/** Why an event that needs no approval of its own cannot be one person's word, or null. */
export function notAlone({ people }: Pick<VaultState, 'people'>, { actor, event, ceremony }: Said): string | null {
  switch (event.type) {
    case 'ceremony-started': {
      const { present, clock, kind } = event
      if (!present.includes(actor)) return `${actor} begins a ceremony without being there`
      if (clock && (clock.by[0] === clock.by[1] || clock.by.some((id) => !present.includes(id))))
        return 'the time was not confirmed by two people who were there'
      return isAlone(kind) && present.length > 1 ? 'what one person does alone has others present' : null
    }
    case 'attendance':
      if (!event.present.includes(actor)) return `${actor} says who is there without being there`
      return ceremony && isAlone(ceremony.kind) ? 'what one person does alone has others present' : null
    case 'copy-attested':
      // The record that people sign is closed by a quorum; an attestation outside of one would bind nobody.
      if (!ceremony || isAlone(ceremony.kind)) return 'a copy is attested outside of a ceremony that a quorum closes'
      return ceremony.attendance.some(({ present }) => present.includes(event.by))
        ? null
        : `${event.by} attests a copy without being there`
    case 'file-key-changed':
      return sameButAccess(people, event.people) ? null : 'a new file key changes more than the access to the file'
    default:
      return null
  }
}

/** A new file key changes the wraps of that key, and of nobody their keys or shares. */
function sameButAccess(before: Record<string, PersonDigests>, after: Record<string, PersonDigests>): boolean {
  const ids = Object.keys(after)
  return (
    ids.length === Object.keys(before).length &&
    ids.every((id) => {
      const [was, is] = [before[id], after[id]]
      if (!was || !is || was.identity !== is.identity) return false
      const epochs = Object.keys(is.shares)
      return (
        epochs.length === Object.keys(was.shares).length &&
        epochs.every((epoch) => was.shares[epoch] === is.shares[epoch])
      )
    })
  )
}
