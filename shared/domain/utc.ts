/** Instants (seconds since 1970 UTC) as people read them. */

/** "2026-06-09 14:19:02 UTC" */
export const utcTime = (at: number): string => `${new Date(at * 1000).toISOString().slice(0, 19).replace('T', ' ')} UTC`

/** "2026-06-09" */
export const utcDay = (at: number): string => new Date(at * 1000).toISOString().slice(0, 10)

/** "20260609T141902Z", for names of files. */
export const utcStamp = (at: number): string => new Date(at * 1000).toISOString().replace(/[-:]|\.\d+/g, '')
