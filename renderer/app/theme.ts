import { useEffect, useMemo, useState } from 'react'
import type { Theme } from '../state.tsx'

const KEPT = 'keyrite-theme'
const THEMES: readonly Theme[] = ['system', 'light', 'dark']

/** Light, dark or as the system says. The only thing that the page keeps on this machine. */
export function useTheme() {
  const [theme, setTheme] = useState<Theme>(kept)
  useEffect(() => {
    const page = document.documentElement
    if (theme === 'system') page.removeAttribute('data-theme')
    else page.setAttribute('data-theme', theme)
    try {
      localStorage.setItem(KEPT, theme)
    } catch {
      // A window without storage: the choice holds until it is closed.
    }
  }, [theme])
  return useMemo(() => ({ theme, setTheme }), [theme])
}

function kept(): Theme {
  try {
    return THEMES.find((theme) => theme === localStorage.getItem(KEPT)) ?? 'system'
  } catch {
    return 'system'
  }
}
