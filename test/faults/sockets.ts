import { connect } from 'node:net'

/** Raw bytes over sockets, and what came back as HTTP answers. */

export type RawAnswer = { status: number; head: string; body: string }

/**
 * Sends bytes, and gives all that came back by the time the server closed; an error of the connection counts as its end.
 * After `quiet` milliseconds without anything new (five times as long before the first) it says that nothing more is
 * sent: a request that is answered later than that is given up. Rejects when there is no end after `patience`.
 */
export function converse(
  port: number,
  bytes: Buffer | string,
  { quiet = 20, patience = 20_000 } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(bytes))
    let ending = setTimeout(() => socket.end(), 5 * quiet)
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new Error(`no end after ${patience} ms of: ${JSON.stringify(String(bytes).slice(0, 2000))}`))
    }, patience)
    const finish = () => {
      clearTimeout(timer)
      clearTimeout(ending)
      socket.destroy()
      resolve(Buffer.concat(chunks).toString('latin1'))
    }
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      clearTimeout(ending)
      ending = setTimeout(() => socket.end(), quiet)
    })
    socket.on('close', finish)
    socket.on('error', finish)
  })
}

/** The answers in a stream of them, each by its length; one to HEAD has none of it. Throws for anything else. */
export function answersIn(text: string): RawAnswer[] {
  const answers: RawAnswer[] = []
  for (let rest = text; rest !== ''; ) {
    const end = rest.indexOf('\r\n\r\n')
    const head = rest.slice(0, end)
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1])
    if (end < 0 || Number.isNaN(status)) throw new Error(`no HTTP answer: ${JSON.stringify(rest.slice(0, 300))}`)
    rest = rest.slice(end + 4)
    if (status === 100) continue
    const length = Number(/\r\ncontent-length: (\d+)(?:\r\n|$)/i.exec(head)?.[1] ?? 0)
    // Node itself refuses some requests with an empty body in chunks.
    if (/\r\ntransfer-encoding: chunked/i.test(head) && rest.startsWith('0\r\n\r\n')) rest = rest.slice(5)
    const hasBody = rest !== '' && !rest.startsWith('HTTP/1.1 ')
    answers.push({ status, head, body: hasBody ? rest.slice(0, length) : '' })
    if (hasBody) rest = rest.slice(length)
  }
  return answers
}
