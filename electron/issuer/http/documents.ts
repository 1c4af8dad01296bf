import { hash } from 'node:crypto'
import type { TenantService } from '../service.ts'
import { type Answer, makeAnswer } from './answer.ts'
import { matchesEtag, maxAge, spread } from './caching.ts'

/** The two possible answers, which differ from second to second only in max-age. */
type Fresh = { maxAge: number; full: Answer; notModified: Answer }
type Kept<S> = { source: S; body: string; etag: string; share: number; fresh: Fresh }

/**
 * Public documents of one kind, each serialised once and kept until what it is made from changes. The cache hangs on
 * the tenant's own service object, not on a name: no request can meet another tenant's entry, and an entry goes when
 * its tenant goes.
 */
export class Documents<S> {
  readonly #kept = new WeakMap<TenantService, Kept<S>>()
  readonly #type: string
  readonly #same: (a: S, b: S) => boolean
  readonly #write: (source: S, tenant: TenantService) => string

  /** `same` tells whether two sources give the same document; `write` makes it. */
  constructor(type: string, same: (a: S, b: S) => boolean, write: (source: S, tenant: TenantService) => string) {
    this.#type = type
    this.#same = same
    this.#write = write
  }

  /** 200 or 304, with a strong ETag and `max-age` of at most `seconds`; never a redirect. */
  answer(tenant: TenantService, source: S, seconds: number, ifNoneMatch: string | undefined): Answer {
    let kept = this.#kept.get(tenant)
    if (!kept || !this.#same(kept.source, source)) {
      kept = this.#make(tenant, source)
      this.#kept.set(tenant, kept)
    }
    const age = maxAge(seconds, kept.share)
    if (kept.fresh.maxAge !== age) kept.fresh = this.#fresh(kept.body, kept.etag, age)
    return matchesEtag(ifNoneMatch, kept.etag) ? kept.fresh.notModified : kept.fresh.full
  }

  #make(tenant: TenantService, source: S): Kept<S> {
    const body = this.#write(source, tenant)
    const etag = `"${hash('sha256', body, 'base64url')}"`
    return { source, body, etag, share: spread(tenant.issuer), fresh: this.#fresh(body, etag, 0) }
  }

  #fresh(body: string, etag: string, age: number): Fresh {
    const headers = { ETag: etag, 'Cache-Control': `public, max-age=${age}`, 'Access-Control-Allow-Origin': '*' }
    return {
      maxAge: age,
      full: makeAnswer(200, { 'Content-Type': this.#type, ...headers }, body),
      notModified: makeAnswer(304, headers),
    }
  }
}
