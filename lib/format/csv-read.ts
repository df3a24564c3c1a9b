/**
 * Reads the cells of whole records through csv-parse: the only importer of that package. Records
 * are cut before, in csv-split.ts, and only sound ones of equal width come here, so csv-parse works
 * as a second, strict opinion: what it can't read, or reads with another number of cells, is told.
 */
import { type Options, parse } from 'csv-parse/sync'
import { type CsvDialect, recordEnds } from './csv-dialect.ts'

/** The cells of one record, or why they can't be read. */
export type Cells = string[] | { readonly problem: string }

/**
 * Reads cells of records of one dialect and width. The seam for faster readers of simpler dialects;
 * each must give exactly what this one gives.
 */
export interface RecordReader {
  /** One answer per record text, in order. */
  read(records: readonly string[]): readonly Cells[]
}

/** The reader for any dialect. */
export function csvParseReader(dialect: CsvDialect, cells: number): RecordReader {
  const end = dialect.recordEnds?.[0] ?? '\n'
  // No `relax_*` and no `skip_records_with_error`: they repair or swallow rows. No `bom`: the decoder cut it off,
  // and a U+FEFF here is data. No `max_record_size`: csv-split.ts bounds records before they come here.
  const options: Options = {
    delimiter: dialect.delimiter,
    quote: dialect.quote,
    escape: dialect.escape,
    record_delimiter: [...recordEnds(dialect)],
  }
  const readOne = (text: string): Cells => {
    try {
      const row = (parse(text + end, options) as string[][])[0]
      return row === undefined || row.length !== cells ? { problem: `it has ${row?.length ?? 0} cells` } : row
    } catch (error) {
      return { problem: error instanceof Error ? error.message : String(error) }
    }
  }
  return {
    read(records) {
      if (records.length === 0) return []
      try {
        const rows = parse(records.join(end) + end, options) as string[][]
        if (rows.length === records.length && rows[0]!.length === cells) return rows
      } catch {
        // One record spoils the block; each is read on its own, so that only that one is refused.
      }
      return records.map(readOne)
    },
  }
}
