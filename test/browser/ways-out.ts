/** Ways in which a page could reach another server. Each runs in a page, where `address` is the server's. */

export type WayOut = { way: string; act: (address: string) => unknown }

export const WAYS: WayOut[] = [
  { way: 'fetch', act: (address) => fetch(address) },
  {
    way: 'socket',
    act: (address) => {
      new WebSocket(address.replace('http', 'ws'))
    },
  },
  { way: 'events', act: (address) => new EventSource(address) },
  { way: 'beacon', act: (address) => navigator.sendBeacon(address, 'x') },
  {
    way: 'picture',
    act: (address) => {
      new Image().src = address
    },
  },
  {
    way: 'background',
    act: (address) => {
      document.body.style.backgroundImage = `url(${address})`
    },
  },
  { way: 'font', act: (address) => new FontFace('x', `url(${address})`).load() },
  {
    way: 'frame',
    act: (address) => document.body.append(Object.assign(document.createElement('iframe'), { src: address })),
  },
  {
    way: 'object',
    act: (address) => document.body.append(Object.assign(document.createElement('object'), { data: address })),
  },
  {
    way: 'media',
    act: (address) => document.body.append(Object.assign(document.createElement('video'), { src: address })),
  },
  {
    way: 'styles',
    act: (href) => document.head.append(Object.assign(document.createElement('link'), { rel: 'stylesheet', href })),
  },
  {
    way: 'prefetch',
    act: (href) => document.head.append(Object.assign(document.createElement('link'), { rel: 'prefetch', href })),
  },
  {
    way: 'preload',
    act: (href) =>
      document.head.append(Object.assign(document.createElement('link'), { rel: 'preload', as: 'image', href })),
  },
  {
    way: 'script',
    act: (src) => document.head.append(Object.assign(document.createElement('script'), { src })),
  },
  {
    way: 'worker',
    act: (address) => new Worker(URL.createObjectURL(new Blob([`fetch(${JSON.stringify(address)})`]))),
  },
  {
    way: 'ping',
    act: (address) => {
      const link = Object.assign(document.createElement('a'), { href: '#', ping: address })
      document.body.append(link)
      link.click()
    },
  },
  { way: 'open', act: (address) => void window.open(address) },
  { way: 'open-alone', act: (address) => void window.open(address, '_blank', 'noopener') },
  {
    way: 'link-to-a-tab',
    act: (href) => {
      const link = Object.assign(document.createElement('a'), { href, target: '_blank' })
      document.body.append(link)
      link.click()
    },
  },
  {
    way: 'link',
    act: (href) => {
      const link = Object.assign(document.createElement('a'), { href })
      document.body.append(link)
      link.click()
    },
  },
  {
    way: 'map',
    act: (href) => {
      const area = Object.assign(document.createElement('area'), { href })
      document.body.append(area)
      area.click()
    },
  },
  {
    way: 'drawn-link',
    act: (href) => {
      const link = document.createElementNS('http://www.w3.org/2000/svg', 'a')
      link.setAttribute('href', href)
      document.body.append(link)
      link.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }))
    },
  },
  {
    way: 'form',
    act: (action) => {
      const form = Object.assign(document.createElement('form'), { action, method: 'post' })
      document.body.append(form)
      form.submit()
    },
  },
  {
    way: 'form-to-a-tab',
    act: (action) => {
      const form = Object.assign(document.createElement('form'), { action, target: '_blank' })
      document.body.append(form)
      form.submit()
    },
  },
  {
    way: 'href',
    act: (address) => {
      location.href = address
    },
  },
  { way: 'replace', act: (address) => location.replace(address) },
  {
    way: 'refresh',
    act: (address) => {
      const meta = document.createElement('meta')
      meta.httpEquiv = 'refresh'
      meta.content = `0;url=${address}`
      document.head.append(meta)
    },
  },
]
