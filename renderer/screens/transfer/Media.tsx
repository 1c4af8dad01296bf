import { useState } from 'react'
import type { Medium } from '../../../shared/contract/machine.ts'
import { FolderDialog } from '../../app/FolderDialog.tsx'
import { Button, Buttons } from '../../components/Button.tsx'
import { Empty, Facts } from '../../components/Facts.tsx'
import { Section } from '../../components/Page.tsx'
import { Status } from '../../components/Status.tsx'
import { text } from '../../text/index.ts'
import { spellBytes } from './bytes.ts'
import css from './transfer.module.css'
import type { MediumState } from './use-medium.ts'

type ChosenProps = { chosen: Medium; medium: MediumState; onAnother: () => void }

/** What files travel on, and the two things to do with it. */
export function ChosenMedium({ chosen, medium, onAnother }: ChosenProps) {
  const words = text.transfer.chosen
  const facts = [
    { label: words.label, value: `${chosen.label}, ${place(chosen)}` },
    { label: words.folder, value: chosen.folder, mono: true },
    { label: words.system, value: chosen.fileSystem || text.transfer.media.unknownSystem },
    { label: words.room, value: spaceOf(chosen) },
  ]
  return (
    <div className={css.chosen}>
      <Facts facts={facts} ruled />
      <Buttons>
        <Button onPress={medium.remove} pending={medium.busy}>
          {words.remove}
        </Button>
        <Button kind="quiet" onPress={onAnother}>
          {text.transfer.media.another}
        </Button>
      </Buttons>
    </div>
  )
}

type ChoosingProps = {
  medium: MediumState
  onChoose: (folder: string) => void
  onKeep: (() => void) | null
}

/** The media at hand, and a folder of this machine where there is none. */
export function Choosing({ medium, onChoose, onKeep }: ChoosingProps) {
  const [open, setOpen] = useState(false)
  const words = text.transfer.media
  const media = medium.known?.media ?? []
  return (
    <Section
      title={words.title}
      aside={
        <Button kind="link" onPress={medium.again}>
          {words.again}
        </Button>
      }
    >
      {media.length === 0 && <Empty title={words.none}>{words.noneWords}</Empty>}
      <ul className={css.media}>
        {media.map((one) => (
          <MediumRow
            key={one.folder}
            medium={one}
            chosen={one.folder === medium.known?.chosen?.folder}
            onChoose={onChoose}
          />
        ))}
      </ul>
      <Buttons>
        <Button onPress={() => setOpen(true)}>{words.other}</Button>
        {onKeep && (
          <Button kind="quiet" onPress={onKeep}>
            {words.keep}
          </Button>
        )}
      </Buttons>
      {open && (
        <FolderDialog
          title={text.transfer.media.folderTitle}
          from={medium.known?.chosen?.folder ?? null}
          onLeave={() => setOpen(false)}
          onChoose={(folder) => {
            setOpen(false)
            onChoose(folder)
          }}
        />
      )}
    </Section>
  )
}

type RowProps = { medium: Medium; chosen: boolean; onChoose: (folder: string) => void }

function MediumRow({ medium, chosen, onChoose }: RowProps) {
  const { label, folder, fileSystem, writable } = medium
  const words = text.transfer.media
  return (
    <li className={css.medium}>
      <div>
        <h3>{label}</h3>
        <p className={css.quiet}>{[place(medium), fileSystem || words.unknownSystem, spaceOf(medium)].join(' · ')}</p>
        <p className={css.path}>{folder}</p>
      </div>
      {chosen ? (
        <Status kind="done">{words.chosen}</Status>
      ) : (
        <Button
          label={`${words.choose}: ${label}`}
          onPress={() => onChoose(folder)}
          waitsFor={writable ? undefined : words.readOnly}
        >
          {words.choose}
        </Button>
      )}
    </li>
  )
}

const place = ({ removable }: Medium): string => (removable ? text.transfer.media.removable : text.transfer.media.fixed)

const spaceOf = ({ free, size }: Medium): string =>
  free === null || size === null
    ? text.transfer.media.unknownSize
    : text.transfer.media.free(spellBytes(free), spellBytes(size))
