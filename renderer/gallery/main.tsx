import { StrictMode, useSyncExternalStore } from 'react'
import { createRoot } from 'react-dom/client'
import { PlaybackPage } from './PlaybackPage.tsx'
import '../look/index.css'
import { Compare } from './Compare.tsx'
import { Controls } from './Controls.tsx'
import { Destroy } from './Destroy.tsx'
import { Home, ManyTenants } from './Home.tsx'
import { Plan } from './Plan.tsx'
import { NotStarted, Runner } from './Runner.tsx'
import { Asking, Failed } from './Told.tsx'

/** One page per picture, and one each for what pictures do not show: `#home`, `#runner`, … */
const PAGES = {
  home: <Home />,
  many: <ManyTenants />,
  runner: <Runner />,
  begin: <NotStarted />,
  plan: <Plan />,
  compare: <Compare />,
  destroy: <Destroy />,
  playback: <PlaybackPage />,
  controls: <Controls />,
  failed: <Failed />,
  asking: <Asking />,
}

const subscribe = (changed: () => void) => {
  window.addEventListener('hashchange', changed)
  return () => window.removeEventListener('hashchange', changed)
}

function Gallery() {
  const hash = useSyncExternalStore(subscribe, () => location.hash.slice(1))
  const page = Object.entries(PAGES).find(([name]) => name === hash)?.[1]
  return page ?? <Contents />
}

const Contents = () => (
  <main>
    <h1>Gallery</h1>
    <ul>
      {Object.keys(PAGES).map((name) => (
        <li key={name}>
          <a href={`#${name}`}>{name}</a>
        </li>
      ))}
    </ul>
  </main>
)

const root = document.getElementById('root')
if (root)
  createRoot(root).render(
    <StrictMode>
      <Gallery />
    </StrictMode>,
  )
