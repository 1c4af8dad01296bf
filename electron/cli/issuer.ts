import { Command, Option } from 'commander'
import { count } from '../../shared/domain/plural.ts'
import { utcTime } from '../../shared/domain/utc.ts'
import { KeyriteError, must } from '../../shared/errors.ts'
import { hexGroups, words } from '../../shared/formats/fingerprint.ts'
import { KB, parseJson } from '../../shared/formats/json.ts'
import type { Reporter } from '../app/reporter.ts'
import { readFileGuarded } from '../files/read.ts'
import type { ClientRequest } from '../issuer/clients.ts'
import { initRuntime } from '../issuer/init.ts'
import { isRevocation } from '../issuer/revocation.ts'
import type { Revoked } from '../issuer/revocation-commit.ts'
import type { Runtime } from '../issuer/runtime.ts'
import { CLIENT_AUTH_METHODS } from '../issuer/service.ts'
import { isSuccession, type Repinned } from '../issuer/succession.ts'
import { table } from './format.ts'
import { actorOption, dirOption, inRuntime, list, type Options, text } from './in-runtime.ts'
import { keepingCommands, keepingText } from './issuer-backup.ts'
import { checkConfigCommand } from './issuer-check-config.ts'
import { emergencyCommands } from './issuer-emergency.ts'
import { envelopeCommands } from './issuer-envelope.ts'
import { issuanceCommands } from './issuer-issuance.ts'
import { statusText } from './issuer-status.ts'
import { type Answer, answering } from './output.ts'

/** `keyrite issuer …`: the online side for operators. */

/** The commands of the issuer group, without `serve`. */
export function issuerCommands(): Command {
  const issuer = new Command('issuer').description('the online runtime: import, status, emergency, receipts')
  issuer.addCommand(initCommand())
  issuer.addCommand(checkConfigCommand())
  issuer.addCommand(
    inRuntime(
      'import',
      'import a bundle, its key material, or both; a revocation; or a succession of the root',
      importAnswer,
      { awaiting: true },
    )
      .argument('<files...>', 'files of one handoff, in any order')
      .addOption(actorOption()),
  )
  issuer.addCommand(
    inRuntime('repin', 'pin another root, after its fingerprint was compared by voice', repinAnswer)
      .argument('<file>', 'the new trust anchor, or the succession')
      .requiredOption('--fingerprint <hex>', 'the fingerprint as it was read aloud from the head card'),
  )
  issuer.addCommand(inRuntime('status', 'tenants, keys, phases, clock and receipts', statusAnswer, { awaiting: true }))
  for (const command of emergencyCommands()) issuer.addCommand(command)
  const tenant = new Command('tenant').description('the tenants of this runtime')
  tenant.addCommand(
    inRuntime('assign', 'label a tenant, as when a reserved one finds its customer', assignAnswer)
      .argument('<tenant>', 'its id')
      .requiredOption('--name <name>', 'its label in "issuer status"; nothing else changes')
      .addOption(actorOption()),
  )
  issuer.addCommand(tenant)
  issuer.addCommand(envelopeCommands())
  for (const command of keepingCommands()) issuer.addCommand(command)
  issuer.addCommand(issuanceCommands())
  issuer.addCommand(clientCommands())
  const receipts = new Command('receipts').description('what this runtime states, for the vault')
  receipts.addCommand(
    inRuntime('export', 'write the receipts that the vault has not taken yet', exportAnswer)
      .requiredOption('--out <folder>', 'where the file goes')
      .option('--all', 'from the very first one: for a vault that was restored from a backup'),
  )
  issuer.addCommand(receipts)
  const clock = new Command('clock').description('the trusted time of this runtime')
  clock.addCommand(
    inRuntime('confirm', 'end a clock hold: two people compared the clock', confirmAnswer, {
      awaiting: true,
    }).addOption(actorOption()),
  )
  issuer.addCommand(clock)
  return issuer
}

// init

function initCommand(): Command {
  return new Command('init')
    .description('make a runtime and its enrollment for the vault')
    .addOption(dirOption())
    .requiredOption('--trust-anchor <file>', 'the trust anchor of the vault')
    .requiredOption('--runtime-id <id>', 'how the vault will call this runtime')
    .option('--environment <name>', 'production, staging, … (default: production; rehearsal with --practice)')
    .option('--listen <host:port>', 'where it will listen', '127.0.0.1:47770')
    .option('--enrollment <folder>', 'where the enrollment file goes', '.')
    .option('--store <where>', 'sqlite, or postgres://USER@HOST/DATABASE without a password')
    .option('--store-password-file <file>', 'holds the password of that user')
    .option('--practice', 'a practice runtime, for a practice vault')
    .action(
      answering(async (_args, options) => {
        const { ISSUER_STORAGE_KEY_FILE: storageKeyFile } = process.env
        const made = await initRuntime({
          dir: text(options, 'dir'),
          trustAnchorFile: text(options, 'trustAnchor'),
          runtimeId: text(options, 'runtimeId'),
          environment:
            options.environment === undefined
              ? defaultEnvironment(options.practice === true)
              : text(options, 'environment'),
          listen: listenAddress(text(options, 'listen')),
          enrollmentFolder: text(options, 'enrollment'),
          practice: options.practice === true,
          ...(storageKeyFile === undefined ? {} : { storageKeyFile }),
          ...optional(options, 'store'),
          ...optional(options, 'storePasswordFile'),
        })
        const lines = [
          `Runtime made in ${made.dir}.`,
          `Enrollment for the vault: ${made.enrollmentFile}`,
          '',
          'Compare with the head card before going on. Root of the vault:',
          ...fingerprint(made.anchorFingerprint),
          '',
          'Read aloud when the vault enrolls this runtime. Enrollment:',
          ...fingerprint(made.fingerprint),
        ]
        return { data: made, text: lines.join('\n') }
      }),
    )
}

