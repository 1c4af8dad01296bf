import { digestSchema } from '../../../shared/formats/common.ts'
import { isTenantId } from '../../../shared/formats/tenant-id.ts'
import { ENDPOINT_PATHS } from '../http/routes.ts'

/** The kinds of values a log line may hold. What is not of its kind is told as `other`, never as it is. */

export type Clean = string | number | boolean | null

export const aTenant = (text: string): string => (text === '' ? 'none' : isTenantId(text) ? text : 'other')
export const aKid = (text: string): string => (digestSchema.safeParse(text).success ? text : 'other')
/** A code or the name of a signal. */
export const aWord = (text: string): string => (/^[A-Za-z][\w-]{0,39}$/.test(text) ? text : 'other')

/** Where requests go: the words of metrics and log lines alike. */
const PLACES = new Set<string>([...Object.keys(ENDPOINT_PATHS), 'none', 'assertion', 'introspection'])
export const aPlace = (text: string): string => (PLACES.has(text) ? text : 'other')
/** The message of an error of ours, in one line. */
export const aLine = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').slice(0, 500)
export const aNumber = (value: number): number => (Number.isSafeInteger(value) ? value : -1)

/** Where this process listens: scheme, host and port. */
export const anAddress = (text: string): string =>
  /^https?:\/\/(?:[A-Za-z0-9.-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/.test(text) ? text : 'other'
