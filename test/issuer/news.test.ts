import { readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openRuntime } from '../../electron/issuer/runtime.ts'
import { tellNews } from '../../electron/issuer/serving/telling.ts'
import { createLog } from '../../electron/issuer/watch/log.ts'
import { makeServing, makeTenant, makeVault } from './fixtures.ts'

it('a process hears what another one stated since it last asked, once, and its log tells it', async () => {
  const tenant = makeTenant('acme')
  const made = await makeServing(await makeVault(), [tenant])
  expect(await made.runtime.news()).toEqual([])
  const operator = await openRuntime({ dir: made.dir, clock: made.clock })
  const kid = tenant.keys[0]?.kid ?? ''
  await operator.taint('acme', kid, { withdraw: true, actor: 'operator' })
  await operator.close()
  const news = await made.runtime.news()
  expect(news.map(({ type }) => type)).toContain('tainted')
  expect(await made.runtime.news()).toEqual([])
  const lines: string[] = []
  tellNews(createLog({ level: 'info', runtime: 'eu-one', stream: { write: (line) => lines.push(line) } }), news)
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ event: 'tainted', tenant: 'acme', kid, withdrawn: true })
})

it('settings that changed since this host served last enter the receipts by name, without their values', async () => {
  const made = await makeServing(await makeVault(), [makeTenant('acme')])
  await made.runtime.news()
  expect(await made.runtime.noteSettings('issuer serve')).toEqual([])
  expect(await made.runtime.noteSettings('issuer serve')).toEqual([])
  expect(await made.runtime.news()).toEqual([])
  await made.runtime.close()
  const path = join(made.dir, 'issuer.json')
  const file = JSON.parse(readFileSync(path, 'utf8'))
  const changes = { trustProxy: ['10.1.2.3'], limits: { connections: 100 } }
  writeFileSync(path, JSON.stringify({ ...file, ...changes }))
  const again = await openRuntime({ dir: made.dir, clock: made.clock })
  await again.news()
  expect(await again.noteSettings('issuer serve')).toEqual(['trustProxy', 'limits.connections'])
  const [stated] = await again.news()
  expect(stated).toEqual({
    type: 'config-changed',
    what: `Settings of ${hostname()}: trustProxy, limits.connections`,
    actor: 'issuer serve',
  })
  expect(JSON.stringify(stated)).not.toContain('10.1.2.3')
  await again.close()
})
