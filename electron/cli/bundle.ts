import { Command } from 'commander'
import { KeyriteError } from '../../shared/errors.ts'
import { manifestSchema } from '../../shared/formats/bundle.ts'
import { BUNDLE_CAPS } from '../../shared/formats/bundle-file.ts'
import { fromUtf8 } from '../../shared/formats/bytes.ts'
import { hexGroups } from '../../shared/formats/fingerprint.ts'
import { peekStatement } from '../../shared/formats/jws.ts'
import { readLinesGuarded } from '../files/read.ts'
import { readBundle } from '../handoff/bundle.ts'
import { readTrustAnchor } from '../handoff/statements.ts'
import { table, utcDay, utcTime } from './format.ts'
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
    .description('what a bundle says; verified only with a trust anchor')
    .option('--trust-anchor <file>', 'the trust anchor to check it against')
    .action(answering(inspect))
  return bundle
}

async function inspect([file = '']: string[], options: Record<string, unknown>): Promise<Answer> {
  const anchorPath = text(options['trustAnchor'])
  const tenants: Row[] = []
  const manifest = anchorPath ? await verified(file, anchorPath, tenants) : unverified(file)
  const data = { verified: anchorPath !== undefined, manifest, tenants }
  const head = [
    `Bundle ${manifest.number} for runtime ${manifest.runtimeId} (${manifest.environment}), made ${utcTime(manifest.iat)}, expires ${utcTime(manifest.exp)}`,
    `${manifest.tenants} tenants, digest ${hexGroups(manifest.merkleRoot).join(' ')}`,
    data.verified
      ? 'Signed by the root of this trust anchor.'
      : 'NOT verified: give the trust anchor with --trust-anchor.',
  ]
  const rows = tenants.map((one) => [
    one.tenant,
    one.issuer,
    `${one.keys} keys`,
    `${one.slots} slots`,
    `until ${utcDay(one.until)}`,
  ])
  return { data, text: [...head, table(rows)].join('\n') }
}

async function verified(file: string, anchorPath: string, tenants: Row[]) {
  const anchor = await readTrustAnchor(anchorPath)
  const { manifest } = await readBundle(file, anchor, (line) => {
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
  return manifest
}

function unverified(file: string) {
  for (const line of readLinesGuarded(file, BUNDLE_CAPS))
    return peekStatement(fromUtf8(line), manifestSchema, 'bundle manifest')
  throw new KeyriteError('format-invalid', `Reading ${file}: it is empty.`)
}
