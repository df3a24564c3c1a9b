/**
 * What a mail is made of before it is HTML or text: sections of blocks with finished texts. Both
 * renderers write the same blocks, so that no figure can stand in one part and not in the other.
 */
import type { Status } from '../night-report.ts'

/** How a text is meant; renderers never express it by colour alone. */
export type Tone = 'good' | 'bad' | 'warn' | 'plain' | 'quiet'

/** A cell; numbers and amounts stand in right-aligned columns. */
export interface Cell {
  readonly text: string
  readonly tone: Tone
}

/** A column of a table: numbers stand at the right. */
export interface TableColumn {
  readonly title: string
  readonly align: 'left' | 'right'
}

/** A table; the first cell of each row is the row's heading. `note` says what is not shown. */
export interface TableBlock {
  readonly kind: 'table'
  readonly columns: readonly TableColumn[]
  readonly rows: readonly (readonly Cell[])[]
  readonly note: string
}

/** One break: its key, what is wrong, and both values of each column concerned. */
export interface BreakItem {
  readonly key: string
  readonly what: string
  readonly state: string
  readonly tone: Tone
  readonly values: readonly {
    readonly name: string
    readonly left: string
    readonly right: string
    readonly delta: string
  }[]
  /** Age, owner, file and line, hint, each a short text. */
  readonly remarks: readonly string[]
}

/** Breaks one under the other, with the names of both sides over their values. */
export interface BreaksBlock {
  readonly kind: 'breaks'
  readonly leftTitle: string
  readonly rightTitle: string
  readonly items: readonly BreakItem[]
  readonly note: string
}

/** One bar a night, oldest first, tonight last; `share` is of the highest. The sentence says what they show. */
export interface NightsBlock {
  readonly kind: 'nights'
  readonly sentence: string
  readonly nights: readonly { readonly share: number }[]
  readonly first: string
  readonly last: string
}

/** Numbers with a bar each; `share` is of the largest. */
export interface BarBlock {
  readonly kind: 'bars'
  readonly labelTitle: string
  readonly valueTitle: string
  readonly items: readonly { readonly label: string; readonly value: Cell; readonly share: number }[]
}

/** One piece of a section. */
export type Block =
  | TableBlock
  | BreaksBlock
  | NightsBlock
  | BarBlock
  | { readonly kind: 'sentence'; readonly text: string; readonly tone: Tone }
  | { readonly kind: 'list'; readonly items: readonly Cell[] }
  /** Lines to be copied as they stand: never wrapped into other lines. */
  | { readonly kind: 'lines'; readonly lines: readonly string[]; readonly note: string }
  /** Numbers that stand out, such as `2 new`. */
  | {
      readonly kind: 'figures'
      readonly items: readonly { readonly value: string; readonly label: string; readonly tone: Tone }[]
    }
  /** Sums that must hold, each with its subject. */
  | {
      readonly kind: 'laws'
      readonly items: readonly {
        readonly subject: string
        readonly equation: string
        readonly holds: boolean
      }[]
      readonly note: string
    }
  | { readonly kind: 'facts'; readonly items: readonly { readonly name: string; readonly value: string }[] }
  | {
      readonly kind: 'commands'
      readonly items: readonly { readonly purpose: string; readonly line: string }[]
    }

/** A headed part of a mail; without a title its blocks follow the top directly. */
export interface Section {
  readonly title: string
  readonly blocks: readonly Block[]
}

/** A whole mail, ready to be written as HTML and as text. */
export interface MailDocument {
  readonly status: Status
  readonly subject: string
  /** Job, date, environment. */
  readonly kicker: string
  readonly headline: string
  readonly action: string
  /** What happens when nobody acts; empty where there is nothing to do. */
  readonly urgency: string
  /** Said before everything else, such as "replaces the report of attempt 1". */
  readonly notices: readonly string[]
  readonly sections: readonly Section[]
  readonly footer: readonly string[]
}

/** Where what is not shown can be found, as the notes say it. */
export interface Attached {
  /** For the breaks of a comparison: `all in the attachment`. */
  breaks(reconciliation: string): string
  readonly rejects: string
}

/** Everything is in the attachments. */
export const ALL_ATTACHED: Attached = {
  breaks: () => 'all in the attachment',
  rejects: 'all in the attachment',
}

/** How much a mail shows; smaller levels are taken until it fits (html/fit). */
export interface Level {
  /** Rows of a section. */
  readonly rows: number
  /** Characters of a value. */
  readonly characters: number
  /** Columns of one break. */
  readonly columns: number
  /** Comparisons that are told in full. */
  readonly comparisons: number
}

/** The levels, most generous first. The last one fits at any data: held by a test with hostile values. */
export const LEVELS: readonly [Level, ...Level[]] = [
  { rows: 20, characters: 120, columns: 8, comparisons: 6 },
  { rows: 10, characters: 80, columns: 6, comparisons: 4 },
  { rows: 5, characters: 60, columns: 4, comparisons: 3 },
  { rows: 2, characters: 30, columns: 3, comparisons: 2 },
]

/** A cell without further meaning, or with one. */
export function cell(text: string, tone: Tone = 'plain'): Cell {
  return { text, tone }
}

/** `20 of 311 shown, all in the attachment`; empty when all are shown. */
export function shownNote(shown: number, total: number, where: string): string {
  return shown >= total
    ? ''
    : `${shown} of ${String(total).replace(/\B(?=(?:\d{3})+$)/g, ',')} shown, ${where}`
}
