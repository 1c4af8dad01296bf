import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { type Target, untilReady } from './ask.ts'
import type { Peer } from './peer-oidc.ts'
import { freePort, program, SERVER_CORE, start, temporary } from './processes.ts'

/** nginx with one worker on one core, serving this body as a file; null where this machine has no nginx. */
export async function serveNginx(target: Target, body: string): Promise<Peer | null> {
  const nginx = program('nginx')
  if (nginx === null) return null
  const folder = temporary('nginx')
  const port = await freePort()
  mkdirSync(join(folder, 'temp'))
  writeFileSync(join(folder, 'jwks.json'), body)
  writeFileSync(join(folder, 'nginx.conf'), configuration(folder, port, target.path))
  const { child, pid, stop } = start(SERVER_CORE, nginx, [
    '-p',
    folder,
    '-e',
    'stderr',
    '-c',
    join(folder, 'nginx.conf'),
  ])
  await untilReady(port, target, () => child.exitCode === null)
  return {
    port,
    pid,
    stop: async () => {
      await stop()
      rmSync(folder, { recursive: true })
    },
  }
}

/** As fast as nginx does it: no log, the file kept open, connections never closed. The headers are Keyrite's. */
const configuration = (folder: string, port: number, path: string): string => `
${userInfo().uid === 0 ? 'user root;' : ''}
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  open_file_cache max=10 inactive=1h;
  open_file_cache_valid 1h;
${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((what) => `  ${what}_temp_path ${folder}/temp;`).join('\n')}
  server {
    listen 127.0.0.1:${port};
    location = ${path} {
      alias ${folder}/jwks.json;
      default_type application/json;
      types {}
      add_header Cache-Control "public, max-age=3600";
      add_header Access-Control-Allow-Origin "*";
      add_header X-Content-Type-Options nosniff;
      add_header Content-Security-Policy "default-src 'none'; frame-ancestors 'none'";
      add_header Referrer-Policy no-referrer;
    }
  }
}
`
