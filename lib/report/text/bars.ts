/**
 * Bars of a mail as characters: one column a night, one row a label. What they show stands beside them as text.
 */
import type { BarBlock, NightsBlock } from '../document/blocks.ts'
import { tableLines, wrap } from './table.ts'

/** Heights of a bar, lowest first; a night without differences is a point on the line. */
const HEIGHTS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const
const NONE = '.'

/** Longest bar, characters. */
const LONGEST = 30

/** One character a night, tonight the last. */
export function nightsLines({ sentence, nights, first, last }: NightsBlock): string[] {
  const bars = nights.map(({ share }) =>
    share === 0 ? NONE : HEIGHTS[Math.max(0, Math.round(share * HEIGHTS.length) - 1)],
  )
  return [...wrap(sentence), '', `  ${bars.join('')}`, `  ${first} to ${last}`, '']
}

/** A table with a bar in its last column. */
export function barsLines({ labelTitle, valueTitle, items }: BarBlock): string[] {
  return tableLines(
    [
      { title: labelTitle, align: 'left' },
      { title: valueTitle, align: 'right' },
      { title: '', align: 'left' },
    ],
    items.map(({ label, value, share }) => [
      { text: label, tone: 'plain' },
      value,
      { text: '#'.repeat(share === 0 ? 0 : Math.max(1, Math.round(share * LONGEST))), tone: 'plain' },
    ]),
  )
}
