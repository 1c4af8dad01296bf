import { digest, fromUtf8 } from '../../../shared/formats/bytes.ts'
import { certificateSchema, openCertificate, parseCertificateFile } from '../../../shared/formats/certificate.ts'
import { checkpointSchema, openCheckpoint } from '../../../shared/formats/checkpoint.ts'
import { acceptanceSchema, openAcceptance } from '../../../shared/formats/enrollment.ts'
import { EXPORT_MAX, readExportHeader } from '../../../shared/formats/exported-key.ts'
import { MB } from '../../../shared/formats/json.ts'
import { peekStatement } from '../../../shared/formats/jws.ts'
import { parseShareFile, SHARE_FILE_MAX, shareHeader } from '../../../shared/formats/share-file.ts'
import { openSuccession, parseSuccessionFile, SUCCESSION_FILE_MAX } from '../../../shared/formats/succession.ts'
import { openTrustAnchor } from '../../../shared/formats/trust-anchor.ts'
import { readFileGuarded } from '../../files/read.ts'
import { readStatement } from '../../handoff/statements.ts'
import { type Against, at, byRoot, fact, mode, NOBODY_CHECKED, type Told, WHOLE_FILE } from './told.ts'

/** Files of one statement or one sealed part. */

export async function inspectAnchor(path: string, against: Against): Promise<Told> {
  const { name, vaultId, practice, iat, key, jws } = await openTrustAnchor(readStatement(path))
  const own = against?.anchor.jws === jws
  const strange = against && vaultId !== against.anchor.vaultId ? ' It is not of the open vault.' : ''
  return {
    signer: own
      ? `This is the trust anchor of ${name}, the open vault.`
      : `Signed with the key that it brings along: whose it is shows only when its fingerprint is compared by voice.${strange}`,
    verified: own,
    digest: key.kid,
    covers: 'the root’s public key',
    facts: [fact('Vault', `${name} (${vaultId})`), mode(practice), at('Made', iat)],
  }
}

export async function inspectSuccession(path: string, against: Against): Promise<Told> {
  const file = parseSuccessionFile(readFileGuarded(path, SUCCESSION_FILE_MAX))
  const before = await openTrustAnchor(file.before)
  const { anchor, claims } = await openSuccession(file, before)
  const own = against !== null && [before.jws, anchor.jws].includes(against.anchor.jws)
  return {
    signer: `Signed by the old root and by the new one, as the file names them. ${own ? `One of them is the root of ${against.anchor.name}, the open vault.` : 'Neither was compared with an open vault.'}`,
    verified: own,
    digest: anchor.key.kid,
    covers: 'the public key of the new root',
    facts: [
      fact('Vault', anchor.name),
      fact(
        'The old root',
        claims.compromised ? 'suspected to be compromised: its word is worth nothing' : 'left by plan',
      ),
      at('Made', claims.iat),
    ],
  }
}

export async function inspectAcceptance(path: string, against: Against): Promise<Told> {
  const jws = readStatement(path)
  const said = against
    ? await openAcceptance(jws, against.anchor.key, against.anchor.practice)
    : peekStatement(jws, acceptanceSchema, 'acceptance of an enrollment')
  return {
    ...rootSigned(against),
    digest: digest(jws),
    covers: 'the signed acceptance',
    facts: [fact('Accepts the runtime', `${said.runtimeId} (${said.environment})`), at('Made', said.iat)],
  }
}

export async function inspectHeadCard(path: string, against: Against): Promise<Told> {
  const jws = readStatement(path)
  const said = against
    ? await openCheckpoint(jws, against.anchor.key, against.anchor.practice)
    : peekStatement(jws, checkpointSchema, 'checkpoint')
  const newest = against?.state.seq
  const behind = newest === undefined ? [] : [fact('The open vault stands at event', newest)]
  return {
    ...rootSigned(against),
    digest: said.head,
    covers: `the vault’s history up to event ${said.seq}`,
    facts: [fact('Head card of event', said.seq), ...behind, at('Made', said.iat)],
  }
}

const CERTIFICATE_MAX = 16 * MB

export async function inspectCertificate(path: string, against: Against): Promise<Told> {
  const file = parseCertificateFile(readFileGuarded(path, CERTIFICATE_MAX))
  const said = against
    ? await openCertificate(file.certificate, against.anchor.key, against.anchor.practice)
    : peekStatement(file.certificate, certificateSchema, 'certificate', CERTIFICATE_MAX)
  return {
    ...rootSigned(against),
    digest: digest(file.certificate),
    covers: 'the certificate that the root signed',
    facts: [
      fact(said.grade === 'destruction' ? 'Certificate of destruction' : 'Certificate of deletion', said.certificate),
      fact('Keys', said.keys.length === 1 ? (said.keys[0]?.label ?? '1') : said.keys.length),
      fact('Ceremony', said.ceremony),
      fact('Signatures beside it', `${Object.keys(file.signatures).length}; Records checks them`),
      at('Issued', said.issuedAt),
    ],
  }
}

const rootSigned = (against: Against): Pick<Told, 'signer' | 'verified'> => ({
  signer: against ? byRoot(against.anchor) : NOBODY_CHECKED,
  verified: against !== null,
})

export function inspectExport(path: string, against: Against): Told {
  const jwe = fromUtf8(readFileGuarded(path, EXPORT_MAX))
  const { vaultId, number, format, practice, recipient } = readExportHeader(jwe)
  const kept = against !== null && vaultId === against.anchor.vaultId
  return {
    signer: 'Nobody signs an exported key. What it says of itself is proved only when its recipient opens it.',
    verified: false,
    digest: digest(jwe),
    covers: WHOLE_FILE,
    facts: [
      fact('Exported keys', `export ${number}, as ${format}`),
      fact('Names as its vault', kept ? 'the open vault' : `${vaultId}${against ? ', not the open one' : ''}`),
      fact('Only this key opens it', recipient),
      mode(practice),
    ],
  }
}

export function inspectShare(path: string, against: Against): Told {
  const jwe = parseShareFile(readFileGuarded(path, SHARE_FILE_MAX))
  const { vaultId, person, epoch } = shareHeader(jwe)
  const own = against !== null && vaultId === against.anchor.vaultId
  return {
    signer: 'Nobody signs a share. It shows whether it is the right one when its custodian opens it.',
    verified: false,
    digest: digest(jwe),
    covers: WHOLE_FILE,
    facts: [
      fact('Share of', own ? (against.roster.people.find(({ id }) => id === person)?.name ?? person) : person),
      fact('Epoch', own ? `${epoch}; the vault is in epoch ${against.roster.epoch}` : epoch),
      fact('Names as its vault', own ? 'the open vault' : `${vaultId}${against ? ', not the open one' : ''}`),
    ],
  }
}
