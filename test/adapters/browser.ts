/** A browser as far as a login needs one: follows redirects by hand and keeps cookies by path, as RFC 6265 says. */

type Cookie = { name: string; path: string; value: string }

export class Browser {
  #cookies: Cookie[] = []
  readonly #forced: string

  /** `forced` is sent along to every address. */
  constructor(forced = '') {
    this.#forced = forced
  }

  /** Names of the cookies that go to this address. */
  cookiesFor(url: URL): string[] {
    return this.#matching(url).map((cookie) => cookie.name)
  }

  /** The header Cookie for this address. */
  headerFor(url: URL): string {
    const own = this.#matching(url).map(({ name, value }) => `${name}=${value}`)
    return [...own, ...(this.#forced === '' ? [] : [this.#forced])].join('; ')
  }

  /** One request; redirects come back as they are. */
  async request(url: URL, init: RequestInit = {}): Promise<Response> {
    const headers = { ...init.headers, cookie: this.headerFor(url) }
    const response = await fetch(url, { ...init, redirect: 'manual', headers })
    for (const line of response.headers.getSetCookie()) this.#keep(line)
    return response
  }

  /** Follows redirects until a page, or until an address that is not the issuer's own. */
  async follow(start: URL, origin: string): Promise<{ url: URL; response: Response | null }> {
    let url = start
    for (let hops = 0; hops < 10; hops++) {
      if (url.origin !== origin) return { url, response: null }
      const response = await this.request(url)
      const location = response.headers.get('location')
      if (location === null) return { url, response }
      url = new URL(location, url)
    }
    throw new Error('Too many redirects.')
  }

  #matching({ pathname }: URL): Cookie[] {
    return this.#cookies.filter(
      ({ path }) => pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`),
    )
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split(/; */)
    const [, name = '', value = ''] = /^([^=]+)=(.*)$/.exec(pair) ?? []
    const path = attributes.find((one) => /^path=/i.test(one))?.slice(5) ?? '/'
    this.#cookies = this.#cookies.filter((one) => one.name !== name || one.path !== path)
    if (value !== '') this.#cookies.push({ name, path, value })
  }
}
