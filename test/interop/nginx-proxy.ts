import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../cli/run.ts'
import { temporaryFolder } from '../issuer/fixtures.ts'
import { endWithTest } from './tools.ts'

/** nginx as a child process in a folder of its own, with the configuration that docs/relying-parties.md gives. */

type Options = { method?: string; headers?: HeadersInit; body?: unknown }
export type Fetch = (url: string | URL, options?: Options) => Promise<Response>

export const DOCUMENT = join(import.meta.dirname, '..', '..', 'docs', 'relying-parties.md')

/** The fenced block of the document in this language. */
export function documented(language: string): string {
  const [, block] = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(readFileSync(DOCUMENT, 'utf8')) ?? []
  if (block === undefined) throw new Error(`docs/relying-parties.md has no ${language} block`)
  return block
}

/** Replaces what each machine has otherwise; everything that is replaced must be there. */
export function filledIn(text: string, values: Record<string, string>): string {
  return Object.entries(values).reduce((filled, [from, to]) => {
    if (!filled.includes(from)) throw new Error(`the configuration does not say ${from}`)
    return filled.replaceAll(from, to)
  }, text)
}

/** Around the documented block: a folder for everything, and no rights beyond those of who runs the tests. */
const around = (folder: string, block: string): string => `
daemon off;
worker_processes 1;
${process.getuid?.() === 0 ? 'user root root;' : ''}
pid ${folder}/nginx.pid;
error_log stderr warn;
events { worker_connections 64; }
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
${block}
}
`

/**
 * Starts nginx before the runtime at `upstream` (host:port), with a certificate for `hosts`. Gives a fetch to which those
 * names lead to nginx. `change` may spoil the configuration. Ends with the test.
 */
export async function startNginx(
  nginx: string,
  upstream: string,
  hosts: readonly string[],
  change: (configuration: string) => string = (same) => same,
): Promise<Fetch> {
  const folder = temporaryFolder()
  const [key, certificate, port] = [join(folder, 'key.pem'), join(folder, 'certificate.pem'), await freePort()]
  makeCertificate(key, certificate, hosts)
  mkdirSync(join(folder, 'cache'))
  const block = filledIn(documented('nginx'), {
    '127.0.0.1:47770': upstream,
    'listen 443 ssl': `listen 127.0.0.1:${port} ssl`,
    '/etc/ssl/issuers.pem': certificate,
    '/etc/ssl/issuers.key': key,
    '/var/cache/nginx/keyrite': join(folder, 'cache'),
  })
  writeFileSync(join(folder, 'nginx.conf'), around(folder, change(block)))
  const child = spawn(nginx, ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  endWithTest(child)
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const fetchThrough = through(port, readFileSync(certificate))
  for (let tries = 0; tries < 400; tries++) {
    if (child.exitCode !== null) throw new Error(`nginx ended: ${said}`)
    const answered = await fetchThrough(`https://${hosts[0]}/`).catch(() => null)
    if (answered) return fetchThrough
    await sleep(50)
  }
  throw new Error(`nginx does not answer: ${said}`)
}

function makeCertificate(key: string, certificate: string, hosts: readonly string[]): void {
  const names = `subjectAltName=${hosts.map((host) => `DNS:${host}`).join(',')}`
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', certificate]
  const args = ['req', '-x509', ...made, '-days', '2', '-subj', '/CN=issuers', '-addext', names]
  const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`openssl made no certificate: ${stderr}`)
}

/** A fetch for which every name is at this port, over TLS that is checked as anywhere. A header `host` may lie. */
const through =
  (port: number, ca: Buffer): Fetch =>
  (url, { method = 'GET', headers, body } = {}) =>
    new Promise((resolve, reject) => {
      const { hostname, pathname, search } = new URL(url)
      const asked = { host: hostname, ...Object.fromEntries(new Headers(headers)) }
      const options = { host: '127.0.0.1', port, servername: hostname, path: pathname + search, ca, agent: false }
      const sent = request({ ...options, method, headers: asked }, (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () => {
          const status = answer.statusCode ?? 0
          const content = status === 304 ? null : Buffer.concat(chunks)
          resolve(new Response(content, { status, headers: Object.entries(answer.headersDistinct).flatMap(pairs) }))
        })
      })
      sent.on('error', reject)
      sent.end(body === undefined || body === null ? undefined : String(body))
    })

const pairs = ([name, values = []]: [string, string[] | undefined]): [string, string][] =>
  values.map((value) => [name, value])
