import type { AdapterConstructor, AdapterPayload } from 'oidc-provider'

/** Storage of one tenant's oidc-provider in memory. `before` is told what is about to be written. */
export function storage(before: (model: string) => unknown = () => {}): AdapterConstructor {
  const rows = new Map<string, AdapterPayload>()
  const find = (test: (payload: AdapterPayload) => boolean) => [...rows.values()].find(test)
  return class {
    readonly #model: string
    constructor(model: string) {
      this.#model = model
    }
    #key(id: string) {
      return `${this.#model}:${id}`
    }
    async upsert(id: string, payload: AdapterPayload) {
      await before(this.#model)
      rows.set(this.#key(id), payload)
    }
    async find(id: string) {
      return rows.get(this.#key(id))
    }
    async findByUid(uid: string) {
      return find((payload) => payload.uid === uid && payload.kind === 'Session')
    }
    async findByUserCode(userCode: string) {
      return find((payload) => payload.userCode === userCode)
    }
    async consume(id: string) {
      const payload = rows.get(this.#key(id))
      if (payload) rows.set(this.#key(id), { ...payload, consumed: Math.floor(Date.now() / 1000) })
    }
    async destroy(id: string) {
      rows.delete(this.#key(id))
    }
    async revokeByGrantId(grantId: string) {
      for (const [key, payload] of rows) if (payload.grantId === grantId) rows.delete(key)
    }
  }
}
