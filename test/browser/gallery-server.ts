import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { build } from 'vite'
import { CSP } from '../../electron/desktop/lockdown.ts'
import config from '../../renderer/gallery/vite.config.ts'

/** Builds the gallery into a folder of its own and serves it under the product's content security policy. */

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.woff2': 'font/woff2',
}

/** Vitest's own NODE_ENV would build React for development: many times as slow, and not what people get. */
async function buildInto(folder: string): Promise<void> {
  const before = process.env['NODE_ENV']
  process.env['NODE_ENV'] = 'production'
  try {
    await build({ ...config, configFile: false, build: { ...config.build, outDir: folder } })
  } finally {
    process.env['NODE_ENV'] = before
  }
}

export type GalleryServer = { address: string; files: readonly string[]; close: () => Promise<void> }

export async function serveGallery(): Promise<GalleryServer> {
  const folder = mkdtempSync(join(tmpdir(), 'keyrite-gallery-'))
  await buildInto(folder)
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => extname(name) !== '')
  const server = createServer((request, response) => {
    const asked = new URL(request.url ?? '/', 'http://127.0.0.1').pathname.slice(1) || 'index.html'
    if (!files.includes(asked)) {
      response.writeHead(404).end()
      return
    }
    response.writeHead(200, {
      'Content-Type': TYPES[extname(asked)] ?? 'application/octet-stream',
      'Content-Security-Policy': CSP,
      'X-Content-Type-Options': 'nosniff',
    })
    response.end(readFileSync(join(folder, asked)))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  return {
    address: `http://127.0.0.1:${port}/`,
    files,
    close: async () => {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
