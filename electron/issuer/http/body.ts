import type { IncomingMessage } from 'node:http'

/**
 * The body of a request as latin1, a character for each byte, or null when it is larger than `maxBytes`: then what is
 * left of it is never kept. A sender that goes away leaves the promise open, for the collector to take with the request.
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<string | null> {
  if (request.readableEnded) return Promise.resolve('')
  return new Promise((resolve) => {
    if (Number(request.headers['content-length']) > maxBytes) return resolve(null)
    let body = ''
    request.on('data', (chunk: Buffer) => {
      if (body.length + chunk.length > maxBytes) {
        request.removeAllListeners('data')
        resolve(null)
      } else body += chunk.toString('latin1')
    })
    request.on('end', () => resolve(body))
  })
}
