import { filledVault } from './vault.ts'
import { Vault } from '../electron/vault/vault.ts'
import { verifyVault } from '../electron/vault/verify.ts'
import { Session } from 'node:inspector/promises'
import { writeFileSync } from 'node:fs'
const v = await filledVault(20000, () => {})
const w = await Vault.openFor(v.folder, v.present); w.close()
const s = new Session(); s.connect()
await s.post('Profiler.enable'); await s.post('Profiler.setSamplingInterval', {interval: 200}); await s.post('Profiler.start')
for (let i = 0; i < 4; i++) { const x = await Vault.openFor(v.folder, v.present); x.close() }
const { profile } = await s.post('Profiler.stop')
const self = new Map<string, number>()
const dt = profile.timeDeltas!; const byId = new Map(profile.nodes.map(n => [n.id, n]))
let total = 0
profile.samples!.forEach((id, i) => { const n = byId.get(id)!; const k = `${n.callFrame.functionName} ${n.callFrame.url.split('/').slice(-2).join('/')}:${n.callFrame.lineNumber+1}`; self.set(k, (self.get(k) ?? 0) + dt[i]!); total += dt[i]! })
for (const [k, t] of [...self].sort((a,b) => b[1]-a[1]).slice(0, 32)) console.log((t/total*100).toFixed(1)+'%', (t/4/20000).toFixed(2)+'us', k)
v.remove()
