import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ZIPS } from '../../electron/desktop/archive.ts'
import { FUSES } from '../../electron/desktop/lockdown.ts'
import { zip } from './zip.ts'

/** Builds and packages the app as `npm run build` and `npm run package` do, beside the checkout and not in it. */

const run = promisify(execFile)
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>
  devDependencies: Record<string, string>
}

const OUT: Record<string, string> = {
  'renderer/vite.config.ts': 'renderer/main_window',
  'electron/desktop/vite.node.config.ts': 'build',
  'electron/desktop/vite.preload.config.ts': 'build',
}

/** The commands of `npm run build`, in order, writing below `folder`. */
export async function build(folder: string): Promise<void> {
  for (const command of (manifest.scripts['build'] ?? '').split(' && ')) {
    const config = /^vite build -c (\S+)$/.exec(command)?.[1] ?? ''
    const out = OUT[config]
    if (out === undefined) throw new Error(`"npm run build" has a command that this test does not know: ${command}`)
    const vite = join(ROOT, 'node_modules/vite/bin/vite.js')
    await run(process.execPath, [vite, 'build', '-c', config, '--outDir', join(folder, out)], {
      cwd: ROOT,
    })
  }
}

/** What @electron/fuses looks for in a binary: its sentinel, the version, and each fuse as it comes from Electron. */
const binary = (fuses: number): Buffer =>
  Buffer.concat([
    Buffer.from(`ELF dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX`),
    Buffer.from([1, fuses]),
    Buffer.from('1'.repeat(fuses)),
    Buffer.alloc(64),
  ])

/**
 * Runs Forge with this project's own configuration in `project`, where `.vite` was built, with an archive in place of
 * Electron's whose binary has `fuses` fuses. Gives the folder of the packaged app.
 */
export async function packageApp(project: string, fuses = Object.keys(FUSES).length): Promise<string> {
  for (const name of [
    'package.json',
    'forge.config.ts',
    'electron/desktop',
    'electron/app',
    'assets',
    'docs',
    'test/desktop',
  ])
    cpSync(join(ROOT, name), join(project, name), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(project, 'node_modules'))
  const zips = join(project, 'zips')
  mkdirSync(zips)
  const file = (name: string, bytes: Buffer, mode = 0o644) => ({ name, bytes, mode })
  const version = manifest.devDependencies['electron'] ?? ''
  writeFileSync(
    join(zips, `electron-v${version}-${process.platform}-${process.arch}.zip`),
    zip([
      file('electron', binary(fuses), 0o755),
      file('version', Buffer.from(version)),
      file('resources/default_app.asar', Buffer.from('left out')),
    ]),
  )
  const forge = join(ROOT, 'node_modules/@electron-forge/cli/dist/electron-forge.js')
  await run(process.execPath, [forge, 'package'], { cwd: project, env: { ...process.env, [ZIPS]: zips } })
  return join(project, `out/Keyrite-${process.platform}-${process.arch}`)
}

export const newProject = (): string => mkdtempSync(join(tmpdir(), 'keyrite-package-'))
