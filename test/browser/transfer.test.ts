import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { text } from '../../renderer/text/index.ts'
import type { MediumFile } from '../../shared/contract/machine.ts'
import { toFrames } from '../../shared/formats/qr-frames.ts'
import { call } from '../app/table.ts'
import { launchBrowser } from './browser.ts'
import { choose, press, tabTo, type } from './keyboard.ts'
import { faultsOf } from './look.ts'
import { filmOf } from './qr-video.ts'
import { mustBeCalm, openRoom, type Room } from './table.ts'

/** desktop.md, "Transfer": what lies on a medium is looked at before anything is accepted; small files go by QR code. */

const words = text.transfer
const base = mkdtempSync(join(tmpdir(), 'keyrite-transfer-'))
afterAll(() => rmSync(base, { recursive: true, force: true }))

const heading = (page: Page, name: string | RegExp): Promise<void> =>
  page.getByRole('heading', { level: 1, name }).waitFor()
const main = (page: Page): Locator => page.getByRole('main')

async function openVault({ app }: Room): Promise<void> {
  const { practice } = await call(app, 'hello', {})
  const [one] = practice?.people ?? []
  const folder = practice?.folder ?? ''
  await call(app, 'openVault', { folder, person: one?.id ?? '', passphrase: one?.passphrase ?? '' })
}

describe('on a medium', () => {
  let room: Room
  let page: Page
  let files: readonly MediumFile[]
  const nameOf = (kind: MediumFile['kind']): string => files.find((file) => file.kind === kind)?.name ?? `no ${kind}`
  beforeAll(async () => {
    room = await openRoom({ practice: true })
    page = room.page
    await openVault(room)
    files = (await call(room.app, 'files', {})).files
  })
  afterAll(() => room?.close())
  beforeEach(async () => {
    await page.reload()
    await press(page, text.app.screens.transfer)
    await heading(page, words.title.chosen('medium'))
  })

  it('shows what files travel on and what lies there, by what it is', async () => {
    const said = await main(page).innerText()
    for (const { name, kind } of files) {
      expect(said).toContain(name)
      expect(said).toContain(words.kinds[kind])
    }
    expect(said).toMatch(/free of/)
    expect(await faultsOf(page, 'transfer-medium')).toEqual([])
  })

  it('tells who signed receipts, and plans their intake', async () => {
    const name = nameOf('receipts')
    await press(page, words.files.openNamed(name))
    await heading(page, words.kinds.receipts)
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe(words.kinds.receipts)
    const inspected = await call(room.app, 'inspect', { name })
    const said = await main(page).innerText()
    expect(said).toContain(inspected.signer)
    expect(said).toContain(words.file.checked)
    for (const fact of inspected.facts) expect(said).toContain(fact.value)
    for (const group of inspected.digest.hex) expect(said).toContain(group)
    expect(await faultsOf(page, 'transfer-receipts')).toEqual([])
    await press(page, words.file.intake)
    await heading(page, text.plan.kinds.intake.title)
    expect(await main(page).innerText()).toContain(name)
  })

  it('proves nothing of an enrollment, and plans to enroll its runtime', async () => {
    await press(page, words.files.openNamed(nameOf('enrollment')))
    await heading(page, words.kinds.enrollment)
    expect(await main(page).innerText()).toContain(words.file.unchecked)
    expect(await faultsOf(page, 'transfer-enrollment')).toEqual([])
    await press(page, words.file.enroll)
    await heading(page, text.plan.kinds['enroll-runtime'].title)
    expect(await main(page).innerText()).toContain(nameOf('enrollment'))
  })

  it('says of a file that was changed that it is not to be used', async () => {
    const { chosen } = await call(room.app, 'media', {})
    const original = readFileSync(join(chosen ?? '', nameOf('receipts')), 'utf8').trimEnd()
    const at = original.length - 6
    const forged = `${original.slice(0, at)}${original[at] === 'A' ? 'B' : 'A'}${original.slice(at + 1)}\n`
    writeFileSync(join(chosen ?? '', 'forged.keyrite'), forged)
    await press(page, words.files.again)
    await press(page, words.files.openNamed('forged.keyrite'))
    await heading(page, words.file.refused)
    expect(await main(page).getByRole('alert').innerText()).toContain('The signature of this receipt does not verify.')
    expect(await main(page).getByRole('button', { name: words.file.intake }).count()).toBe(0)
    expect(await faultsOf(page, 'transfer-refused')).toEqual([])
    await press(page, words.file.back)
    await heading(page, words.title.chosen('medium'))
  })

  it('says when it is safe to remove, and takes another folder by hand', async () => {
    await press(page, words.chosen.remove)
    await page.getByText('Everything is written out.').waitFor()
    expect(await faultsOf(page, 'transfer-removed')).toEqual([])
    const other = join(base, 'other-stick')
    mkdirSync(other, { recursive: true })
    const before = (await call(room.app, 'media', {})).chosen ?? ''
    await press(page, words.media.another)
    await press(page, words.media.other)
    await type(page, text.app.folders.path, join(base, 'nowhere'), false)
    await press(page, text.app.folders.choose)
    await page.getByText('there is no such file or folder').first().waitFor()
    await press(page, words.media.other)
    await type(page, text.app.folders.path, other, false)
    await press(page, text.app.folders.choose)
    await heading(page, words.title.chosen('other-stick'))
    await page.getByText(words.files.none).waitFor()
    expect((await call(room.app, 'media', {})).chosen).toBe(other)
    await call(room.app, 'chooseMedium', { folder: before })
    mustBeCalm(room)
  })

  it('shows a file as QR codes that turn by hand, and by themselves when asked', async () => {
    const name = nameOf('receipts')
    const { frames } = await call(room.app, 'qrFrames', { name })
    await page.getByRole('tab', { name: words.tabs.medium }).waitFor()
    await tabTo(page, page.getByRole('tab', { name: words.tabs.medium }))
    await page.keyboard.press('ArrowRight')
    expect(await faultsOf(page, 'transfer-qr')).toEqual([])
    await choose(page, new RegExp(words.show.which), name)
    await press(page, words.show.begin)
    await heading(page, words.show.title)
    const shown = (number: number) => page.getByText(words.show.frame(number, frames.length), { exact: true }).waitFor()
    await shown(1)
    // With reduced motion nothing turns by itself.
    await page.waitForTimeout(1_800)
    await shown(1)
    expect(await faultsOf(page, 'transfer-show')).toEqual([])
    await press(page, words.show.next)
    await shown(2)
    await press(page, words.show.back)
    await press(page, words.show.back)
    await shown(frames.length)
    await press(page, words.show.run)
    await shown(1)
    await press(page, words.show.pause)
    await press(page, words.show.stop)
    await heading(page, words.title.chosen('medium'))
  })
})

