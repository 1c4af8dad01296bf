import { globSync, rmSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { FuseV1Options, FuseVersion } from '@electron/fuses'
import { MakerDeb } from '@electron-forge/maker-deb'
import { MakerSquirrel } from '@electron-forge/maker-squirrel'
import { MakerZIP } from '@electron-forge/maker-zip'
import { FusesPlugin } from '@electron-forge/plugin-fuses'
import type { ForgeConfig } from '@electron-forge/shared-types'
import { ZIPS } from './electron/desktop/archive.ts'
import { FUSES } from './electron/desktop/lockdown.ts'
import { isLeftOut, nativeBinary, packagedManifest } from './electron/desktop/packaged.ts'

/** How the desktop app is packaged. What goes into it is built by `npm run build`; nothing is published from here. */

const { [ZIPS]: electronZipDir } = process.env

const config: ForgeConfig = {
  packagerConfig: {
    name: 'Keyrite',
    executableName: 'keyrite',
    appBundleId: 'app.keyrite.desktop',
    icon: 'assets/icon',
    usageDescription: { Camera: 'Keyrite reads QR codes of small files while its transfer screen shows the camera.' },
    asar: { unpack: '**/*.node' },
    // What stays is named path by path; looking for what else could go would only leave empty folders.
    prune: false,
    ignore: isLeftOut,
    ...(electronZipDir === undefined ? {} : { electronZipDir }),
  },
  // Its binaries come prebuilt for every platform, against an interface that does not change with Electron.
  rebuildConfig: { ignoreModules: ['better-sqlite3'] },
  makers: [
    new MakerDeb({
      options: {
        name: 'keyrite',
        bin: 'keyrite',
        productName: 'Keyrite',
        genericName: 'Key ceremonies',
        maintainer: 'Keyrite',
        icon: 'assets/icon.png',
        categories: ['Utility'],
        section: 'utils',
      },
    }),
    new MakerZIP({}),
    new MakerSquirrel({ name: 'keyrite', authors: 'Keyrite', setupIcon: 'assets/icon.ico' }),
  ],
  plugins: [
    new FusesPlugin({
      version: FuseVersion.V1,
      strictlyRequireAllFuses: true,
      ...(Object.fromEntries(
        Object.entries(FUSES).map(([name, on]) => [FuseV1Options[name as keyof typeof FUSES], on]),
      ) as Record<FuseV1Options, boolean>),
    }),
  ],
  hooks: {
    packageAfterCopy: async (_config, folder, _version, platform, arch) => {
      const wanted = nativeBinary(platform, arch)
      for (const binary of globSync(join(folder, 'node_modules/better-sqlite3/prebuilds/*.node')))
        if (basename(binary) !== wanted) rmSync(binary)
      const manifest = join(folder, 'package.json')
      await writeFile(manifest, JSON.stringify(packagedManifest(JSON.parse(await readFile(manifest, 'utf8')))))
    },
  },
}

export default config
