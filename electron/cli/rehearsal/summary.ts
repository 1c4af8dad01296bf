import type { Matrix } from './matrix.ts'
import type { Walked } from './walk.ts'

/** Everything that a rehearsal counts; `summary.json` is exactly this. Times in seconds since 1970 UTC. */
export type Summary = {
  version: 1
  ok: true
  practice: true
  from: number
  to: number
  virtualDays: number
  people: number
  custodians: number
  threshold: number
  tenants: number
  /** Key spec -> tenants that sign with it. */
  algorithms: Record<string, number>
  keysMade: number
  ceremonies: { ceremony: string; kind: string; steps: number; signedBy: number }[]
  bundles: { number: number; tenants: number; keys: number }[]
  tokens: { verifiedThroughDiscovery: number; issued: number }
  matrix: Matrix
  rotation: Walked & { cacheHours: number }
  emergency: { tenant: string; compromised: string; replacement: string; others: number; othersIdentical: number }
  receipts: { taken: number; erased: number }
  destruction: { key: string; certificate: string; grade: string; copies: number; openCopies: number }
  vault: { events: number; signatures: number; approvals: number; checkpoints: number; sealed: number }
  /** How long it really took. */
  seconds: number
}
