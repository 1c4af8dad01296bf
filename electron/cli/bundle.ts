import { dirname, join, resolve } from 'node:path'
import { Command } from 'commander'
import { utcDay, utcTime } from '../../shared/domain/utc.ts'
import { KeyriteError, must } from '../../shared/errors.ts'
import { manifestSchema } from '../../shared/formats/bundle.ts'
import { BUNDLE_CAPS } from '../../shared/formats/bundle-file.ts'
import { fromUtf8 } from '../../shared/formats/bytes.ts'
import { hexGroups } from '../../shared/formats/fingerprint.ts'
import { peekStatement, readStatementHeader } from '../../shared/formats/jws.ts'
import { inclusionProof } from '../../shared/formats/merkle.ts'
import { type RevokedLine, revocationSchema } from '../../shared/formats/revocation.ts'
import { encodeTenantProof } from '../../shared/formats/tenant-proof.ts'
import { readLinesGuarded } from '../files/read.ts'
import { writeNewFile } from '../files/write.ts'
import { readBundle } from '../handoff/bundle.ts'
import { readRevocation } from '../handoff/revocation.ts'
import { readTrustAnchor } from '../handoff/statements.ts'
import { table } from './format.ts'
import { text } from './open-vault.ts'
import { type Answer, answering } from './output.ts'

type Row = {
  tenant: string
  issuer: string
  keys: number
  slots: number
  compromised: number
  tombstones: number
  until: number
}

export function bundleCommands(): Command {
  const bundle = new Command('bundle').description('look into bundles')
  bundle
    .command('inspect <file>')
    .description('what a bundle or a revocation says; verified only with a trust anchor')
    .option('--trust-anchor <file>', 'the trust anchor to check it against')
    .action(answering(inspect))
  bundle
    .command('proof <tenant>')
    .description('one tenant of a bundle, and the proof that it stands under the digest read aloud, without the others')
    .requiredOption('--bundle <file>', 'the bundle')
    .requiredOption('--trust-anchor <file>', 'the trust anchor to check it against')
    .option('--out <file>', 'the new file (default: proof-TENANT-NUMBER.json beside the bundle)')
    .action(answering(proof))
  return bundle
}

const VERIFIED = 'Signed by the root of this trust anchor.'
const UNVERIFIED = 'NOT verified: give the trust anchor with --trust-anchor.'

async function inspect([file = '']: string[], options: Record<string, unknown>): Promise<Answer> {
  const anchorPath = text(options['trustAnchor'])
  if (isRevocation(file)) return inspectRevocation(file, anchorPath)
  const tenants: Row[] = []
  const { manifest, removed } = anchorPath ? await verified(file, anchorPath, tenants) : unverified(file)
  const data = { verified: anchorPath !== undefined, manifest, tenants, removed }
  const head = [
    `Bundle ${manifest.number} for runtime ${manifest.runtimeId} (${manifest.environment}), made ${utcTime(manifest.iat)}, expires ${utcTime(manifest.exp)}`,
    `${manifest.tenants} tenants, digest ${hexGroups(manifest.merkleRoot).join(' ')}`,
    data.verified ? VERIFIED : UNVERIFIED,
  ]
  const rows = tenants.map((one) => [
    one.tenant,
    one.issuer,
    `${one.keys} keys`,
    `${one.slots} slots`,
    `until ${utcDay(one.until)}`,
  ])
  const gone = removed.map((one) => `Offboarded ${utcDay(one.removed)}: ${one.tenant}   ${one.issuer}`)
  return { data, text: [...head, table(rows), ...gone].join('\n') }
}

