import type { ReactNode } from 'react'
import { Button } from '../../components/Button.tsx'
import { useKeyrite } from '../../state.tsx'
import { Refused } from './act.tsx'
import { useCalling } from './calling.ts'

type Props = { ceremony: string; name: string; children: ReactNode }

/** Opens one page of the record for printing: the browser shell gives an address, Electron prints by itself. */
export function Printing({ ceremony, name, children }: Props) {
  const { call } = useKeyrite()
  const { run, pending, failure } = useCalling(async (_: null) => {
    const { address } = await call('openPage', { page: 'file', ceremony, name })
    if (address !== null) window.open(address, '_blank', 'noopener')
  })
  return (
    <>
      <Button onPress={() => run(null)} pending={pending}>
        {children}
      </Button>
      <Refused failure={failure} />
    </>
  )
}