const optional = <N extends string>(options: Options, name: N): Partial<Record<N, string>> =>
  options[name] === undefined ? {} : ({ [name]: text(options, name) } as Record<N, string>)

const defaultEnvironment = (practice: boolean): string => (practice ? 'rehearsal' : 'production')

function listenAddress(given: string): { host: string; port: number } {
  const match = /^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/.exec(given)
  const port = Number(match?.[2])
  must(match?.[1] && port <= 65_535, 'usage-invalid', '--listen takes HOST:PORT, like 127.0.0.1:47770.')
  return { host: match[1].replace(/[[\]]/g, ''), port }
}

function fingerprint(digest: string): string[] {
  const hex = hexGroups(digest)
  const said = words(digest)
  const rows = [0, 6, 12, 18].map((at) => `  ${said.slice(at, at + 6).join('  ')}`)
  return [`  ${hex.slice(0, 8).join(' ')}`, `  ${hex.slice(8).join(' ')}`, ...rows]
}

// import, receipts, clock

async function importAnswer(runtime: Runtime, options: Options, args: string[], reporter: Reporter): Promise<Answer> {
  const [only = ''] = args
  if (args.length === 1 && isSuccession(only)) return pinnedAnswer(await runtime.takeSuccession(only))
  if (args.length === 1 && isRevocation(only))
    return revokedAnswer(await runtime.importRevocation(only, text(options, 'actor')))
  const result = await runtime.importFiles(args, (stage, done, total) =>
    reporter.progress(stage === 'bundle' ? 'tenants' : 'keys', done, total),
  )
  const said =
    result.outcome === 'no-op'
      ? `Bundle ${result.number} was imported before. Nothing was changed.`
      : `Imported for bundle ${result.number}: ${count(result.tenants, 'tenant')}, ${count(result.keys, 'private key')}.`
  return { data: result, text: said }
}

function revokedAnswer(result: Revoked): Answer {
  const { outcome, order, keys, tenants, standbys, residualUntil, notes } = result
  if (outcome === 'no-op') return { data: result, text: `Revocation ${order} was taken before. Nothing was changed.` }
  const lines = [
    `Revocation ${order}: ${count(keys, 'key')} of ${count(tenants, 'tenant')} ${keys === 1 ? 'is' : 'are'} never used again here and not published any more.`,
    ...(standbys.length > 0
      ? [`${count(standbys.length, 'standby key signs', 'standby keys sign')} from now on.`]
      : []),
    ...(residualUntil === null
      ? []
      : [`Tokens of these keys may still be accepted somewhere until ${utcTime(residualUntil)}.`]),
    ...notes.map((note) => `Note: ${note}.`),
    'Bring the receipts to the vault: "issuer receipts export".',
  ]
  return { data: result, text: lines.join('\n') }
}

const repinAnswer = async (runtime: Runtime, options: Options, [file = '']: string[]): Promise<Answer> =>
  pinnedAnswer(await runtime.repin(file, text(options, 'fingerprint')))

function pinnedAnswer(result: Repinned): Answer {
  const said = result.changed
    ? [
        'This runtime follows the new root from now on. Compare it with the head card:',
        ...fingerprint(result.root),
        'A process that is serving takes it when it is started again.',
      ]
    : ['This root is pinned already. Nothing was changed.']
  return { data: result, text: said.join('\n') }
}

async function statusAnswer(runtime: Runtime): Promise<Answer> {
  const status = await runtime.status()
  const keeping = await runtime.keeping()
  return { data: { ...status, keeping }, text: `${statusText(status)}\n\n${keepingText(keeping)}` }
}

async function assignAnswer(runtime: Runtime, options: Options, [tenant = '']: string[]): Promise<Answer> {
  const name = text(options, 'name')
  await runtime.assign(tenant, name, text(options, 'actor'))
  return {
    data: { tenant, name },
    text: `${tenant} is labelled ${name} here. The vault keeps its own name: change it there with an amend ceremony.`,
  }
}

