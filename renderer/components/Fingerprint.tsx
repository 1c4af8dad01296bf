import { text } from '../text/index.ts'
import { type Fact, Facts } from './Facts.tsx'
import css from './Fingerprint.module.css'
import { hexGroups, words } from './format.ts'
import { QrCode } from './QrCode.tsx'

export type FingerprintProps = {
  /** The digest: 43 base64url characters. */
  digest: string
  title?: string
  /** Beside the title, in place of "SHA-256, sixteen groups of four". */
  note?: string
  /** What it covers, label and value. */
  covers?: readonly Fact[]
  /** What the QR code holds; without it none is drawn. */
  qr?: string | undefined
  qrLabel?: string
  /** Numbers of the words asked for, from 1: covered, because they must come from the voice. */
  covered?: readonly number[]
  /** Leaves the 24 words out. */
  wordless?: boolean
}

/** A digest to compare: sixteen groups of four, what it covers, a QR code, and 24 words down the columns. */
export function Fingerprint({ digest, title, note, covers, qr, qrLabel, covered = [], wordless }: FingerprintProps) {
  return (
    <section className={css.block}>
      <div className={css.top}>
        <div className={css.hex}>
          <Head title={title ?? text.compare.fingerprint} note={note ?? text.compare.sixteen} />
          <HexGroups digest={digest} />
        </div>
        {covers && (
          <div className={css.covers}>
            <h2>{text.compare.covers}</h2>
            <Facts facts={covers} />
          </div>
        )}
        {qr !== undefined && (
          <figure className={css.qr}>
            <QrCode content={qr} label={qrLabel ?? text.compare.same} />
            <figcaption>{qrLabel ?? text.compare.same}</figcaption>
          </figure>
        )}
      </div>
      {!wordless && <Words digest={digest} covered={covered} />}
    </section>
  )
}

const Head = ({ title, note }: { title: string; note: string }) => (
  <header className={css.head}>
    <h2>{title}</h2>
    <span>{note}</span>
  </header>
)

const numbered = (items: readonly string[]) => items.map((item, index) => ({ number: index + 1, item }))

/** Four groups a row, with the number of each row's first group. */
export function HexGroups({ digest, rows = 4 }: { digest: string; rows?: number }) {
  const groups = numbered(hexGroups(digest)).slice(0, rows * 4)
  const firsts = groups.filter(({ number }) => number % 4 === 1)
  return (
    <ol className={css.rows}>
      {firsts.map(({ number: first }) => (
        <li key={first}>
          <span className={css.ordinal}>{first}</span>
          {groups.slice(first - 1, first + 3).map(({ number, item }) => (
            <span key={number} className={css.group}>
              {item}{' '}
            </span>
          ))}
        </li>
      ))}
    </ol>
  )
}

const COLUMN = 6

function Words({ digest, covered }: { digest: string; covered: readonly number[] }) {
  const all = numbered(words(digest))
  const columns = all.filter(({ number }) => number % COLUMN === 1)
  return (
    <div className={css.words}>
      <Head title={text.compare.words} note={text.compare.down} />
      <div className={css.columns}>
        {columns.map(({ number: first }) => (
          <ol key={first} start={first}>
            {all.slice(first - 1, first - 1 + COLUMN).map(({ number, item }) => (
              <li key={number}>
                <span className={css.ordinal}>{number}</span>
                {covered.includes(number) ? <span className={css.covered}>{text.compare.covered}</span> : item}
              </li>
            ))}
          </ol>
        ))}
      </div>
    </div>
  )
}

/** Half of it for a narrow column: two rows of groups and four words; the whole stands on paper. */
export function FingerprintHalf({ digest, title }: { digest: string; title: string }) {
  return (
    <section>
      <h2>{title}</h2>
      <p className={css.half}>
        {[0, 4].map((first) => (
          <span key={first}>
            {hexGroups(digest)
              .slice(first, first + 4)
              .join(' ')}
          </span>
        ))}
      </p>
      <p className={css.halfNote}>{text.compare.half}</p>
      <ol className={css.firstWords}>
        {numbered(words(digest).slice(0, 4)).map(({ number, item }) => (
          <li key={number}>
            <span className={css.ordinal}>{number}</span> {item}
          </li>
        ))}
      </ol>
    </section>
  )
}
