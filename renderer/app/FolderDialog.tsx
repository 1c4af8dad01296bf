import { useEffect, useState } from 'react'
import type { Gives } from '../../shared/contract/contract.ts'
import { Button } from '../components/Button.tsx'
import { Dialog } from '../components/Dialog.tsx'
import { TextField } from '../components/Field.tsx'
import { FailureNotice } from '../components/Notice.tsx'
import { useKeyrite } from '../state.tsx'
import { text } from '../text/index.ts'
import css from './app.module.css'
import { useAsk } from './use-ask.ts'

export type FolderDialogProps = {
  title: string
  from: string | null
  onChoose: (folder: string) => void
  onLeave: () => void
}

const words = text.app.folders

/** Walks through the folders of this machine; the path may be typed too. */
export function FolderDialog({ title, from, onChoose, onLeave }: FolderDialogProps) {
  const { call } = useKeyrite()
  const [inside, setInside] = useState<Gives<'folders'> | null>(null)
  const [typed, setTyped] = useState(from ?? '')
  const { failure, ask } = useAsk()
  const look = (folder: string | null) =>
    ask(
      () => call('folders', { folder }),
      (found) => {
        setInside(found)
      },
    )
  /** What somebody typed stays as it is: only a folder that was pressed is written into the field. */
  const enter = (folder: string) => {
    setTyped(folder)
    look(folder)
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: only where it begins
  useEffect(() => {
    look(from)
  }, [])
  const parent = inside?.parent
  return (
    <Dialog
      open
      title={title}
      onClose={onLeave}
      actions={
        <>
          <Button kind="filled" onPress={() => onChoose(typed.trim())}>
            {words.choose}
          </Button>
          <Button onPress={onLeave}>{words.cancel}</Button>
        </>
      }
    >
      <TextField
        label={words.path}
        value={typed}
        onChange={setTyped}
        mono
        onEnter={() => look(typed.trim())}
        takesFocus
      />
      {failure && <FailureNotice failure={failure} />}
      <ul className={css.folders}>
        {parent && (
          <li>
            <Button kind="link" onPress={() => enter(parent)}>
              {words.up}
            </Button>
          </li>
        )}
        {inside?.folders.map((name) => (
          <li key={name}>
            <Button kind="link" onPress={() => enter(joined(inside.folder, name))}>
              {name}
            </Button>
          </li>
        ))}
      </ul>
    </Dialog>
  )
}

/** Windows says so by its own separator. */
function joined(folder: string, name: string): string {
  if (name.includes('/') || name.includes('\\')) return name
  const separator = folder.includes('\\') ? '\\' : '/'
  return folder.endsWith(separator) ? `${folder}${name}` : `${folder}${separator}${name}`
}
