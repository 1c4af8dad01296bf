const cpu = () => process.cpuUsage().user/1000
import { auditSharedFactors } from '../shared/domain/lint.ts'
import { generatePrimeSync } from 'node:crypto'
import { randomBytes } from 'node:crypto'
const rnd = (bits: number) => BigInt('0x' + randomBytes(bits/8).toString('hex')) | (1n << BigInt(bits-1)) | 1n
const gcd = (a: bigint, b: bigint) => { while (b !== 0n) [a, b] = [b, a % b]; return a }
type Node = { product: bigint; sum: bigint }
let tUp=0,tDown=0,tG=0
function audit(moduli: readonly bigint[]) {
  let t=cpu()
  let level: Node[] = moduli.map(n => ({product:n, sum:1n}))
  const levels=[level]
  while (level.length>1) {
    const below=level
    level = below.filter((_,i)=>i%2===0).map((l,i)=>{ const r=below[2*i+1]; return r ? {product:l.product*r.product, sum:l.sum*r.product+l.product*r.sum}: l })
    levels.push(level)
  }
  tUp=cpu()-t; t=cpu()
  let rem = levels.pop()!.map(n=>n.sum)
  for (const lv of levels.reverse()) rem = lv.map((n,i)=>rem[i>>1]! % n.product)
  tDown=cpu()-t; t=cpu()
  const r = moduli.flatMap((n,i)=> moduli.length<2 || gcd(n, rem[i]!)===1n ? [] : [i])
  tG=cpu()-t
  return r
}
for (const n of [100]) { const m = Array.from({length:n}, () => rnd(2048)); let t=cpu(); const r = auditSharedFactors(m); const t1=cpu()-t; t=cpu(); const r2=audit(m); console.log(n, 'squares', t1, 'derivative', cpu()-t, 'up',tUp,'down',tDown,'gcd',tG, JSON.stringify(r)===JSON.stringify(r2)) }
type N2 = { product: bigint; sum: bigint; bits: number }
let tRoot=0
function audit2(moduli: readonly bigint[]) {
  let t=cpu()
  let level: N2[] = moduli.map(n => ({product:n, sum:1n, bits: n.toString(16).length*4}))
  const levels=[level]
  while (level.length>1) {
    const below=level
    level = below.filter((_,i)=>i%2===0).map((l,i)=>{ const r=below[2*i+1]; return r ? {product:l.product*r.product, sum:l.sum*r.product+l.product*r.sum, bits:l.bits+r.bits}: l })
    levels.push(level)
  }
  tUp=cpu()-t; t=cpu()
  const G=64
  const root = levels.pop()![0]!
  let above=[root]
  let fr = [((root.sum % root.product) << BigInt(root.bits+G)) / root.product]
  tRoot=cpu()-t; t=cpu()
  for (const lv of levels.reverse()) {
    const [ab, f]=[above, fr]
    fr = lv.map((n,i)=> { const sib = lv[i^1]; if (!sib) return f[i>>1]!; const up=ab[i>>1]!; return BigInt.asUintN(up.bits+G, f[i>>1]!*sib.product) >> BigInt(sib.bits) })
    above=lv
  }
  const rem = fr.map((f,i)=>{ const n=above[i]!; return (f*n.product + (1n<<BigInt(n.bits+G-1))) >> BigInt(n.bits+G) })
  tDown=cpu()-t; t=cpu()
  const r = moduli.flatMap((n,i)=> moduli.length<2 || gcd(n, rem[i]!)===1n ? [] : [i])
  tG=cpu()-t
  return r
}
console.log('scaled')
for (const n of [1000, 4000]) { const m = Array.from({length:n}, () => rnd(2048)); let t=cpu();  const r=n<5000?audit(m):[]; const t1=cpu()-t; t=cpu(); const r2=audit2(m); console.log(n, 'derivative', t1, 'scaled', cpu()-t, 'up',tUp,'root',tRoot,'down',tDown,'gcd',tG, JSON.stringify(r)===JSON.stringify(r2)) }
