import type { UserConfig } from 'vite'
import { METHOD_NAMES } from '../../shared/contract/contract.ts'
import { CALL, NOTICE } from './ipc.ts'
import { at } from './vite.plugins.ts'

/** The preload: CommonJS, because sandboxed pages load nothing else, and one file, because they load nothing more. */
export default {
  root: at('.'),
  logLevel: 'warn',
  define: { METHODS: JSON.stringify(METHOD_NAMES), CALL: JSON.stringify(CALL), NOTICE: JSON.stringify(NOTICE) },
  ssr: { noExternal: true, external: ['electron'] },
  build: {
    ssr: at('electron/desktop/preload.ts'),
    target: 'chrome140',
    outDir: '.vite/build',
    emptyOutDir: false,
    rolldownOptions: { output: { format: 'cjs', entryFileNames: 'preload.cjs' } },
  },
} satisfies UserConfig
