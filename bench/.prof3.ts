import { filledVault } from './vault.ts'
import { Vault } from '../electron/vault/vault.ts'
import { verifyVault } from '../electron/vault/verify.ts'
const v = await filledVault(Number(process.argv[2] ?? 20000), () => {})
for (let i = 0; i < 3; i++) {
const t1 = performance.now()
const vault = await Vault.openFor(v.folder, v.present)
const t2 = performance.now()
const r = await verifyVault(vault)
const t3 = performance.now()
vault.database.pragma('integrity_check')
console.log('open', t2 - t1, 'verify', t3 - t2, 'integrity', performance.now() - t3, r.signatures, r.checkpoints)
vault.close()
}
v.remove()
