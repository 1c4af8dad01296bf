/** What a package of the app holds, decided path by path. */

/** The one module that is not in the bundle, because it is native; `lib` loads the binary of the machine it runs on. */
const KEPT = [
  /^\/package\.json$/,
  /^\/\.vite(?:\/(?:build|renderer)(?:\/|$)|$)/,
  /^\/node_modules(?:\/better-sqlite3)?$/,
  /^\/node_modules\/better-sqlite3\/package\.json$/,
  /^\/node_modules\/better-sqlite3\/lib(?:\/|$)/,
  /^\/node_modules\/better-sqlite3\/prebuilds(?:\/[\w-]+\.node)?$/,
]

/** True for what is left out. `path` begins with a slash at the project's folder; the folder itself is empty. */
export const isLeftOut = (path: string): boolean => path !== '' && !KEPT.some((kept) => kept.test(path))

/** The binary for a target; every other one is left out. */
export const nativeBinary = (platform: string, arch: string): string => `${platform}-${arch}.node`

const MANIFEST = ['name', 'productName', 'version', 'description', 'license', 'type', 'main'] as const

/** The manifest as the package carries it: what runs it, and nothing of how it is made. */
export const packagedManifest = (manifest: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(MANIFEST.filter((name) => name in manifest).map((name) => [name, manifest[name]]))
