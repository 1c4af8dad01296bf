import type { IssuerService, Observer, TenantService } from '../service.ts'
import type { Answer } from './answer.ts'
import { errorAnswer, OAuthError } from './errors.ts'
import type { Throttle } from './throttle.ts'

/** What the OAuth endpoints share besides their tenant; made once per server. */
export type Serving = {
  readonly service: Pick<IssuerService, 'now' | 'cannotSign'>
  readonly observer: Observer
  readonly throttle: Throttle
  /** Told about failures that no request should cause. */
  failed(tenant: string, endpoint: string, error: unknown): void
}

export const NO_OBSERVER: Observer = {
  issued: () => {},
  refused: () => {},
  served: () => {},
  badSignature: () => {},
  took: () => {},
}

/** Throws `cannot_sign` while nothing may be signed, or be called valid, because the runtime cannot know of a taint. */
export function demandKnowledge({ service }: Serving): void {
  if (service.cannotSign() !== null) throw new OAuthError('cannot_sign', 'Nothing may be signed at present.')
}

/** The same for one tenant whose newest state could not be read. */
export function demandNews(tenant: TenantService | null): void {
  if (tenant?.stale) throw new OAuthError('cannot_sign', 'Nothing may be signed at present.')
}

/** Answers as an OAuth endpoint: what `work` throws as OAuthError becomes its error response, and is observed. */
export async function answering(
  { observer }: Serving,
  { tenant, issuer }: TenantService,
  endpoint: string,
  work: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    observer.refused(tenant, endpoint, error.code)
    return errorAnswer(error, issuer)
  }
}