async function exportAnswer(runtime: Runtime, options: Options): Promise<Answer> {
  const result = await runtime.exportReceipts(text(options, 'out'), { all: options['all'] === true })
  const said = result.existed
    ? `Nothing new since the last export. Receipts ${result.from} to ${result.to} are in ${result.path} already.`
    : `Receipts ${result.from} to ${result.to} written to ${result.path}.`
  return { data: result, text: said }
}

async function confirmAnswer(runtime: Runtime, options: Options): Promise<Answer> {
  const confirmed = await runtime.confirmClock(text(options, 'actor'))
  const now = runtime.now()
  const said = confirmed ? `The clock is confirmed: ${utcTime(now)}.` : `There is no clock hold. It is ${utcTime(now)}.`
  return { data: { confirmed, now }, text: said }
}

// clients

function clientCommands(): Command {
  const client = new Command('client').description('who may ask for tokens')
  const repeat = (value: string, before: string[] | undefined) => [...(before ?? []), value]
  client.addCommand(
    inRuntime('add', 'add a client; its secret is shown once', addClientAnswer)
      .requiredOption('--tenant <id>', 'whose client')
      .requiredOption('--client-id <id>', 'its id')
      .requiredOption('--audience <audience>', 'whom its tokens may be for (repeat for more)', repeat)
      .option('--scope <scope>', 'what its tokens may allow (repeat for more)', repeat)
      .addOption(
        new Option('--method <method>', 'how it shows who it is')
          .choices(CLIENT_AUTH_METHODS)
          .default(CLIENT_AUTH_METHODS[0]),
      )
      .option('--jwks <file>', 'its public keys, for private_key_jwt')
      .option('--lifetime <seconds>', 'how long its tokens live')
      .option('--algorithm <alg>', "instead of the tenant's first algorithm")
      .option('--rate-limit <requests>', 'token requests a minute at each process that serves')
      .option('--introspects', "it may ask about this tenant's tokens at /introspect")
      .addOption(actorOption()),
  )
  client.addCommand(
    inRuntime('list', 'list the clients', listClientsAnswer).option('--tenant <id>', 'only of this tenant'),
  )
  client.addCommand(
    inRuntime('remove', 'remove a client at once', removeClientAnswer)
      .requiredOption('--tenant <id>', 'whose client')
      .requiredOption('--client-id <id>', 'its id')
      .addOption(actorOption()),
  )
  return client
}

async function listClientsAnswer(runtime: Runtime, options: Options): Promise<Answer> {
  const tenant = typeof options.tenant === 'string' ? options.tenant : undefined
  const clients = (await runtime.clients.list(tenant)).map((one) => {
    const { secretDigest: _, ...client } = one.client
    return { tenant: one.tenant, ...client }
  })
  const cells = clients.map((one) => [
    one.tenant,
    one.clientId,
    one.method,
    one.audiences.join(' '),
    one.scopes.join(' '),
  ])
  return { data: clients, text: table([['TENANT', 'CLIENT', 'METHOD', 'AUDIENCES', 'SCOPES'], ...cells]) }
}

async function removeClientAnswer(runtime: Runtime, options: Options): Promise<Answer> {
  const [tenant, clientId] = [text(options, 'tenant'), text(options, 'clientId')]
  await runtime.clients.remove(tenant, clientId, text(options, 'actor'))
  return { data: { tenant, clientId }, text: `Client ${clientId} of ${tenant} is removed.` }
}

async function addClientAnswer(runtime: Runtime, options: Options): Promise<Answer> {
  const tenant = text(options, 'tenant')
  const request: Record<string, unknown> = {
    clientId: text(options, 'clientId'),
    method: text(options, 'method'),
    audiences: list(options, 'audience'),
    scopes: list(options, 'scope'),
    ...(options.lifetime === undefined ? {} : { accessTokenLifetime: Number(options.lifetime) }),
    ...(options.algorithm === undefined ? {} : { algorithm: options.algorithm }),
    ...(options['rateLimit'] === undefined ? {} : { rateLimit: Number(options['rateLimit']) }),
    introspects: options['introspects'] === true,
    ...(options.jwks === undefined ? {} : { jwks: readJwks(text(options, 'jwks')) }),
  }
  const { client, secret } = await runtime.clients.add(tenant, request as ClientRequest, text(options, 'actor'))
  const data = { tenant, client_id: client.clientId, ...(secret === null ? {} : { client_secret: secret }), ...client }
  const { secretDigest: _, ...shown } = data
  const lines = [`Client ${client.clientId} of ${tenant} is added.`]
  if (secret !== null) lines.push('', `  ${secret}`, '', 'This secret is shown once and cannot be shown again.')
  return { data: shown, text: lines.join('\n') }
}

function readJwks(path: string): unknown {
  const parsed = parseJson(readFileGuarded(path, 64 * KB), { maxBytes: 64 * KB, maxDepth: 4 })
  if (typeof parsed === 'object' && parsed !== null && 'keys' in parsed) return parsed.keys
  throw new KeyriteError('usage-invalid', `${path} does not hold a JWK Set.`)
}
