import { useEffect, useState } from 'react'
import type { RecordView } from '../../../shared/contract/records.ts'
import type { Sitting } from '../../../shared/contract/sitting.ts'
import { Button, Buttons } from '../../components/Button.tsx'
import { Stack } from '../../components/Page.tsx'
import { useKeyrite } from '../../state.tsx'
import { text } from '../../text/index.ts'
import { useLeave } from './leave.ts'
import { Printing } from './Printing.tsx'
import css from './sitting.module.css'

const words = text.sitting.finished
type Props = { sitting: Sitting; result: NonNullable<Sitting['result']> }

/** The signed record: where it lies, and its pages for print where somebody looks at the vault. */
export function Pages({ sitting, result: { ceremony, record: folder, certificates } }: Props) {
  const record = useRecord(ceremony, sitting.vault.folder)
  const { leave, pending } = useLeave()
  return (
    <Stack>
      {folder !== null && <p className={css.path}>{folder}</p>}
      {certificates.length > 0 && <p className={css.measure}>{certificates.map(words.issued).join(' ')}</p>}
      <Buttons>
        {record?.files
          .filter(({ page }) => page)
          .map(({ name, title }) => (
            <Printing key={name} ceremony={ceremony} name={name}>
              {words.print(title)}
            </Printing>
          ))}
        {record && (
          <Button onPress={() => leave({ screen: 'records', ceremony })} disabled={pending}>
            {words.toRecord}
          </Button>
        )}
      </Buttons>
    </Stack>
  )
}

/** The record as the open vault has it; null while nobody looks at this vault: another one counts from 1 too. */
function useRecord(ceremony: string, vault: string): RecordView | null {
  const { call, overview } = useKeyrite()
  const looking = overview?.folder === vault
  const [record, setRecord] = useState<RecordView | null>(null)
  useEffect(() => {
    if (!looking) return
    let here = true
    call('record', { ceremony })
      .then((found) => here && setRecord(found))
      .catch(() => here && setRecord(null))
    return () => {
      here = false
    }
  }, [call, ceremony, looking])
  return record
}
