import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { CONFIGURATION_FILE, configurationPage } from './configuration.ts'

it('docs/operations/configuration.md is what the table of settings says (node test/operations/configuration.ts)', () => {
  expect(readFileSync(CONFIGURATION_FILE, 'utf8')).toBe(configurationPage())
})
