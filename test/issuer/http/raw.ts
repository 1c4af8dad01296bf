import { connect } from 'node:net'

/** Sends bytes as they are and gives everything that came back until the server closed, or `wait` milliseconds passed. */
export function exchange(port: number, text: string | Buffer, wait = 1500): Promise<string> {
  return new Promise((resolve) => {
    let received = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    const finish = () => {
      clearTimeout(timer)
      socket.destroy()
      resolve(received)
    }
    const timer = setTimeout(finish, wait)
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
    })
    socket.on('end', finish)
    socket.on('error', finish)
  })
}

/** A request with exactly these header lines, and no others. */
export const request = (line: string, headers: string[], body = ''): string =>
  `${line} HTTP/1.1\r\n${[...headers, 'Connection: close'].join('\r\n')}\r\n\r\n${body}`

export const statusOf = (response: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(response)?.[1] ?? 0)
