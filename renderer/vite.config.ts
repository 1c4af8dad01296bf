import react from '@vitejs/plugin-react'
import type { UserConfig } from 'vite'

/** The screens. Both shells serve what this makes from a fixed list of files, so that nothing is fetched from elsewhere. */

// Whoever builds: under another value the screens would carry development code and the paths of this machine.
process.env['NODE_ENV'] = 'production'

export default {
  root: 'renderer',
  base: './',
  logLevel: 'warn',
  plugins: [react()],
  build: {
    target: 'chrome140',
    outDir: '../.vite/renderer/main_window',
    emptyOutDir: true,
    // Everything a page needs is a file of its own: the policy allows no data: but pictures.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 4096,
  },
} satisfies UserConfig
