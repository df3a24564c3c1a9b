/**
 * The builder `csv({...})`: how a job says what its delimited file looks like. Everything has a
 * default; a declaration that can't be meant is refused here, before any file comes. The file is
 * read in csv-stream.ts.
 */
import { canonicalCharset } from '../format/charset.ts'
import { ConfigError, type TallymanError } from '../model/errors.ts'
import type { CsvSpec, TrailerSpec } from '../model/job.ts'
import { refuseDefinition } from '../model/refusal.ts'

/** What may be said of a delimited file; see {@link CsvSpec} for each. */
export interface CsvOptions {
  /** Default `,`. */
  readonly delimiter?: string
  /** Default `"`. */
  readonly quote?: string | null
  /** Default: the quote, doubled. */
  readonly escape?: string
  /** Default null: CRLF, LF and CR, also mixed. */
  readonly recordEnds?: readonly string[] | null
  /** Default `utf-8`. */
  readonly charset?: string
  /** Default `first`. */
  readonly header?: 'first' | readonly string[]
  /** Default null: the columns that the mapping needs. */
  readonly columns?: readonly string[] | null
  /** Default 0. */
  readonly preamble?: number | { readonly until: string }
  /** Default none. */
  readonly footer?: readonly string[]
  readonly trailer?: TrailerSpec | null
  /** Default false. */
  readonly allowEmpty?: boolean
  /** Default 1 MiB; counted in characters of the decoded text. */
  readonly maxRecordBytes?: number
}

/** A wider record was never seen in a real file, and one this wide still fits in memory many times. */
const MAX_RECORD_BYTES = 1_048_576

/**
 * A delimited file. `csv({ delimiter: ';', charset: 'windows-1252', columns: shipmentColumns })`.
 * @throws CONFIG_PARSE_INVALID naming everything in the declaration that can't be meant.
 */
export function csv(options: CsvOptions = {}): CsvSpec {
  const quote = options.quote === undefined ? '"' : options.quote
  const spec: CsvSpec = {
    format: 'csv',
    delimiter: options.delimiter ?? ',',
    quote,
    escape: options.escape ?? quote ?? '"',
    recordEnds: options.recordEnds ?? null,
    charset: options.charset ?? 'utf-8',
    header: options.header ?? 'first',
    columns: options.columns ?? null,
    preamble: options.preamble ?? 0,
    footer: options.footer ?? [],
    trailer: options.trailer ?? null,
    allowEmpty: options.allowEmpty ?? false,
    maxRecordBytes: options.maxRecordBytes ?? MAX_RECORD_BYTES,
  }
  const complaints = [...dialectComplaints(spec), ...contentComplaints(spec)]
  if (complaints.length > 0) {
    const text = `csv(...) can't be used: ${complaints.join('; ')}. Nothing was started.`
    refuseDefinition(new ConfigError('CONFIG_PARSE_INVALID', text), spec)
  }
  return spec
}

function dialectComplaints(spec: CsvSpec): string[] {
  const { delimiter, quote } = spec
  const complaints: string[] = []
  const ends = spec.recordEnds ?? ['\r', '\n']
  if (delimiter === '') complaints.push('the delimiter is empty')
  if (quote === '') complaints.push('the quote is empty; null means none')
  if (spec.escape === '') complaints.push('the escape is empty')
  if (ends.length === 0 || ends.includes(''))
    complaints.push('a record end is empty; null means any line end')
  if (ends.some(end => delimiter !== '' && end !== '' && delimiter.includes(end))) {
    complaints.push('the delimiter contains a record end')
  }
  if (
    quote !== null &&
    quote !== '' &&
    (delimiter.startsWith(quote) || ends.some(end => end.startsWith(quote)))
  ) {
    complaints.push('the quote is also the delimiter or a record end')
  }
  try {
    canonicalCharset(spec.charset)
  } catch (error) {
    complaints.push((error as TallymanError).message)
  }
  return complaints
}

function contentComplaints(spec: CsvSpec): string[] {
  const complaints: string[] = []
  if (spec.header !== 'first') {
    if (spec.header.length === 0) complaints.push('header is an empty list')
    complaints.push(...doubled(spec.header).map(name => `header names ${JSON.stringify(name)} twice`))
    const known = new Set(spec.header)
    for (const column of [...(spec.columns ?? []), ...Object.values(spec.trailer?.sums ?? {})]) {
      if (!known.has(column)) complaints.push(`column ${JSON.stringify(column)} is not in header`)
    }
  }
  complaints.push(...doubled(spec.columns ?? []).map(name => `columns names ${JSON.stringify(name)} twice`))
  if (spec.footer.includes(''))
    complaints.push('a footer is empty and would end the file at its first record')
  if (typeof spec.preamble === 'object' && spec.preamble.until === '')
    complaints.push('preamble.until is empty')
  if (typeof spec.preamble === 'number' && !(Number.isInteger(spec.preamble) && spec.preamble >= 0)) {
    complaints.push('preamble is no number of lines')
  }
  if (spec.trailer !== null) {
    if (spec.trailer.starts === '') complaints.push('trailer.starts is empty')
    const cells = [
      ...(spec.trailer.count === undefined ? [] : [spec.trailer.count]),
      ...Object.keys(spec.trailer.sums ?? {}).map(Number),
    ]
    if (cells.some(cell => !(Number.isInteger(cell) && cell >= 1)))
      complaints.push('cells of a trailer count from 1')
  }
  if (!(spec.maxRecordBytes >= 1)) complaints.push('maxRecordBytes must be positive')
  return complaints
}

/** Names that stand in a list more than once, each told once. */
export function doubled(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))]
}
