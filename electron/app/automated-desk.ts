import { must } from '../../shared/errors.ts'
import { hexGroups } from '../../shared/formats/fingerprint.ts'
import type { DeskPort } from '../ceremony/ports.ts'
import type { Room } from './wiring.ts'

/** The desk of scripts and tests: nobody is asked, everybody whose passphrase was given says yes, and the record says so. */
export function automatedDesk({ headCard, secrets, dice }: Pick<Room, 'headCard' | 'secrets' | 'dice'>): DeskPort {
  return {
    automated: true,
    presence: 'Passphrases are read from files; the software approves and signs for the people they belong to.',
    confirmTime: async () => null,
    headCard: async () => headCard ?? null,
    begin: async () => {},
    observed: async () => ({ initials: null, deviations: [] }),
    approve: async (_, custodians) => [...custodians],
    compare: async (_, digest) =>
      `${hexGroups(digest).slice(0, 4).join(' ')} … (compared by the software with the plan, not by voice)`,
    confirm: async (words) => {
      must(false, 'confirmation-missing', `A destruction is confirmed by typing exactly: ${words}`)
      return words
    },
    dice: async (rolls) => {
      must(dice, 'confirmation-missing', `The plan asks for ${rolls} rolls of dice, and none were given.`, {
        hint: 'Give them with --dice, as digits from 1 to 6.',
      })
      return dice
    },
    secret: async (what, owner) => {
      const given = secrets?.get(nameOf(`${what} ${owner}`)) ?? secrets?.get(nameOf(what))
      must(given, 'passphrase-missing', `${what} of ${owner} is needed, and none was given.`, {
        hint: `Put it in a file named ${nameOf(`${what} ${owner}`)} in the folder of --secrets, mode 0600.`,
      })
      return given
    },
    agrees: async () => ({ agrees: true }),
  }
}

/** The file's name for a secret: "new passphrase" of ada is new-passphrase-ada. */
const nameOf = (what: string): string =>
  what
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
