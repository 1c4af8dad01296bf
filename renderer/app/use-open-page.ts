import type { Takes } from '../../shared/contract/contract.ts'
import { useKeyrite } from '../state.tsx'
import { useAsk } from './use-ask.ts'

/** Draws a page for printing: Electron prints it, the browser opens it in a tab of its own. */
export function useOpenPage() {
  const { call } = useKeyrite()
  const { ask, ...state } = useAsk()
  const open = (wanted: Takes<'openPage'>) =>
    ask(
      () => call('openPage', wanted),
      ({ address }) => {
        if (address !== null) window.open(address, '_blank', 'noopener')
      },
    )
  return { open, ...state }
}
