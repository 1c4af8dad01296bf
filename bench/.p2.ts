import { hash, createHash } from 'node:crypto'
import { sha256, digest, fromBase64url, toBase64url } from '../shared/formats/bytes.ts'
const bench = (name, n, f) => { for (let i=0;i<n/4;i++) f(); const t=performance.now(); for (let i=0;i<n;i++) f(); console.log(name, ((performance.now()-t)/n*1000).toFixed(2),'us') }
const s = JSON.stringify({a:'x'.repeat(400)})
bench('noble digest 400', 20000, () => digest(s))
bench('hash 400 b64url', 20000, () => hash('sha256', s, 'base64url'))
bench('createHash 400 b64url', 20000, () => createHash('sha256').update(s).digest('base64url'))
bench('hash 400 buffer', 20000, () => hash('sha256', s, 'buffer'))
const big = new Uint8Array(20000)
bench('noble 20k', 1000, () => sha256(big))
bench('hash 20k', 1000, () => hash('sha256', big, 'buffer'))
const t32 = toBase64url(new Uint8Array(32).fill(77)), t6k = toBase64url(new Uint8Array(6000).fill(77))
bench('fromB64 32', 20000, () => fromBase64url(t32))
bench('fromB64 6k', 1000, () => fromBase64url(t6k))
bench('Buffer 32', 20000, () => Buffer.from(t32, 'base64url'))
bench('Buffer 6k', 1000, () => Buffer.from(t6k, 'base64url'))
bench('toB64 32', 20000, () => toBase64url(big.subarray(0,32)))
bench('toB64 6k', 1000, () => toBase64url(big.subarray(0,6000)))
const atobOnly = (text) => { const b = atob(text.replaceAll('-', '+').replaceAll('_', '/')); const o = new Uint8Array(b.length); for (let i=0;i<b.length;i++) o[i]=b.charCodeAt(i); return o }
bench('atob 32', 20000, () => atobOnly(t32))
bench('atob 6k', 1000, () => atobOnly(t6k))
const T = new Uint8Array(128); 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.split('').forEach((c,i)=>T[c.charCodeAt(0)]=i)
const js = (text) => { const n=text.length; const o = new Uint8Array(Math.floor(n*6/8)); let acc=0,bits=0,at=0; for(let i=0;i<n;i++){acc=(acc<<6)|T[text.charCodeAt(i)];bits+=6;if(bits>=8){bits-=8;o[at++]=(acc>>bits)&255}} return o }
bench('js 32', 20000, () => js(t32))
bench('js 6k', 1000, () => js(t6k))
console.log(typeof Uint8Array.fromBase64, typeof new Uint8Array(1).toBase64)
