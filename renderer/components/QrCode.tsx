import encodeQR from 'qr'
import { useMemo } from 'react'
import { text } from '../text/index.ts'
import css from './QrCode.module.css'

export type QrCodeProps = {
  content: string
  /** What it holds, for screen readers: "the fingerprint of eu-2". */
  label: string
  /** Side in pixels, with its quiet zone. */
  size?: number
  /** Stronger correction survives a bad print, weaker gives larger modules to a camera. */
  correction?: 'low' | 'medium' | 'quartile' | 'high'
}

/** Black on white in every colour scheme, because cameras need it; one path, so that no seams show between modules. */
export function QrCode({ content, label, size = 148, correction = 'medium' }: QrCodeProps) {
  const { path, side } = useMemo(() => draw(content, correction), [content, correction])
  return (
    <svg
      className={css.qr}
      width={size}
      height={size}
      viewBox={`0 0 ${side} ${side}`}
      role="img"
      aria-label={text.compare.qrOf(label)}
      shapeRendering="crispEdges"
    >
      <rect width={side} height={side} fill="#ffffff" />
      <path d={path} fill="#000000" />
    </svg>
  )
}

/** The quiet zone, in modules: four by ISO/IEC 18004. */
const BORDER = 4

/** Each row's runs of dark modules as rectangles of one path. */
function draw(content: string, ecc: 'low' | 'medium' | 'quartile' | 'high'): { path: string; side: number } {
  const rows = encodeQR(content, 'raw', { ecc, border: BORDER })
  const runs: string[] = []
  for (const [y, row] of rows.entries()) {
    for (let x = 0; x < row.length; x++) {
      if (!row[x]) continue
      const from = x
      while (row[x + 1]) x++
      runs.push(`M${from} ${y}h${x - from + 1}v1h-${x - from + 1}z`)
    }
  }
  return { path: runs.join(''), side: rows.length }
}
