import { connect } from 'node:net'

/** Raw bytes over sockets, and what came back as HTTP answers. */

export type RawAnswer = { status: number; head: string; body: string }

/**
 * Sends bytes, then says that nothing follows, and gives all that came back by the time the server closed. `hang` after
 * `patience` milliseconds; an error of the connection counts as its end.
 */
export function converse(port: number, bytes: Buffer | string, patience = 10_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.end(bytes))
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new Error(`no end after ${patience} ms of: ${JSON.stringify(String(bytes).slice(0, 2000))}`))
    }, patience)
    const finish = () => {
      clearTimeout(timer)
      socket.destroy()
      resolve(Buffer.concat(chunks).toString('latin1'))
    }
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('close', finish)
    socket.on('error', finish)
  })
}

/** The answers in a stream of them, each by its Content-Length; one to HEAD has none of it. Throws for anything else. */
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
    const hasBody = rest !== '' && !rest.startsWith('HTTP/1.1 ')
    answers.push({ status, head, body: hasBody ? rest.slice(0, length) : '' })
    if (hasBody) rest = rest.slice(length)
  }
  return answers
}
