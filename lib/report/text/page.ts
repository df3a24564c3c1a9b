/**
 * A MailDocument as plain text of 78 columns, as good to read as the HTML: the same sections and
 * figures, tables aligned, tones as words. Commands and statements are never wrapped: they are copied.
 */
import type { Block, BreaksBlock, MailDocument, Section } from '../document/blocks.ts'
import { barsLines, nightsLines } from './bars.ts'
import { indented, tableLines, WIDTH, wrap } from './table.ts'

/** The document as text; lines end with `\n`. */
export function documentText(document: MailDocument): string {
  const { status, kicker, headline, action, urgency, notices, sections, footer } = document
  const lines = [
    ...wrap(`${status} - ${kicker}`),
    '='.repeat(WIDTH),
    '',
    ...wrap(headline),
    '',
    ...notices.flatMap(notice => [...indented(notice, '* ', '  '), '']),
    ...wrap(action),
    ...(urgency === '' ? [] : wrap(urgency)),
    '',
    ...sections.flatMap(sectionLines),
    '-'.repeat(WIDTH),
    ...footer.flatMap(line => wrap(line)),
  ]
  return `${lines.join('\n').replace(/\n{3,}/g, '\n\n')}\n`
}

function sectionLines({ title, blocks }: Section): string[] {
  const heading = title === '' ? [] : [...wrap(title), '-'.repeat(Math.min(WIDTH, title.length)), '']
  return [...heading, ...blocks.flatMap(block => [...blockLines(block), ''])]
}

function blockLines(block: Block): string[] {
  switch (block.kind) {
    case 'sentence':
      return wrap(block.text)
    case 'list':
      return block.items.flatMap(({ text }) => indented(text, '  - ', '    '))
    case 'lines':
      return [...block.lines.map(line => `    ${line}`.trimEnd()), ...noteLines(block.note)]
    case 'figures':
      return wrap(block.items.map(({ value, label }) => `${value} ${label}`).join('   ')).map(
        line => `  ${line}`,
      )
    case 'laws':
      return [
        ...block.items.flatMap(({ subject, equation, holds }) => [
          ...indented(`${subject}:`, '  ', '  '),
          ...indented(`${equation} (${holds ? 'holds' : 'DOES NOT ADD UP'})`, '    ', '      '),
        ]),
        ...noteLines(block.note),
      ]
    case 'facts':
      return block.items.flatMap(({ name, value }) => indented(`${name}: ${value}`, '  ', '    '))
    case 'commands':
      return block.items.flatMap(({ purpose, line }) => [`  ${purpose}:`, `    ${line}`, ''])
    case 'table':
      return [...tableLines(block.columns, block.rows), ...noteLines(block.note)]
    case 'breaks':
      return breaksLines(block)
    case 'nights':
      return nightsLines(block)
    case 'bars':
      return barsLines(block)
  }
}

function noteLines(note: string): string[] {
  return note === '' ? [] : indented(`${note}.`, '  ', '  ')
}

function breaksLines({ items, leftTitle, rightTitle, note }: BreaksBlock): string[] {
  const columns = [
    { title: 'Column', align: 'left' },
    { title: leftTitle, align: 'right' },
    { title: rightTitle, align: 'right' },
    { title: 'Difference', align: 'right' },
  ] as const
  const lines = items.flatMap(({ key, what, state, values, remarks }, index) => {
    const number = `${index + 1}.`.padEnd(4)
    const rows = values.map(({ name, left, right, delta }) =>
      [name, left, right, delta].map(text => ({ text, tone: 'plain' as const })),
    )
    return [
      ...indented(key, number, '    '),
      ...indented([`${what}, ${state}`, ...remarks].join('; '), '    ', '    '),
      ...(rows.length === 0 ? [] : tableLines(columns, rows, '    ')),
      '',
    ]
  })
  return [...lines, ...noteLines(note)]
}
