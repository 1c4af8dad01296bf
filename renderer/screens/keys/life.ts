import type { Times } from '../../../shared/contract/common.ts'
import type { Scale } from '../../components/timeline.ts'

/** The whole life of one key, and now where it is near. */
export function lifeScale({ announceAt, signFrom, removeAt }: Times, now: number): Scale {
  const first = Math.min(announceAt, signFrom)
  const life = Math.max(1, removeAt - first)
  const near = now > first - life / 2 && now < removeAt + life / 2
  const from = near ? Math.min(first, now) : first
  const to = near ? Math.max(removeAt, now) : removeAt
  const margin = (to - from) * 0.04
  return { from: from - margin, to: to + 5 * margin }
}
