import { readFileSync, writeFileSync } from 'node:fs'
import chromium from '@sparticuz/chromium'
import { chromium as playwright } from 'playwright-core'

/** Draws icon.svg at every size: `node assets/make-icons.ts` writes icon.png, icon.ico and icon.icns beside it. */

const file = (name: string): URL => new URL(name, import.meta.url)

async function draw(sizes: readonly number[]): Promise<Map<number, Buffer>> {
  const executablePath = await chromium.executablePath()
  const browser = await playwright.launch({ executablePath, args: ['--no-sandbox', '--no-zygote', '--disable-gpu'] })
  const page = await browser.newPage()
  const drawn = new Map<number, Buffer>()
  for (const size of sizes) {
    await page.setViewportSize({ width: size, height: size })
    await page.setContent(
      `<style>html,body{margin:0}svg{display:block;width:100vw;height:100vh}</style>${readFileSync(file('icon.svg'), 'utf8')}`,
    )
    drawn.set(size, await page.screenshot({ omitBackground: true }))
  }
  await browser.close()
  return drawn
}

/** Windows: a directory of pictures, each a PNG. */
function ico(pictures: readonly (readonly [number, Buffer])[]): Buffer {
  const head = Buffer.alloc(6 + 16 * pictures.length)
  head.writeUInt16LE(1, 2)
  head.writeUInt16LE(pictures.length, 4)
  let offset = head.length
  pictures.forEach(([size, png], index) => {
    const at = 6 + 16 * index
    // A width of 256 is written as 0.
    head.writeUInt8(size % 256, at)
    head.writeUInt8(size % 256, at + 1)
    head.writeUInt16LE(1, at + 4)
    head.writeUInt16LE(32, at + 6)
    head.writeUInt32LE(png.length, at + 8)
    head.writeUInt32LE(offset, at + 12)
    offset += png.length
  })
  return Buffer.concat([head, ...pictures.map(([, png]) => png)])
}

/** macOS: PNGs named by their size. */
function icns(pictures: readonly (readonly [string, Buffer])[]): Buffer {
  const parts = pictures.map(([name, png]) => {
    const head = Buffer.alloc(8)
    head.write(name, 'latin1')
    head.writeUInt32BE(png.length + 8, 4)
    return Buffer.concat([head, png])
  })
  const body = Buffer.concat(parts)
  const head = Buffer.alloc(8)
  head.write('icns', 'latin1')
  head.writeUInt32BE(body.length + 8, 4)
  return Buffer.concat([head, body])
}

const ICNS: readonly (readonly [string, number])[] = [
  ['icp4', 16],
  ['icp5', 32],
  ['ic07', 128],
  ['ic08', 256],
  ['ic09', 512],
  ['ic10', 1024],
]

const drawn = await draw([16, 32, 48, 128, 256, 512, 1024])
const at = (size: number): Buffer => drawn.get(size) ?? Buffer.alloc(0)
writeFileSync(file('icon.png'), at(512))
writeFileSync(file('icon.ico'), ico([16, 32, 48, 256].map((size) => [size, at(size)] as const)))
writeFileSync(file('icon.icns'), icns(ICNS.map(([name, size]) => [name, at(size)] as const)))
