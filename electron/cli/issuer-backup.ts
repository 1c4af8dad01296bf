import { Command } from 'commander'
import { count } from '../../shared/domain/plural.ts'
import { utcTime } from '../../shared/domain/utc.ts'
import type { CaughtUp } from '../issuer/keeping/catch-up.ts'
import { catchUpRuntime, type Keeping } from '../issuer/keeping/keeping.ts'
import { restoreRuntime } from '../issuer/keeping/restore.ts'
import { rotateStorageKey } from '../issuer/keeping/storage-key.ts'
import type { Runtime } from '../issuer/runtime.ts'
import { actorOption, dirOption, inRuntime, type Options, text } from './in-runtime.ts'
import { type Answer, answering } from './output.ts'

/** `issuer backup`, `restore`, `catch-up` and `storage-key`: what is kept of a runtime beside its store. */
export function keepingCommands(): Command[] {
  const storageKey = new Command('storage-key').description('the key that opens the store')
  storageKey.addCommand(rotateCommand())
  return [backupCommand(), restoreCommand(), catchUpCommand(), storageKey]
}

const backupCommand = (): Command =>
  inRuntime('backup', 'write an encrypted copy of the store, while serving goes on', backup)
    .requiredOption('--out <folder>', 'where the file goes')
    .addOption(actorOption())

async function backup(runtime: Runtime, options: Options): Promise<Answer> {
  const made = await runtime.backup(text(options, 'out'), text(options, 'actor'))
  const { secondPlace } = await runtime.keeping()
  const lines = [
    `Backup written: ${made.path}`,
    `It holds ${count(made.keys, 'private half', 'private halves')} and opens with the storage key of now, which is not in it.`,
    'The issuance log and used client assertions are not in it.',
    ...(secondPlace === null
      ? ['There is no second place: what happens after this backup cannot come back, and it could not serve.']
      : []),
  ]
  return { data: made, text: lines.join('\n') }
}

const restoreCommand = (): Command =>
  new Command('restore')
    .description('make a lost runtime again, from a backup, its storage key and the second place')
    .argument('<file>', 'the backup')
    .addOption(dirOption())
    .requiredOption('--storage-key-file <file>', 'the storage key that the backup was made under')
    .option('--second-place <folder>', 'where the journal lies; without it nothing can be served')
    .option('--store <where>', 'sqlite, or postgres://USER@HOST/DATABASE without a password')
    .option('--store-password-file <file>', 'holds the password of that user')
    .addOption(actorOption())
    .action(answering(restore))

async function restore([file = '']: string[], options: Options): Promise<Answer> {
  const restored = await restoreRuntime({
    file,
    dir: text(options, 'dir'),
    storageKeyFile: text(options, 'storageKeyFile'),
    actor: text(options, 'actor'),
    ...given(options, 'secondPlace'),
    ...given(options, 'store'),
    ...given(options, 'storePasswordFile'),
  })
  const { runtimeId, dir, at, caughtUp } = restored
  const lines = [
    `Runtime ${runtimeId} is restored in ${dir} as it was at ${utcTime(at)}.`,
    ...(caughtUp
      ? caughtUpLines(caughtUp)
      : [
          'It serves nothing yet: what happened since then is missing, and a key that was tainted would sign again.',
          'Next: "issuer catch-up --second-place FOLDER". If the second place is lost too, this runtime is over: make another with "issuer init", under an id of its own.',
        ]),
  ]
  return { data: restored, text: lines.join('\n') }
}

const catchUpCommand = (): Command =>
  new Command('catch-up')
    .description('bring a runtime whose store is an older copy up to date')
    .addOption(dirOption())
    .requiredOption('--second-place <folder>', 'where the journal lies')
    .addOption(actorOption())
    .action(
      answering(async (_args, options) => {
        const done = await catchUpRuntime(text(options, 'dir'), text(options, 'secondPlace'), text(options, 'actor'))
        return { data: done, text: caughtUpLines(done).join('\n') }
      }),
    )

function caughtUpLines({ from, to, erased, bundle }: CaughtUp): string[] {
  return [
    to < from ? 'Nothing was missing.' : `Receipts ${from} to ${to} came back from the second place.`,
    ...(erased > 0
      ? [
          `${count(erased, 'private half', 'private halves')} that had been erased ${erased === 1 ? 'is' : 'are'} erased again.`,
        ]
      : []),
    bundle === null
      ? 'Compare the clock, then serve: "issuer status", "issuer serve".'
      : `It serves nothing yet: bundle ${bundle} and its key material were imported since. Import those files again: "issuer import".`,
    'Make a new backup then, and bring the receipts to the vault.',
  ]
}

const rotateCommand = (): Command =>
  new Command('rotate')
    .description('put the store under a new storage key: what was erased opens with none that is left')
    .addOption(dirOption())
    .option('--new-key-file <file>', 'where the new key lies or is to be written (default: in the folder)')
    .addOption(actorOption())
    .action(answering(rotate))

async function rotate(_args: string[], options: Options): Promise<Answer> {
  const dir = text(options, 'dir')
  const done = await rotateStorageKey({ dir, actor: text(options, 'actor'), ...given(options, 'newKeyFile') })
  const lines = [
    `The store is under a new storage key: ${done.keyFile}`,
    done.oldErased
      ? `The old one, ${done.oldKeyFile}, is overwritten and removed.`
      : `The old one is in ${done.oldKeyFile}: erase it, and every copy of it.`,
    'Backups made before open only with the old key. Put a copy of the new key where the old one was kept, and make a new backup.',
  ]
  return { data: done, text: lines.join('\n') }
}

const given = <N extends string>(options: Options, name: N): Partial<Record<N, string>> =>
  options[name] === undefined ? {} : ({ [name]: text(options, name) } as Record<N, string>)

/** What `issuer status` says of the second place and the storage key. */
export function keepingText({ secondPlace, erased, rotatedAt, awaited }: Keeping): string {
  const since = rotatedAt === null ? 'since it was made' : `since ${utcTime(rotatedAt)}`
  const lines = [
    ...(awaited === null ? [] : [`NOTHING IS SERVED: ${awaited}`]),
    `Second place  ${placeText(secondPlace)}`,
    `Storage key   ${count(erased, 'private half', 'private halves')} erased under it, ${since}`,
    ...(erased > 0
      ? ['              Rotate it so that no trace of them can be opened: "issuer storage-key rotate"']
      : []),
  ]
  return lines.join('\n')
}

function placeText(place: Keeping['secondPlace']): string {
  if (place === null) return 'none: a lost store could not be restored to what it did last'
  if (place.behindSince === null) return place.folder
  return `${place.folder}  BEHIND since ${utcTime(place.behindSince)}: it cannot be written`
}
