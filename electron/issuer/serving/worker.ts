import { z } from 'zod'
import { asKeyriteError } from '../../../shared/errors.ts'
import { openRuntime, type Runtime } from '../runtime.ts'
import { addressSchema } from '../settings.ts'
import { metricsOfWorker } from '../watch/cluster.ts'
import { createLog, type Log } from '../watch/log.ts'
import { type Front, openFront } from './front.ts'
import { follower } from './ticking.ts'
import type { WorkerTask, WorkerWord } from './workers.ts'

/** A worker process (workers.ts): answers requests until it is told to stop, or until the process that started it is gone. */

const taskSchema: z.ZodType<WorkerTask> = z.strictObject({ dir: z.string().min(1), listen: addressSchema })
const stopSchema = z.strictObject({ type: z.literal('stop') })

const tell = (word: WorkerWord) => process.send?.(word)

async function work(): Promise<void> {
  const { dir, listen } = taskSchema.parse(JSON.parse(process.argv[2] ?? ''))
  const counts = metricsOfWorker()
  let log: Log | null = null
  const onKeyFailure = (tenant: string, error: unknown) => {
    counts.keyAccessFailed(tenant)
    log?.keyAccessFailed(tenant, error)
  }
  const onSecondPlaceFailure = (error: unknown) => log?.secondPlaceFailed(error)
  const runtime = await openRuntime({ dir, onKeyFailure, onSecondPlaceFailure })
  log = createLog({ level: runtime.config.log.level, runtime: runtime.config.runtimeId })
  await runtime.follow()
  const front = await openFront(runtime, listen, counts, log)
  const stopFollowing = follower(runtime, log)
  const stop = once(async () => {
    stopFollowing()
    await shut(front, runtime)
    counts.flush()
    counts.stop()
    process.disconnect?.()
  })
  process.on('message', (message: unknown) => {
    if (stopSchema.safeParse(message).success) stop()
  })
  process.on('disconnect', stop)
  tell({ type: 'listening', url: front.url })
}

async function shut(front: Front, runtime: Runtime): Promise<void> {
  await front.close()
  await runtime.close()
}

function once(work: () => Promise<void>): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    void work().finally(() => process.exit())
  }
}

// A key press for the whole group: the process that started this one says when to stop.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})
work().catch((error: unknown) => {
  const { code, message } = asKeyriteError(error)
  tell({ type: 'failed', code, message })
  process.exitCode = 1
  process.disconnect?.()
})
