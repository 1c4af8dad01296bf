import { openStores, type StorePlace } from '../../../electron/issuer/store/open.ts'

/** A process that takes the lock of imports and keeps it until it is killed. */

const place = JSON.parse(process.argv[2] ?? '') as StorePlace
const { store } = await openStores({ ...place, fileKey: Uint8Array.from(place.fileKey) })
await store.lock('import')
process.stdout.write('held\n')
setInterval(() => {}, 60_000)
