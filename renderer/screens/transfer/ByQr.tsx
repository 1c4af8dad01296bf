import { useState } from 'react'
import { Button } from '../../components/Button.tsx'
import { Choice } from '../../components/Choice.tsx'
import { Section } from '../../components/Page.tsx'
import { text } from '../../text/index.ts'
import { spellBytes } from './bytes.ts'
import { Camera } from './Camera.tsx'
import { QR_MAX } from './FilePage.tsx'
import css from './transfer.module.css'
import type { MediumState } from './use-medium.ts'

type ByQrProps = { medium: MediumState; onOpen: (name: string) => void; onShow: (name: string) => void }

/** Small files without a medium between the machines: shown here, or read with the camera. */
export function ByQr({ medium, onOpen, onShow }: ByQrProps) {
  const chosen = medium.known?.chosen ?? null
  return (
    <>
      <Show medium={medium} onShow={onShow} />
      <Section title={text.transfer.camera.title} lead={text.transfer.camera.words}>
        <Camera waitsFor={chosen ? undefined : text.transfer.show.noMedium} onSaved={medium.again} onOpen={onOpen} />
      </Section>
    </>
  )
}

function Show({ medium, onShow }: Pick<ByQrProps, 'medium' | 'onShow'>) {
  const [name, setName] = useState<string | null>(null)
  const words = text.transfer.show
  const files = (medium.known?.files ?? []).filter(({ kind, size }) => kind !== 'backup' && size > 0 && size <= QR_MAX)
  const waitsFor = medium.known?.chosen ? undefined : words.noMedium
  return (
    <Section title={words.choose} lead={words.chooseWords}>
      {files.length === 0 && !waitsFor && <p className={css.quiet}>{words.none}</p>}
      {files.length > 0 && (
        <div className={css.which}>
          <Choice
            label={words.which}
            look="select"
            value={name}
            onChange={setName}
            options={files.map((file) => ({
              value: file.name,
              label: file.name,
              note: `${text.transfer.kinds[file.kind]}, ${spellBytes(file.size)}`,
            }))}
          />
        </div>
      )}
      {(files.length > 0 || waitsFor) && (
        <Button
          onPress={() => name !== null && onShow(name)}
          waitsFor={waitsFor ?? (name === null ? words.noFile : undefined)}
        >
          {words.begin}
        </Button>
      )}
    </Section>
  )
}
