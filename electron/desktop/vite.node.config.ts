import type { UserConfig } from 'vite'
import { at, pdfFonts, startedFiles } from './vite.plugins.ts'

const ENTRIES = ['main', 'engine']

/** Everything that runs on Node: the main process, the engine, the processes and threads they start. */
export default {
  root: at('.'),
  logLevel: 'warn',
  plugins: [startedFiles(), pdfFonts()],
  // The encrypted database is native and ships beside the bundle; Electron brings itself.
  ssr: { noExternal: true, external: ['better-sqlite3', 'electron'] },
  build: {
    ssr: true,
    target: 'node24',
    outDir: '.vite/build',
    emptyOutDir: true,
    rolldownOptions: {
      input: Object.fromEntries(ENTRIES.map((name) => [name, at(`electron/desktop/${name}.ts`)])),
      output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
    },
  },
} satisfies UserConfig
