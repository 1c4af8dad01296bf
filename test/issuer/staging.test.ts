import { describe, expect, it } from 'vitest'
import { inBatches } from '../../electron/issuer/staging.ts'

async function batches(items: number[], most: number, weightOf?: (item: number) => number): Promise<number[][]> {
  const found: number[][] = []
  async function* given() {
    yield* items
  }
  for await (const batch of inBatches(given(), most, weightOf)) found.push([...batch])
  return found
}

describe('lines that one change takes', () => {
  const itself = (item: number) => item
  it('are as many as it may, and the rest', async () => {
    expect(await batches([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]])
    expect(await batches([1, 2], 2)).toEqual([[1, 2]])
    expect(await batches([], 2)).toEqual([])
  })

  it('count by their weight: a heavy one ends its change, and each change begins from nothing', async () => {
    expect(await batches([1, 1, 1, 9, 1, 2, 1], 3, itself)).toEqual([[1, 1, 1], [9], [1, 2], [1]])
    expect(await batches([2, 9, 1], 3, itself)).toEqual([[2, 9], [1]])
  })
})
