import { existsSync, globSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Packaging needs Electron's release archive. Whether there is one is found out before anything is built. */

const MANIFEST = fileURLToPath(new URL('../../package.json', import.meta.url))

/** A folder that holds release archives, for machines without a network. */
export const ZIPS = 'KEYRITE_ELECTRON_ZIPS'

export type Target = { platform: string; arch: string; env: NodeJS.ProcessEnv }

/** Why nothing can be packaged here, in one message that says what to do; null where the archive is at hand or can be fetched. */
export async function archiveProblem({ platform, arch, env }: Target): Promise<string | null> {
  const { devDependencies } = JSON.parse(readFileSync(MANIFEST, 'utf8')) as { devDependencies: { electron: string } }
  const version = devDependencies.electron
  const name = `electron-v${version}-${platform}-${arch}.zip`
  const folder = env[ZIPS]
  if (folder !== undefined)
    return existsSync(join(folder, name)) ? null : `There is no ${name} in ${folder}, the folder that ${ZIPS} names.`
  if (globSync(join(cacheOf(platform, env), '*', name)).length > 0) return null
  const mirror = env['ELECTRON_MIRROR'] ?? 'https://github.com/electron/electron/releases/download/'
  if (await canReach(`${mirror}v${version}/${name}`)) return null
  return [
    `Packaging needs ${name}, which is not on this machine and cannot be fetched.`,
    'Nothing was built or changed.',
    `Run this again where a network is, or put that file from Electron's release page into a folder and name the folder with ${ZIPS}.`,
    '"npm start" works without it: it opens the same app in a browser.',
  ].join('\n')
}

/** Where Forge keeps what it fetched. */
function cacheOf(platform: string, env: NodeJS.ProcessEnv): string {
  const { electron_config_cache: given, XDG_CACHE_HOME, LOCALAPPDATA } = env
  if (given !== undefined) return given
  if (platform === 'darwin') return join(homedir(), 'Library/Caches/electron')
  if (platform === 'win32') return join(LOCALAPPDATA ?? join(homedir(), 'AppData/Local'), 'electron/Cache')
  return join(XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'electron')
}

const canReach = (url: string): Promise<boolean> =>
  fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(10_000) }).then(
    ({ ok }) => ok,
    () => false,
  )
