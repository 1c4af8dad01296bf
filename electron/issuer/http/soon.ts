import type { Soon } from '../service.ts'

/** Goes on at once with what is there at once: a promise for every request would cost more than most answers do. */
export function soon<T, R>(value: Soon<T>, next: (value: T) => Soon<R>): Soon<R> {
  return value instanceof Promise ? value.then(next) : next(value)
}
