import { DEFAULT_POLICY } from '../../../shared/domain/policy.ts'

/** What signs where a plan names nothing. */
export const DEFAULT_SPEC: string = DEFAULT_POLICY.signingAlgorithms[0] ?? ''
