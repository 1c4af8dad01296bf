import { hash } from 'node:crypto'
import { hostname } from 'node:os'
import { canonicalText } from '../../shared/formats/json.ts'
import { peekStatement } from '../../shared/formats/jws.ts'
import { receiptSchema, type Stated } from '../../shared/formats/receipt.ts'
import { valueIn } from './config.ts'
import { type Context, markHighwater } from './context.ts'
import { SETTINGS, type SettingName } from './settings.ts'

/** What a serving process tells its operators: what was stated since it last looked, whichever process stated it. */
export function newsOf({ receipts }: Pick<Context, 'receipts'>): () => Promise<Stated[]> {
  let seen: number | null = null
  return async () => {
    const head = (await receipts.head())?.seq ?? 0
    const from = seen ?? head
    const news: Stated[] = []
    for await (const line of receipts.linesAfter(from)) news.push(peekStatement(line, receiptSchema, 'receipt').stated)
    seen = from + news.length
    return news
  }
}

const SETTINGS_NOTED = 'settings'

/**
 * Enters into the receipts which settings are others than when this runtime was last served, on whichever host (issuer.md: "Client, configuration
 * … actions enter the receipts chain with the actor"). Their values stay here. Gives the names; none on a first start.
 */
export async function noteSettings(context: Context, actor: string): Promise<string[]> {
  const { config, store, receipts, clock } = context
  const now = Object.fromEntries(
    (Object.keys(SETTINGS) as SettingName[]).map((setting) => [setting, digestOf(valueIn(config, setting))]),
  )
  const changed = await store.change(async (tx) => {
    const before = await tx.meta<Record<string, string>>(SETTINGS_NOTED)
    const others = before === null ? [] : Object.keys(now).filter((setting) => before[setting] !== now[setting])
    if (before !== null && others.length === 0) return []
    await tx.setMeta(SETTINGS_NOTED, now)
    if (others.length > 0) {
      const what = `Settings of ${hostname()}: ${others.join(', ')}`.slice(0, 200)
      await receipts.append(tx, clock.now(), { type: 'config-changed', what, actor })
    }
    return others
  })
  if (changed.length > 0) await markHighwater(context)
  return changed
}

const digestOf = (value: unknown): string => hash('sha256', canonicalText(value ?? null), 'base64url')
