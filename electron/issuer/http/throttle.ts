/** Limits on how often one client may ask, kept in this process alone, in bounded memory. */

export type ThrottleLimits = {
  /** Failed authentications a minute that one client id may have at one tenant. */
  failures: number
  /** Client ids remembered for each limit; the one not heard of for longest is forgotten first. */
  throttledClients: number
}

/** A client's own `rateLimit` comes with the client. */
export const THROTTLE: ThrottleLimits = { failures: 30, throttledClients: 20_000 }

/** A token bucket: a minute's worth at once, refilled evenly. */
type Bucket = { left: number; at: number }

export class Throttle {
  readonly #limits: ThrottleLimits
  readonly #seconds: () => number
  readonly #requests = new Map<string, Bucket>()
  readonly #failures = new Map<string, Bucket>()

  /** `seconds`: a monotonic clock. */
  constructor(limits: ThrottleLimits, seconds: () => number) {
    this.#limits = limits
    this.#seconds = seconds
  }

  /** Counts a request of an authenticated client: 0 when it may go on, else the seconds after which it may. */
  request(tenant: string, clientId: string, perMinute: number): number {
    return this.#take(this.#requests, nameOf(tenant, clientId), perMinute)
  }

  /** Counts a failed authentication: 0 when that id may fail once more, else the seconds after which it may. */
  failure(tenant: string, clientId: string): number {
    return this.#take(this.#failures, nameOf(tenant, clientId), this.#limits.failures)
  }

  /** How many ids are remembered. */
  get size(): number {
    return this.#requests.size + this.#failures.size
  }

  #take(buckets: Map<string, Bucket>, name: string, perMinute: number): number {
    const now = this.#seconds()
    const bucket = buckets.get(name) ?? { left: perMinute, at: now }
    // A Map keeps the order of insertion, so that its first entry is the one not heard of for longest.
    buckets.delete(name)
    buckets.set(name, bucket)
    if (buckets.size > this.#limits.throttledClients) buckets.delete(buckets.keys().next().value ?? name)
    bucket.left = Math.min(perMinute, bucket.left + ((now - bucket.at) * perMinute) / 60)
    bucket.at = now
    if (bucket.left < 1) return Math.ceil(((1 - bucket.left) * 60) / perMinute)
    bucket.left -= 1
    return 0
  }
}

/** A tenant's id has no space in it (formats/tenant-id.ts). */
const nameOf = (tenant: string, clientId: string): string => `${tenant} ${clientId}`
