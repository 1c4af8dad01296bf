import { basename, dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vite'

/** What a bundle for Node needs beyond joining modules. */

const STARTED = /new URL\(\s*'(\.[^'\n]+)\.ts'\s*,\s*import\.meta\.url\s*\)/g

/**
 * Threads and processes are started by the address of their file. Each becomes an entry of the bundle, and its address
 * that of the built file, which lies in the same folder as whatever starts it.
 */
export function startedFiles(): Plugin {
  return {
    name: 'keyrite:started-files',
    transform: {
      order: 'pre',
      filter: { id: /\/(?:electron|shared)\/.*\.ts$/ },
      handler(code, id) {
        return code.replace(STARTED, (_, path: string) => {
          const name = basename(path)
          this.emitFile({ type: 'chunk', id: resolve(dirname(id), `${path}.ts`), fileName: `${name}.js` })
          return `new URL('./${name}.js', import.meta.url)`
        })
      },
    },
  }
}

/**
 * pdfkit asks for the measures of the standard fonts by name and at run time, which no bundler can follow: they become
 * ordinary imports.
 */
export function pdfFonts(): Plugin {
  const asked = /require\$1\('#standard-fonts\/(\w+)'\)/g
  return {
    name: 'keyrite:pdf-fonts',
    transform: {
      order: 'pre',
      filter: { id: /\/pdfkit\/js\/pdfkit\.node\.mjs$/ },
      handler(code) {
        const fonts = [...new Set([...code.matchAll(asked)].map(([, font = '']) => font))]
        if (fonts.length === 0) throw new Error('pdfkit loads its standard fonts in another way than this build knows.')
        const imports = fonts.map((font) => `import font${font} from 'pdfkit/standard-fonts/${font}'`)
        return `${imports.join('\n')}\n${code.replace(asked, (_, font: string) => `font${font}`)}`
      },
    },
  }
}

/** A path of this project. */
export const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))
