import { asKeyriteError } from '../../shared/errors.ts'
import type { StatementKey } from '../../shared/formats/jws.ts'
import type { Anchor } from '../../shared/formats/trust-anchor.ts'

/** What checking one file brings to light. */

/** `verified` from the trust anchor; `consistent` in itself, which proves less; `failed`. */
export type Standing = 'verified' | 'consistent' | 'failed'

export type FileReport = {
  file: string
  kind: string
  ok: boolean
  standing: Standing
  /** What was proved. */
  facts: string[]
  /** What is no failure and must still be said, always. */
  remarks: string[]
  problems: string[]
}

/** Collects facts and problems; a check that throws is a problem of its file and does not hide the others. */
export class Findings {
  readonly facts: string[] = []
  readonly remarks: string[] = []
  readonly problems: string[] = []
  /** Set by the check that leads to the trust anchor. */
  anchored = false

  fact(text: string): void {
    this.facts.push(text)
  }

  remark(text: string): void {
    this.remarks.push(text)
  }

  problem(text: string): void {
    this.problems.push(text)
  }

  rule(holds: boolean, otherwise: string): void {
    if (!holds) this.problem(otherwise)
  }

  /** Runs one check; what it throws becomes a problem, said of `about`, and then there is no result. */
  async attempt<T>(check: () => T | Promise<T>, about?: string): Promise<T | null> {
    try {
      return await check()
    } catch (error) {
      const { message } = asKeyriteError(error)
      this.problem(about === undefined ? message : `${about}: ${message}`)
      return null
    }
  }

  get standing(): Standing {
    if (this.problems.length > 0) return 'failed'
    return this.anchored ? 'verified' : 'consistent'
  }
}

/** A file that must be exactly what another file draws or holds. */
export type Drawn = { kind: string; bytes: Uint8Array; from: string; source: Findings }

/** What the files of one call know of each other. */
export type Context = {
  anchor: Anchor | null
  now: number
  /** Receipt keys by runtime: those the root accepted, and those that only an enrollment claims. */
  receiptKeys: { runtimeId: string; key: StatementKey; accepted: boolean }[]
  /** Digests of enrollments that the root accepted. */
  acceptedEnrollments: Set<string>
  /** Digests of the manifests of verified bundles, and their numbers. */
  bundles: Map<string, number>
  /** Digests of verified records, by ceremony. */
  records: Map<string, string>
  /** By path: what was found in the log extracts that stand beside records. */
  logs: Map<string, Findings>
  /** By id: the statements of the certificates that verified records name. */
  certificates: Map<string, string>
  /** By path: what stands beside a signed file and must equal it. */
  drawn: Map<string, Drawn>
}

/** The trust anchor, or a problem that says that without one nothing is verified. */
export function anchorOf(context: Context, findings: Findings): Anchor | null {
  if (!context.anchor) findings.problem('No trust anchor is given, so nothing in this file is verified.')
  return context.anchor
}

/** Whether a file speaks of the vault of the trust anchor, in the same mode. */
export function sameVault(findings: Findings, anchor: Anchor, vault: { id: string; practice: boolean }): boolean {
  const mode = anchor.practice ? 'practice' : 'production'
  findings.rule(vault.id === anchor.vaultId, 'This file is of another vault than the trust anchor.')
  findings.rule(
    vault.practice === anchor.practice,
    `This file and the trust anchor differ in mode: the anchor is of a ${mode} vault.`,
  )
  return vault.id === anchor.vaultId && vault.practice === anchor.practice
}
