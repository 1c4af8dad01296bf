import type { VaultState } from '../../../shared/domain/state.ts'

const KEY_ID = /(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])/g

/** A plan names keys by their ids alone; people know them by their labels, so both stand in what they read. */
export const withLabels = (lines: readonly string[], { keys }: Pick<VaultState, 'keys'>): string[] =>
  lines.map((line) =>
    line.replace(KEY_ID, (id) => {
      const label = keys.get(id)?.label
      return label ? `${label} (${id})` : id
    }),
  )
