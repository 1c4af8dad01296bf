import react from '@vitejs/plugin-react'
import type { UserConfig } from 'vite'

/** Every component in every state, for looking at: `vite renderer/gallery`. No part of the product. */
export default {
  root: import.meta.dirname,
  base: './',
  logLevel: 'warn',
  plugins: [react()],
  server: { host: '127.0.0.1', fs: { allow: ['../..'] } },
  build: {
    target: 'chrome140',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 4096,
    emptyOutDir: true,
  },
} satisfies UserConfig
