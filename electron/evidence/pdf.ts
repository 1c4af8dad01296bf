import PDFDocument from 'pdfkit'
import { unseenNamed } from '../../shared/pages/html.ts'

/**
 * Plain pages on paper: text in the fonts that every reader of PDF has, black, nothing compressed, and no time or random
 * number but what is given. The same calls give the same bytes.
 */

const MARGIN = 57
/** As wide as A4 and as high as Letter, so that it prints on either at its own size. */
const SIZE: [number, number] = [595.28, 792]
const FOOT = 28
const REGULAR = 'Times-Roman'
const BOLD = 'Times-Bold'
const ITALIC = 'Times-Italic'
const MONO = 'Courier'
const NAME_WIDTH = 110

export type Sheet = { title: string; number: string; producer: string; at: number; practice: boolean }
type Style = { font?: string; size?: number; gap?: number; indent?: number }

/** What the standard fonts have (WinAnsi, which is Windows-1252). */
const WIN_ANSI = /[^\x20-\x7e\u00a0-\u00ff€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]/gu

/** Letters that the standard fonts do not have become their numbers, such as [U+0141]: shown, never dropped. */
export const printable = (text: string): string =>
  unseenNamed(text.replace(/\s/g, ' ')).replace(
    WIN_ANSI,
    (char) => `[U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`,
  )

export class Pdf {
  readonly #doc: PDFKit.PDFDocument
  readonly #sheet: Sheet
  readonly #width = SIZE[0] - 2 * MARGIN
  readonly #bytes: Promise<Uint8Array>

  constructor(sheet: Sheet) {
    const { title, producer, at } = sheet
    const made = new Date(at * 1000)
    this.#sheet = sheet
    this.#doc = new PDFDocument({
      size: SIZE,
      margin: MARGIN,
      compress: false,
      bufferPages: true,
      lang: 'en',
      info: { Title: printable(title), Producer: producer, Creator: producer, CreationDate: made, ModDate: made },
    })
    this.#bytes = collected(this.#doc)
  }

  title(text: string): void {
    this.#write(text, { font: BOLD, size: 22, gap: 8 })
  }

  heading(text: string): void {
    this.#keep(64)
    this.#doc.moveDown(0.8)
    this.#write(text, { font: BOLD, size: 13, gap: 4 })
  }

  text(text: string, style: Style = {}): void {
    this.#write(text, { gap: 4, ...style })
  }

  small(text: string): void {
    this.#write(text, { size: 9, gap: 4 })
  }

  mono(text: string): void {
    this.#write(text, { font: MONO, size: 10, gap: 4 })
  }

  /** A line as it is, its indentation too. */
  code(line: string): void {
    const indent = /^ */.exec(line)?.[0].length ?? 0
    if (line.trim() !== '') this.#write(line.slice(indent), { font: MONO, size: 9, indent: Math.min(indent, 24) * 5.4 })
  }

  /** A name and what stands for it, under one another and never split unless longer than a page. */
  facts(rows: readonly (readonly [string, string])[]): void {
    for (const [name, value] of rows) this.#fact(name, value)
  }

  /** A rule over a block that stays together. */
  block(title: string, rows: readonly (readonly [string, string])[]): void {
    const height = rows.reduce((sum, [, value]) => sum + this.#height(value, this.#width - NAME_WIDTH) + 4, 24)
    this.#keep(height)
    this.#rule()
    this.#write(title, { font: BOLD, size: 11, gap: 3 })
    this.facts(rows)
  }

  /** A box around what must not be overlooked. */
  box(title: string, text: string): void {
    const inner = this.#width - 16
    const height = this.#height(title, inner, BOLD) + this.#height(text, inner) + 20
    this.#keep(height)
    const { y } = this.#doc
    this.#doc.lineWidth(1.5).rect(MARGIN, y, this.#width, height).stroke()
    this.#doc.y = y + 8
    this.#write(title, { font: BOLD, gap: 4, indent: 8 })
    this.#write(text, { indent: 8 })
    this.#doc.y = y + height + 8
  }

  /** Ends the document and gives its bytes. */
  async end(): Promise<Uint8Array> {
    const { start, count } = this.#doc.bufferedPageRange()
    for (let index = start; index < start + count; index++) {
      this.#doc.switchToPage(index)
      this.#foot(index + 1, count)
    }
    this.#doc.end()
    return this.#bytes
  }

  #foot(page: number, of: number): void {
    const y = SIZE[1] - FOOT - 9
    const { number, practice } = this.#sheet
    // Below the margin, where text would otherwise open another page.
    this.#doc.page.margins.bottom = 0
    this.#doc.font(REGULAR).fontSize(9)
    const line = (text: string, align: 'left' | 'center' | 'right') =>
      this.#doc.text(text, MARGIN, y, { width: this.#width, align, lineBreak: false })
    line(printable(number), 'left')
    if (practice) line('PRACTICE', 'center')
    line(`Page ${page} of ${of}`, 'right')
  }

  #fact(name: string, value: string): void {
    const height = this.#height(value, this.#width - NAME_WIDTH)
    this.#keep(height)
    const { y } = this.#doc
    this.#doc
      .font(ITALIC)
      .fontSize(10)
      .text(printable(name), MARGIN, y, { width: NAME_WIDTH - 8 })
    const below = this.#doc.y
    this.#doc.y = y
    this.#write(value, { gap: 3, indent: NAME_WIDTH })
    this.#doc.y = Math.max(this.#doc.y, below + 3)
  }

  #write(text: string, { font = REGULAR, size = 10.5, gap = 0, indent = 0 }: Style): void {
    this.#doc.font(font).fontSize(size)
    this.#doc.text(printable(text), MARGIN + indent, this.#doc.y, { width: this.#width - indent, lineGap: 1.5 })
    this.#doc.y += gap
  }

  #height(text: string, width: number, font = REGULAR): number {
    return this.#doc.font(font).fontSize(10.5).heightOfString(printable(text), { width, lineGap: 1.5 })
  }

  /** Goes to the next page unless so much of this one is left, or a page would not do either. */
  #keep(height: number): void {
    const bottom = SIZE[1] - MARGIN
    if (this.#doc.y + height > bottom && height < bottom - MARGIN) this.#doc.addPage()
  }

  #rule(): void {
    const y = this.#doc.y + 3
    this.#doc
      .lineWidth(0.5)
      .moveTo(MARGIN, y)
      .lineTo(SIZE[0] - MARGIN, y)
      .stroke()
    this.#doc.y = y + 6
  }
}

function collected(doc: PDFKit.PDFDocument): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  return new Promise((resolve, reject) => {
    doc.on('data', (part: Uint8Array) => parts.push(part))
    doc.on('end', () => resolve(new Uint8Array(Buffer.concat(parts))))
    doc.on('error', reject)
  })
}
