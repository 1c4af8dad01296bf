/**
 * Keeps a browser's window where it is. The engine's own policy keeps foreign content out; this keeps a slip of the hand
 * from leading away: a file dropped beside its field, a dragged link, an address opened from here. In Electron the shell
 * refuses all of it before, and this changes nothing.
 */
export function guardWindow(view: Window & typeof globalThis): void {
  const refuse = (event: Event) => event.preventDefault()
  const { origin } = view.location
  const ours = (address: string): boolean => URL.parse(address, view.location.href)?.origin === origin

  // Fields that take files have answered by the time an event arrives here.
  view.addEventListener('dragover', (event) => {
    if (event.defaultPrevented) return
    event.preventDefault()
    if (event.dataTransfer) event.dataTransfer.dropEffect = 'none'
  })
  view.addEventListener('drop', refuse)

  view.navigation?.addEventListener('navigate', (event) => {
    if (!event.destination.sameDocument && !ours(event.destination.url)) event.preventDefault()
  })
  for (const click of ['click', 'auxclick'])
    view.addEventListener(click, (event) => {
      const link = event.composedPath().find((node) => node instanceof HTMLAnchorElement)
      if (link && !ours(link.href)) event.preventDefault()
    })
  const open = view.open.bind(view)
  view.open = (url, ...rest) => (url !== undefined && ours(String(url)) ? open(url, ...rest) : null)
}