describe('with the camera', () => {
  const name = 'receipts-1f0c9a2e-20260609T141902Z.keyrite'
  const content = Uint8Array.from({ length: 2400 }, (_, at) => (at * 31 + (at >> 5)) & 0xff)
  const frames = toFrames(name, content)
  const cameraWith = (film: string): string[] => [
    '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream',
    `--use-file-for-fake-video-capture=${film}`,
  ]
  const end = async (room: Room | undefined) => {
    await room?.close()
    await room?.browser.close()
  }
  const begin = async (args: readonly string[]): Promise<Room> => {
    const room = await openRoom({ browser: await launchBrowser(args) })
    try {
      await press(room.page, text.app.screens.transfer)
      await tabTo(room.page, room.page.getByRole('tab', { name: words.tabs.medium }))
      await room.page.keyboard.press('ArrowRight')
      return room
    } catch (error) {
      await end(room)
      throw error
    }
  }

  it('reads every QR code of a film, in the order it comes, and writes the file to the medium', async () => {
    const film = join(base, 'film.y4m')
    filmOf(['https://example.com/', ...frames.toReversed()], film)
    const room = await begin(cameraWith(film))
    try {
      const { page, app, medium } = room
      await press(page, words.camera.start)
      await page.getByText(words.camera.reading(name)).waitFor()
      await page.getByText(words.camera.done(name)).waitFor({ timeout: 60_000 })
      expect(readFileSync(join(medium, name))).toEqual(Buffer.from(content))
      expect(await faultsOf(page, 'transfer-read')).toEqual([])
      expect((await call(app, 'inspect', { name })).kind).toBe('other')
      // The camera is off again: nothing plays any more.
      const live = await page.evaluate(() => {
        const { srcObject } = document.querySelector('video') ?? {}
        return srcObject instanceof MediaStream ? srcObject.active : 'no picture'
      })
      expect(live).toBe(false)
      await press(page, words.files.open)
      await heading(page, words.kinds.other)
      mustBeCalm(room)
    } finally {
      await end(room)
    }
  })

  it('says what is still missing, names what belongs to another file, and writes nothing before it is whole', async () => {
    const film = join(base, 'partial.y4m')
    const [foreign = ''] = toFrames('other.keyrite', content)
    filmOf([...frames.slice(1), foreign], film, 8)
    const room = await begin(cameraWith(film))
    try {
      const { page, medium } = room
      await press(page, words.camera.start)
      await page.getByText(/belongs to another file/).waitFor({ timeout: 60_000 })
      expect(await faultsOf(page, 'transfer-camera')).toEqual([])
      await page.getByText(words.camera.missing('')).first().waitFor()
      expect(existsSync(join(medium, name))).toBe(false)
      await press(page, words.camera.stop)
      await page.getByRole('button', { name: words.camera.start }).waitFor()
    } finally {
      await end(room)
    }
  })

  it('says so where there is no camera, or it may not be used', async () => {
    const room = await begin([])
    try {
      await press(room.page, words.camera.start)
      await room.page.getByText(new RegExp(`${words.camera.absent}|${words.camera.denied}`)).waitFor()
    } finally {
      await end(room)
    }
  })
})
