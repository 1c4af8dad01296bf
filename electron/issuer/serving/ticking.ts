import { setTimeout as sleep } from 'node:timers/promises'
import type { Runtime } from '../runtime.ts'
import type { Log } from '../watch/log.ts'
import { tellNews } from './telling.ts'

const EVERY = 5

/** What moves: keys through their phases, in one process of a runtime's host. */
export type Ticking = Pick<Runtime, 'tick' | 'news'>

/** Ticks again and again until `stop`. A failing tick is told once, and so is its end. */
export async function keepTicking(
  runtime: Ticking,
  { stop, log, seconds = EVERY }: { stop: AbortSignal; log: Log; seconds?: number },
): Promise<void> {
  const tick = ticker(runtime, log)
  while (!stop.aborted) {
    await sleep(seconds * 1000, undefined, { signal: stop }).catch(() => {})
    if (!stop.aborted) await tick()
  }
}

/** A tick that never throws. */
export function ticker(runtime: Ticking, log: Log): () => Promise<void> {
  let failing = false
  return async () => {
    try {
      await runtime.tick()
      tellNews(log, await runtime.news())
      if (failing) log.phasesResumed()
      failing = false
    } catch (error) {
      if (!failing) log.phasesFailed(error)
      failing = true
    }
  }
}

/** Follows the time and what others change, beside the process that ticks. Gives the way to stop it. */
export function follower(runtime: Pick<Runtime, 'follow'>, log: Log): () => void {
  let lost = false
  const follow = async () => {
    try {
      await runtime.follow()
      if (lost) log.storeBack()
      lost = false
    } catch (error) {
      if (!lost) log.storeLost(error)
      lost = true
    }
  }
  const timer = setInterval(() => void follow(), EVERY * 1000)
  return () => clearInterval(timer)
}
