import { filledVault } from '/work/main/bench/vault.ts'
import { Vault } from '/work/main/electron/vault/vault.ts'
import { readRows } from '/work/main/electron/vault/log.ts'
import { readHistory } from '/work/main/electron/vault/history.ts'
import { hash } from 'node:crypto'
import { cpSync, existsSync } from 'node:fs'
const n = Number(process.argv[2] ?? 20000)
const t0 = performance.now()
const v = await filledVault(n, (d) => process.stderr.write(`\r${d}`))
console.log('\nbuild', performance.now() - t0)
for (let i = 0; i < 3; i++) {
const t1 = performance.now()
const vault = await Vault.openFor(v.folder, v.present)
const t2 = performance.now()
let c = 0
for (const row of readRows(vault.database)) { const b = hash('sha256', row.body, 'base64url'); hash('sha256', JSON.stringify(['keyrite event 1', 'x', row.seq, row.at, row.actor, row.prev, b]), 'base64url'); c++ }
for (const { blob } of vault.database.prepare('SELECT id, blob FROM sealed').iterate()) hash('sha256', blob, 'base64url')
const t3 = performance.now()
console.log('open', t2 - t1, 'peer', t3 - t2, (t3 - t2) / (t2 - t1), c, vault.tail)
vault.close()
}
v.remove()
