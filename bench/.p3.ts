import { randomBytes } from 'node:crypto'
import { sealedDigest } from '../electron/vault/history.ts'
import { digest } from '../shared/formats/bytes.ts'
const m = new Map<string,string>()
for (let i=0;i<40000;i++) { const k = randomBytes(32).toString('base64url'); m.set('key:'+k, randomBytes(32).toString('base64url')); m.set('wrap:'+k, randomBytes(32).toString('base64url')) }
for (let r=0;r<3;r++){
let t=performance.now(); const a=sealedDigest(m); console.log('now', performance.now()-t)
t=performance.now(); const p=[...m].sort(([a], [b]) => (a < b ? -1 : 1)); console.log('sort pairs', performance.now()-t)
t=performance.now(); const ids=[...m.keys()].sort(); console.log('sort keys default', performance.now()-t)
t=performance.now(); const pairs = ids.map(id=>[id,m.get(id)]); const s=JSON.stringify(pairs); console.log('pairs+stringify', performance.now()-t)
t=performance.now(); const b=digest(s); console.log('digest', performance.now()-t, a===b)
t=performance.now(); ids.sort(); console.log('resort sorted', performance.now()-t)
}
