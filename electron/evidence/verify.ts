import { lstatSync } from 'node:fs'
import { asKeyriteError } from '../../shared/errors.ts'
import { equalBytes } from '../../shared/formats/bytes.ts'
import type { Anchor } from '../../shared/formats/trust-anchor.ts'
import { PAGE_VERSION, pageVersion } from '../../shared/pages/page.ts'
import { readFileGuarded } from '../files/read.ts'
import { checkCertificate } from './check-certificate.ts'
import { checkEvidence } from './check-evidence.ts'
import { checkExportedKey } from './check-export.ts'
import {
  checkBundle,
  checkEnvelope,
  checkMaterial,
  checkReceipts,
  checkRevocation,
  checkTenantProof,
} from './check-handoff.ts'
import { checkInventory } from './check-inventory.ts'
import { checkLog } from './check-log.ts'
import { checkRecord } from './check-record.ts'
import {
  checkAcceptance,
  checkAnchor,
  checkEnrollment,
  checkHeadCard,
  checkShareFile,
  readAnchor,
} from './check-statements.ts'
import { checkSuccession, followedRoots } from './check-succession.ts'
import { collect, type Found } from './collect.ts'
import { type Context, type Drawn, type FileReport, Findings } from './findings.ts'
import { KINDS, type Kind, recognise } from './recognise.ts'
import { checkSums } from './sums.ts'

export type { FileReport } from './findings.ts'

export type Report = {
  /** A trust anchor was given; without one nothing is verified. */
  anchored: boolean
  files: FileReport[]
}

type Check = (path: string, context: Context, findings: Findings) => void | Promise<void>

const CHECKS: Record<Exclude<Kind, 'unknown'>, Check> = {
  'trust anchor': checkAnchor,
  succession: checkSuccession,
  record: checkRecord,
  log: checkLog,
  evidence: checkEvidence,
  acceptance: checkAcceptance,
  enrollment: checkEnrollment,
  certificate: checkCertificate,
  inventory: checkInventory,
  bundle: checkBundle,
  'tenant proof': checkTenantProof,
  'key material': checkMaterial,
  envelope: checkEnvelope,
  revocation: checkRevocation,
  'exported key': checkExportedKey,
  receipts: checkReceipts,
  'head card': checkHeadCard,
  share: checkShareFile,
  checksums: (path, _, findings) => checkSums(path, findings),
}

/**
 * Checks files and folders from public keys alone. Pages, plans and scripts beside a signed file are compared with what
 * that file draws, byte for byte; every other file that Keyrite does not know counts as failed.
 * @param pinned the trust anchor, or the path of its file; codes of reading it when it is not a sound one
 */
export async function verifyFiles(
  paths: readonly string[],
  pinned: string | Anchor | null,
  now = Math.floor(Date.now() / 1000),
): Promise<Report> {
  const context: Context = {
    anchor: typeof pinned === 'string' ? await readAnchor(pinned) : pinned,
    now,
    receiptKeys: [],
    acceptedEnrollments: new Set(),
    bundles: new Map(),
    records: new Map(),
    logs: new Map(),
    certificates: new Map(),
    drawn: new Map(),
  }
  const reports = new Map<string, FileReport>()
  const sorted = collect(paths)
    .map(kindOf)
    .sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind))
  const successions = sorted.filter(({ kind }) => kind === 'succession').map(({ path }) => path)
  const roots = await followedRoots(successions, context.anchor)
  for (const file of sorted) reports.set(file.path, await checkByRoots(file, context, roots))
  for (const [path, found] of context.logs) reports.set(path, report(path, 'log', found))
  for (const [path, drawn] of context.drawn) if (exists(path)) reports.set(path, checkDrawn(path, drawn))
  const files = [...reports.values()].sort((a, b) => (a.file < b.file ? -1 : 1))
  return { anchored: context.anchor !== null, files }
}

type Known = { path: string; kind: Kind; refused: string | null }

function kindOf({ path, regular }: Found): Known {
  if (!regular)
    return { path, kind: 'unknown', refused: 'It is not a regular file; links and devices are not followed.' }
  try {
    return { path, kind: recognise(path), refused: null }
  } catch (error) {
    return { path, kind: 'unknown', refused: asKeyriteError(error).message }
  }
}

/** By the trust anchor given, or else by a root that a succession leads to from there. */
async function checkByRoots(file: Known, context: Context, roots: readonly Anchor[]): Promise<FileReport> {
  const first = await checkFile(file, context)
  if (first.ok) return first
  for (const anchor of roots) {
    const found = await checkFile(file, { ...context, anchor })
    if (found.ok) return { ...found, facts: [...found.facts, BY_SUCCESSION] }
  }
  return first
}

const BY_SUCCESSION =
  'Signed by another root than the one of the trust anchor given; a succession that both roots signed leads to it.'

async function checkFile({ path, kind, refused }: Known, context: Context): Promise<FileReport> {
  const findings = new Findings()
  if (refused !== null) findings.problem(refused)
  else if (kind === 'unknown') findings.problem('Nothing signed in this call vouches for this file.')
  else await findings.attempt(() => CHECKS[kind](path, context, findings))
  return report(path, kind, findings)
}

function checkDrawn(path: string, { kind, bytes, from, source }: Drawn): FileReport {
  const findings = new Findings()
  findings.anchored = source.anchored
  const found = readDrawn(path, Math.max(bytes.length, PAGE_MAX))
  const version = found && kind === 'page' ? pageVersion(Buffer.from(found).toString()) : null
  if (found && equalBytes(found, bytes)) findings.fact(`Byte for byte what ${from} beside it says.`)
  else if (version !== null && version !== PAGE_VERSION) findings.problem(otherVersion(version, from))
  else findings.problem(`It is not what ${from} beside it says.`)
  findings.rule(source.standing !== 'failed', `It belongs to ${from} beside it, which is not verified.`)
  return report(path, kind, findings)
}

/** A page says of itself which version drew it, so the number excuses nothing: what is not compared may say anything. */
function otherVersion(version: number, from: string): string {
  const which = version < PAGE_VERSION ? 'an older' : 'a newer'
  const again = from === 'the evidence' ? '' : '; draw it again with "keyrite ceremony show ID --records DIR"'
  return `It says that ${which} version of Keyrite drew it (pages ${version}, here ${PAGE_VERSION}), so it cannot be compared${again}. What counts is ${from} beside it.`
}

const PAGE_MAX = 64 * 1024 * 1024

function readDrawn(path: string, maxBytes: number): Uint8Array | null {
  try {
    return readFileGuarded(path, maxBytes)
  } catch {
    return null
  }
}

const report = (file: string, kind: string, findings: Findings): FileReport => {
  const { standing, facts, remarks, problems } = findings
  return { file, kind, ok: standing !== 'failed', standing, facts, remarks, problems }
}

function exists(path: string): boolean {
  try {
    lstatSync(path)
    return true
  } catch {
    return false
  }
}
