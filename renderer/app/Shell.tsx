import { type ReactNode, useMemo, useState } from 'react'
import { clock } from '../components/format.ts'
import { type Destination, useKeyrite } from '../state.tsx'
import { text } from '../text/index.ts'
import { AsidePlaceContext } from './Aside.tsx'
import css from './app.module.css'
import { Framed } from './Framed.tsx'
import { Navigation } from './Navigation.tsx'

/** Header, navigation and, where a screen fills it, the right column. */
export function Shell({ screen, children }: { screen: Destination['screen']; children: ReactNode }) {
  const { overview } = useKeyrite()
  const [node, setNode] = useState<HTMLElement | null>(null)
  const [claimed, setClaimed] = useState(false)
  const place = useMemo(() => ({ node, claim: setClaimed }), [node])
  return (
    <AsidePlaceContext value={place}>
      <div className={css.shell}>
        <Framed
          layout="home"
          title={overview ? overview.name : text.app.noVaultOpen}
          note={overview ? text.app.openedBy(overview.openedBy.name, clock(overview.openedAt)) : undefined}
          left={<Navigation screen={screen} key={screen} />}
          right={claimed ? <div ref={setNode} /> : undefined}
        >
          {children}
        </Framed>
      </div>
    </AsidePlaceContext>
  )
}
