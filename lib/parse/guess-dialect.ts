/**
 * The dialect of delimited text, when nobody says: every plausible one is tried on the file's first
 * records, and the one under which most of them have the same number of cells wins. Jobs declare
 * their dialect; only `preview` and `compare` guess.
 */
import type { CsvDialect } from '../format/csv-dialect.ts'
import { RecordSplitter } from '../format/csv-split.ts'
import { ParseError } from '../model/errors.ts'

/** What the user has said already. */
export interface GivenDialect {
  readonly delimiter?: string
  readonly quote?: string | null
  readonly escape?: string
  readonly recordEnds?: readonly string[] | null
}

/** One record of the sample. */
export interface SampleRecord {
  readonly line: number
  readonly text: string
  readonly cells: number
}

/** A dialect with what it made of the sample. */
export interface DialectGuess {
  readonly dialect: CsvDialect
  /** The usual number of cells. */
  readonly width: number
  readonly records: readonly SampleRecord[]
}

/** Delimiters that are tried, the more usual first: the first of equals wins. */
const DELIMITERS = [
  ',',
  ';',
  '\t',
  '|',
  '+|',
  '||',
  '|~|',
  '~|',
  '::',
  '#~#',
  '@',
  '~',
  '^',
  '\u001f',
  '\u0001',
]

/** Records that are looked at. */
const SAMPLE_RECORDS = 500

/** The most plausible dialect of a text; `whole` when the text is the whole file and not only its start. */
export function guessDialect(text: string, whole: boolean, given: GivenDialect): DialectGuess {
  let best: DialectGuess | null = null
  let bestScore = Number.NEGATIVE_INFINITY
  for (const dialect of candidates(text, given)) {
    const tried = attempt(dialect, text, whole)
    if (tried !== null && tried.score > bestScore) {
      bestScore = tried.score
      best = tried.guess
    }
  }
  if (best !== null) return best
  const dialect = makeDialect(
    given.delimiter ?? ',',
    given.quote === undefined ? '"' : given.quote,
    given,
    given.recordEnds ?? null,
  )
  return { dialect, width: 1, records: [] }
}

function* candidates(text: string, given: GivenDialect): Generator<CsvDialect> {
  const present = DELIMITERS.filter(delimiter => text.includes(delimiter))
  const delimiters =
    given.delimiter === undefined ? (present.length === 0 ? [','] : present) : [given.delimiter]
  const quotes = given.quote === undefined ? (text.includes('"') ? ['"', null] : ['"']) : [given.quote]
  const endings = given.recordEnds === undefined ? [null, ...unusualEnds(text)] : [given.recordEnds]
  for (const delimiter of delimiters) {
    for (const quote of quotes) {
      for (const recordEnds of endings) {
        yield makeDialect(delimiter, quote, given, recordEnds)
        if (given.escape === undefined && quote === '"' && text.includes('\\"')) {
          yield { ...makeDialect(delimiter, quote, given, recordEnds), escape: '\\' }
        }
      }
    }
  }
}

function makeDialect(
  delimiter: string,
  quote: string | null,
  given: GivenDialect,
  recordEnds: readonly string[] | null,
): CsvDialect {
  return { delimiter, quote, escape: given.escape ?? quote ?? '"', recordEnds }
}

/** Record ends such as `&|\n`: two to four signs that stand before many line ends. One sign alone is an empty last cell. */
function unusualEnds(text: string): readonly (readonly string[])[] {
  const lines = text.split('\n', SAMPLE_RECORDS)
  const counts = new Map<string, number>()
  for (const line of lines) {
    const found = /([^\p{L}\p{N}\s"'.,;:<>()[\]{}/-]{2,4})(\r?)$/u.exec(line)
    if (found !== null && new Set(found[1]).size > 1) {
      const end = `${found[1]}${found[2]}\n`
      counts.set(end, (counts.get(end) ?? 0) + 1)
    }
  }
  const [end, count] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? ['', 0]
  return count > lines.length * 0.1 ? [[end]] : []
}

function attempt(
  dialect: CsvDialect,
  text: string,
  whole: boolean,
): { guess: DialectGuess; score: number } | null {
  const records: SampleRecord[] = []
  let problems = 0
  let broken = false
  const splitter = new RecordSplitter(dialect, 1_048_576, 'sample')
  try {
    splitter.push(text)
    if (whole) splitter.finish()
    for (
      let record = splitter.next(-1);
      record !== null && records.length < SAMPLE_RECORDS;
      record = splitter.next(-1)
    ) {
      if (record.text === '') continue
      if (record.problem !== null) problems += 1
      records.push(record)
    }
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    broken = true
  }
  if (records.length === 0) return null
  const width = usualWidth(records)
  const agreeing = records.filter(record => record.cells === width).length
  const opened = records.some(record => opensQuoted(record.text, dialect.delimiter))
  // A cell that begins with a quote is a quoted one: taking it as text would hide a quote that is never closed.
  if (dialect.quote === null && opened) return null
  const score =
    (width === 1 ? 0.1 : 1) * (agreeing / records.length) -
    Math.min(1, problems / records.length) -
    (broken ? 0.5 : 0) +
    (records[0]!.cells === width ? 0.1 : 0) +
    // Of equals: quotes where cells begin with them, longer delimiters (`+|` holds `|`), unusual ends where they end records.
    (dialect.quote === null ? 0.01 : opened ? 0.05 : 0.02) +
    (dialect.delimiter.length - 1) * 0.02 +
    (dialect.recordEnds === null ? 0 : 0.05)
  return { guess: { dialect, width, records }, score }
}

function opensQuoted(text: string, delimiter: string): boolean {
  return text.startsWith('"') || text.includes(`${delimiter}"`)
}

/** The number of cells of at least two that most cells of the sample belong to, so that a long preamble does not outweigh few records. */
function usualWidth(records: readonly SampleRecord[]): number {
  const counts = new Map<number, number>()
  for (const { cells } of records) if (cells > 1) counts.set(cells, (counts.get(cells) ?? 0) + 1)
  return [...counts].sort((a, b) => b[0] * b[1] - a[0] * a[1])[0]?.[0] ?? 1
}
