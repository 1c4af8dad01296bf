import { useCallback, useEffect, useState } from 'react'
import type { Gives } from '../../../shared/contract/contract.ts'
import type { Medium, MediumFile } from '../../../shared/contract/machine.ts'
import type { Failure } from '../../client.ts'
import { useKeyrite } from '../../state.tsx'

type Known = { media: readonly Medium[]; chosen: Medium | null; files: readonly MediumFile[] | null }

/** The media at hand, the chosen one and what lies on it; and what people do with it. */
export function useMedium() {
  const { call } = useKeyrite()
  const [known, setKnown] = useState<Known | null>(null)
  const [failure, setFailure] = useState<Failure | null>(null)
  const [busy, setBusy] = useState(true)
  const [letGo, setLetGo] = useState<Gives<'unmount'> | null>(null)

  const look = useCallback(async () => {
    const { media, chosen: folder } = await call('media', {})
    const chosen = media.find((medium) => medium.folder === folder) ?? null
    setKnown({ media, chosen, files: null })
    if (folder !== null) setKnown({ media, chosen, files: (await call('files', {})).files })
  }, [call])

  /** Does one thing and looks anew; what fails is shown and changes nothing. */
  const doing = useCallback(
    async (act: () => Promise<unknown>) => {
      setBusy(true)
      setFailure(null)
      try {
        await act()
        await look()
        return true
      } catch (error) {
        setFailure(error as Failure)
        return false
      } finally {
        setBusy(false)
      }
    },
    [look],
  )

  useEffect(() => {
    doing(async () => {})
  }, [doing])

  return {
    known,
    failure,
    busy,
    letGo,
    again: () => doing(async () => setLetGo(null)),
    choose: (folder: string) =>
      doing(async () => {
        setLetGo(null)
        await call('chooseMedium', { folder })
      }),
    remove: () => doing(async () => setLetGo(await call('unmount', {}))),
  }
}
export type MediumState = ReturnType<typeof useMedium>