async function proof([tenant = '']: string[], options: Record<string, unknown>): Promise<Answer> {
  const file = resolve(text(options['bundle']) ?? '')
  const anchor = await readTrustAnchor(text(options['trustAnchor']) ?? '')
  let index = -1
  let at = 0
  const { manifest, removed } = await readBundle(file, anchor, (line) => {
    if (line.tenant === tenant) index = at
    at += 1
  })
  must(index >= 0, 'tenant-unknown', `Bundle ${manifest.number} does not name the tenant ${tenant}.`, {
    hint: 'See "bundle inspect" for the tenants of a bundle.',
  })
  // Removed tenants have lines too, in the same order.
  index += removed.filter((one) => one.tenant < tenant).length
  const made = proofOf(file, index)
  const path = text(options['out']) ?? join(dirname(file), `proof-${tenant}-${manifest.number}.json`)
  writeNewFile(path, made.text)
  const data = { tenant, file: path, merkleRoot: manifest.merkleRoot, inclusion: made.inclusion }
  const words = [
    `${tenant} is tenant ${index + 1} of ${manifest.tenants} in bundle ${manifest.number}, under the digest`,
    `  ${hexGroups(manifest.merkleRoot).slice(0, 8).join(' ')}`,
    `  ${hexGroups(manifest.merkleRoot).slice(8).join(' ')}`,
    `Give this file to the tenant; "keyrite verify" checks it with the trust anchor: ${path}`,
  ]
  return { data, text: words.join('\n') }
}

/** Reads a verified bundle again: the manifest, one tenant's line, and the proof over the digests of all. */
function proofOf(file: string, index: number) {
  const lines = readLinesGuarded(file, BUNDLE_CAPS)
  const manifest = fromUtf8(lines.next().value ?? new Uint8Array())
  let line = ''
  function* tenants(): Generator<Uint8Array> {
    let at = 0
    for (const bytes of lines) {
      if (at === index) line = fromUtf8(bytes)
      at += 1
      yield bytes
    }
  }
  const inclusion = inclusionProof(tenants(), index)
  return { inclusion, text: encodeTenantProof(manifest, line, inclusion) }
}

async function verified(file: string, anchorPath: string, tenants: Row[]) {
  const anchor = await readTrustAnchor(anchorPath)
  const { manifest, removed } = await readBundle(file, anchor, (line) => {
    const { tenant, issuer, keys, slots, compromised, tombstones } = line
    const until = Math.max(...keys.map((key) => key.signUntil))
    tenants.push({
      tenant,
      issuer,
      keys: keys.length,
      slots: slots.length,
      compromised: compromised.length,
      tombstones: tombstones.length,
      until,
    })
  })
  return { manifest, removed }
}

/** By the type that its first line claims; what is neither is refused as no bundle. */
function isRevocation(file: string): boolean {
  try {
    return /^keyrite-(?:practice-)?revocation$/.test(readStatementHeader(firstLineOf(file)).typ)
  } catch {
    return false
  }
}

async function inspectRevocation(file: string, anchorPath: string | undefined): Promise<Answer> {
  const tenants: Pick<RevokedLine, 'tenant' | 'revoke' | 'standby'>[] = []
  const read =
    anchorPath !== undefined &&
    (await readRevocation(file, await readTrustAnchor(anchorPath), ({ tenant, revoke, standby }) => {
      tenants.push({ tenant, revoke, standby })
    }))
  const said = read ? read.revocation : peekStatement(firstLineOf(file), revocationSchema, 'revocation')
  const data = { verified: read !== false, revocation: said, tenants }
  const words = [
    `Revocation ${said.order} for runtime ${said.runtimeId} (${said.environment}), made ${utcTime(said.iat)}, expires ${utcTime(said.exp)}`,
    `Why: ${said.reason}`,
    `${said.tenants} tenants, digest ${hexGroups(said.merkleRoot).join(' ')}`,
    data.verified ? VERIFIED : UNVERIFIED,
    ...tenants.flatMap(({ tenant, revoke, standby }) => [
      ...revoke.map((kid) => `${tenant}: ${kid} never signs again and is not published any more`),
      ...(standby === null ? [] : [`${tenant}: ${standby} takes over, where the runtime has it`]),
    ]),
  ]
  return { data, text: words.join('\n') }
}

function firstLineOf(file: string): string {
  for (const line of readLinesGuarded(file, BUNDLE_CAPS)) return fromUtf8(line)
  throw new KeyriteError('format-invalid', `Reading ${file}: it is empty.`)
}

function unverified(file: string) {
  return { manifest: peekStatement(firstLineOf(file), manifestSchema, 'bundle manifest'), removed: [] }
}
