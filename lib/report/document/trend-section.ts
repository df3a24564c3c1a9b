/**
 * How many differences were open on the nights before, and how old tonight's are: what a mail draws as bars.
 * The drawing is in html/bars.ts and text/bars.ts; the sentence says what the bars show.
 */
import { count, plural } from '../figures.ts'
import type { AgeBand, ComparisonReport } from '../night-report.ts'
import { type BarBlock, type Block, cell, type NightsBlock, type Section } from './blocks.ts'

/** Trend and ages of a comparison; nothing where there is neither a night before nor an old difference. */
export function trendSection({ trend, ages }: ComparisonReport, prefix: string): Section {
  const blocks: Block[] = [...nightsBlock(trend), ...agesBlock(ages)]
  return { title: `${prefix}Open differences, night by night`, blocks }
}

function nightsBlock(trend: ComparisonReport['trend']): NightsBlock[] {
  const tonight = trend.at(-1)
  const most = Math.max(0, ...trend.map(({ open }) => open))
  if (tonight === undefined || trend.length < 2 || most === 0) return []
  const least = Math.min(...trend.map(({ open }) => open))
  const peak = trend.find(({ open }) => open === most)!.date
  return [
    {
      kind: 'nights',
      sentence: `On the last ${count(trend.length)} nights that proved something: at least ${count(least)}, at most ${count(most)} (${peak}), tonight ${count(tonight.open)}.`,
      nights: trend.map(({ open }) => ({ share: open / most })),
      first: trend[0]!.date,
      last: tonight.date,
    },
  ]
}

function agesBlock(ages: readonly AgeBand[]): BarBlock[] {
  const known = ages.filter(band => band.count > 0)
  // All new says the change line already.
  if (known.every(({ to }) => to === 0)) return []
  const most = Math.max(...known.map(band => band.count))
  return [
    {
      kind: 'bars',
      labelTitle: 'Age in business days',
      valueTitle: 'Differences',
      items: ages.map(band => ({
        label: ageText(band),
        value: cell(count(band.count)),
        share: band.count / most,
      })),
    },
  ]
}

function ageText({ from, to }: AgeBand): string {
  if (to === null) return `more than ${plural(from - 1, 'day')}`
  return from === to ? `${count(from)}: since tonight` : `${count(from)} to ${plural(to, 'day')}`
}
