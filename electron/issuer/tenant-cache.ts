import { isKeyriteError } from '../../shared/errors.ts'
import type { Context } from './context.ts'
import { lastKnown } from './last-known.ts'
import type { Soon, TenantService } from './service.ts'
import { StoredTenant } from './tenant-service.ts'
import { loadTenant } from './tenant-state.ts'

type Row = { tenant: string; location: string; removed: 0 | 1 }

const CHANGED = `
SELECT t.tenant, t.location, CASE WHEN r.tenant IS NULL THEN 0 ELSE 1 END AS removed
FROM tenants t LEFT JOIN removed_tenants r ON r.tenant = t.tenant
WHERE t.version > ? ORDER BY t.version`

/**
 * Tenants in memory, each loaded when it is first asked for. Where every issuer lies is known from the start, so that
 * an unknown one costs nothing. Whatever any process changes is noticed before the next request is answered, and only
 * the tenants that it touched are loaded anew. While the store does not answer they stay as they were, and sign nothing.
 */
export class TenantCache {
  readonly #context: Context
  readonly #tenants = new Map<string, string>()
  readonly #services = new Map<string, Soon<TenantService | null>>()
  /** Tenants that changed and were not loaded anew since. */
  readonly #before = new Map<string, TenantService>()
  #revision = Number.NaN
  #version = 0
  #askedAt = Number.NEGATIVE_INFINITY
  #noticing: Promise<void> | null = null

  constructor(context: Context) {
    this.#context = context
  }

  find(location: string): Soon<TenantService | null> {
    if (!this.#changed()) return this.#find(location)
    if (!this.#context.store.heard()) return this.#remembered(location) ?? this.#find(location)
    return this.notice().then(
      () => this.#find(location),
      (error: unknown) => this.#remembered(location) ?? Promise.reject(error),
    )
  }

  #remembered(location: string): TenantService | null {
    const loaded = this.#services.get(location)
    const known = loaded instanceof Promise ? null : loaded
    const service = known ?? this.#before.get(location)
    return service ? lastKnown(service) : null
  }

  /** Asking costs more than the rest of a lookup: that nothing changed stands for a millisecond. */
  #changed(): boolean {
    const now = performance.now()
    if (now - this.#askedAt < 1) return false
    if (this.#revision !== this.#context.store.revision()) return true
    this.#askedAt = now
    return false
  }

  /** Takes over what was committed since the last time. Many who ask at the same time ask once. */
  async notice(): Promise<void> {
    // Again and again: what is read by now began perhaps before the newest change.
    for (;;) {
      const revision = this.#context.store.revision()
      if (this.#revision === revision) return
      this.#noticing ??= this.#notice(revision).finally(() => {
        this.#noticing = null
      })
      await this.#noticing
    }
  }

  async #notice(revision: number): Promise<void> {
    const { store, clock } = this.#context
    const version = (await store.meta<number>('version')) ?? 0
    for (const { tenant, location, removed } of await store.all<Row>(CHANGED, this.#version)) {
      const service = this.#services.get(location)
      this.#services.delete(location)
      if (removed === 1) {
        this.#tenants.delete(location)
        this.#before.delete(location)
      } else {
        this.#tenants.set(location, tenant)
        if (service && !(service instanceof Promise)) this.#before.set(location, service)
      }
    }
    clock.reload(await store.clock())
    this.#version = version
    this.#revision = revision
  }

  #find(location: string): Soon<TenantService | null> {
    const known = this.#services.get(location)
    if (known !== undefined) return known
    const tenant = this.#tenants.get(location)
    if (tenant === undefined) return null
    const before = this.#before.get(location)
    return before && !this.#context.store.heard() ? lastKnown(before) : this.#load(location, tenant)
  }

  #load(location: string, tenant: string): Promise<TenantService | null> {
    const keep = (service: Soon<TenantService | null>) => {
      if (this.#services.get(location) === loading) {
        if (service === null) this.#services.delete(location)
        else this.#services.set(location, service)
      }
    }
    const loading: Promise<TenantService | null> = loadTenant(this.#context.store, tenant).then(
      (state) => {
        const service = state && state.removedAt === null ? new StoredTenant(this.#context, state) : null
        keep(service)
        this.#before.delete(location)
        return service
      },
      (error: unknown) => {
        keep(null)
        const before = this.#before.get(location)
        if (before && isKeyriteError(error, 'store-unreachable')) return lastKnown(before)
        throw error
      },
    )
    this.#services.set(location, loading)
    return loading
  }
}
