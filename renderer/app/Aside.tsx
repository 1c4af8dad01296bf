import { createContext, type ReactNode, useContext, useEffect, useSyncExternalStore } from 'react'
import { createPortal } from 'react-dom'

export type AsidePlace = { node: HTMLElement | null; claim: (claimed: boolean) => void }

/** Where the frame's right column is, for whoever fills it. */
export const AsidePlaceContext = createContext<AsidePlace | null>(null)

const WIDE = '(min-width: 1100px)'

/** At a glance, beside the screen: the frame's right column, or where it stands in the page when there is no room. */
export function Aside({ children }: { children: ReactNode }) {
  const place = useContext(AsidePlaceContext)
  const wide = useMedia(WIDE)
  const claim = place?.claim
  useEffect(() => {
    claim?.(wide)
    return () => claim?.(false)
  }, [claim, wide])
  if (!wide) return children
  return place?.node ? createPortal(children, place.node) : null
}

function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (changed) => {
      const list = matchMedia(query)
      list.addEventListener('change', changed)
      return () => list.removeEventListener('change', changed)
    },
    () => matchMedia(query).matches,
  )
}
