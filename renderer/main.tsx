import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './App.tsx'
import './look/index.css'
import { KeyriteProvider } from './state.tsx'

const root = document.getElementById('root')
if (root)
  createRoot(root).render(
    <StrictMode>
      <KeyriteProvider>
        <App />
      </KeyriteProvider>
    </StrictMode>,
  )
