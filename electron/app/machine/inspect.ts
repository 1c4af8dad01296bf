import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import type { Inspected } from '../../../shared/contract/machine.ts'
import { digest, fromUtf8 } from '../../../shared/formats/bytes.ts'
import { parseRecipient } from '../../../shared/formats/exported-key.ts'
import { hexGroups, words } from '../../../shared/formats/fingerprint.ts'
import { MB } from '../../../shared/formats/json.ts'
import { parsePlan } from '../../../shared/formats/plan.ts'
import { openTrustAnchor } from '../../../shared/formats/trust-anchor.ts'
import { planInLines } from '../../../shared/pages/plan-words.ts'
import { readFileGuarded, readStartGuarded } from '../../files/read.ts'
import { readPeople } from '../../vault/people-store.ts'
import type { AppContext } from '../context.ts'
import {
  inspectBundle,
  inspectEnrollment,
  inspectEnvelope,
  inspectMaterial,
  inspectReceipts,
  inspectRevocation,
} from './inspect-handoff.ts'
import {
  inspectAcceptance,
  inspectAnchor,
  inspectCertificate,
  inspectExport,
  inspectHeadCard,
  inspectShare,
  inspectSuccession,
} from './inspect-statements.ts'
import { kindOf, onMedium } from './medium-files.ts'
import { type Against, againstOf, at, fact, mode, type Told, WHOLE_FILE } from './told.ts'

/** What a file of the medium says and who signed it, before anybody accepts anything. Inspecting changes nothing. */

/**
 * Reads one file, checked against the vault that is open. Codes: of `readFileGuarded`; `vault-mismatch`, `practice-refused`,
 * `signature-invalid`, `jose-refused`, `format-invalid` for a file that does not hold what it is taken for.
 */
export async function inspectFile(app: AppContext, name: string): Promise<Inspected> {
  const path = onMedium(app, name)
  // A missing file, a link or a device is refused by name, before it is taken for anything.
  if (!isFolder(path)) readNothing(path)
  const kind = kindOf(path)
  const told = await INSPECT[kind](path, againstOf(app), app.now())
  const { signer, verified, covers, facts, runtime = null } = told
  return {
    name,
    kind,
    signer,
    verified,
    covers,
    runtime,
    facts,
    digest: { hex: hexGroups(told.digest), words: words(told.digest) },
  }
}

type Inspect = (path: string, against: Against, now: number) => Told | Promise<Told>

const INSPECT: Record<Inspected['kind'], Inspect> = {
  plan: inspectPlan,
  'trust anchor': inspectAnchor,
  enrollment: inspectEnrollment,
  receipts: inspectReceipts,
  bundle: inspectBundle,
  'key material': inspectMaterial,
  envelope: inspectEnvelope,
  revocation: inspectRevocation,
  'exported key': inspectExport,
  share: inspectShare,
  backup: inspectBackup,
  certificate: inspectCertificate,
  succession: inspectSuccession,
  'head card': inspectHeadCard,
  acceptance: inspectAcceptance,
  other: inspectOther,
}

function isFolder(path: string): boolean {
  try {
    return lstatSync(path).isDirectory()
  } catch {
    return false
  }
}

const NO_CAP = Number.MAX_SAFE_INTEGER
const readNothing = (path: string) => readStartGuarded(path, { maxBytes: NO_CAP, length: 0 })

const PLAN_MAX = 4 * MB

function inspectPlan(path: string): Told {
  const read = parsePlan(fromUtf8(readFileGuarded(path, PLAN_MAX)))
  return {
    signer: 'Nobody signs a plan. It counts once the people at the table have compared its words and approved it.',
    verified: false,
    digest: read.digest,
    covers: 'the plan, letter by letter',
    facts: [
      fact('Plan for', read.plan.kind),
      ...planInLines(read.text)
        .flatMap((line) => (/^[^\s].*: \S/.test(line) ? factOf(line) : []))
        .slice(0, FACTS_MAX),
    ],
  }
}

const FACTS_MAX = 8
const VALUE_MAX = 300

function factOf(line: string) {
  const colon = line.indexOf(': ')
  return line.startsWith('Kind: ') ? [] : fact(line.slice(0, colon), line.slice(colon + 2, colon + 2 + VALUE_MAX))
}

/** Opening a backup takes a quorum; here only its list of people is read. */
async function inspectBackup(path: string, against: Against): Promise<Told> {
  const anchor = await openTrustAnchor(readPeople(path).anchor)
  const own = against !== null && anchor.vaultId === against.anchor.vaultId
  return {
    signer: own
      ? 'A copy of the open vault, as it says. A backup-test ceremony opens it and shows whether it holds everything.'
      : 'A copy of a vault, as it says. Only its own quorum can open it.',
    verified: false,
    digest: anchor.key.kid,
    covers: 'the root’s public key of the vault that was copied',
    facts: [
      fact('Copy of', `${anchor.name} (${anchor.vaultId})`),
      mode(anchor.practice),
      at('The root was made', anchor.iat),
      fact('Encrypted file', `${Math.ceil(lstatSync(join(path, 'vault.db')).size / 1024).toLocaleString('en')} KB`),
    ],
  }
}

const OTHER_MAX = 64 * MB
const PEM_PRIVATE = /^-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/

function inspectOther(path: string): Told {
  const bytes = readFileGuarded(path, OTHER_MAX)
  const recipient = recipientOf(bytes)
  if (recipient)
    return {
      signer: 'Nobody signs a public key. Whose it is shows only when its fingerprint is compared by voice.',
      verified: false,
      digest: recipient,
      covers: 'this public key',
      facts: [fact('Public key', 'P-256, to which private keys can be exported')],
    }
  const secret = PEM_PRIVATE.test(new TextDecoder('latin1').decode(bytes.subarray(0, 64)))
  return {
    signer: 'Keyrite does not know this kind of file, so nobody has checked who made it.',
    verified: false,
    digest: digest(bytes),
    covers: WHOLE_FILE,
    facts: secret
      ? [fact('Looks like', 'a private key in PEM form. Whoever has this medium may have the key.')]
      : [fact('Looks like', 'no file of Keyrite')],
  }
}

function recipientOf(bytes: Uint8Array): string | null {
  try {
    return parseRecipient(bytes).fingerprint
  } catch {
    return null
  }
}
