import type { Failure } from '../client.ts'
import { FailureNotice } from '../components/Notice.tsx'
import { Waiting } from './Waiting.tsx'

/** In place of what is not there yet: calm words, or why it does not come. */
export function Loading({ failure }: { failure: Failure | null }) {
  return failure ? <FailureNotice failure={failure} /> : <Waiting />
}
