import type { RecordBody } from '../formats/record.ts'

/** The script as planned, as plain text that prints on any machine. */
export function scriptText({ ceremony, kind, script }: Pick<RecordBody, 'ceremony' | 'kind' | 'script'>): string {
  const part = (name: string, text: string): string[] => (text === '' ? [] : [`   ${name}: ${oneLine(text)}`])
  const steps = script.map((step, index) =>
    [
      `${index + 1}. ${oneLine(step.title)}`,
      ...part('Who', step.who),
      ...part('Read aloud', step.readAloud),
      ...part('Do', step.do),
      ...part('Observe', step.observe),
      '   Initials: ______   Time (UTC): ______',
    ].join('\n'),
  )
  return `${[`Script of ${oneLine(ceremony)} (${kind})`, ...steps].join('\n\n')}\n`
}

const oneLine = (text: string): string => text.replace(/\s+/gu, ' ').trim()
