/**
 * How a file can be read when no job says so: format, charset, dialect, preamble and header, each
 * guessed only where it is not given. For `preview` and `compare`; jobs declare.
 */
import { basename } from 'node:path'
import { byteOrderMark } from '../format/byte-order-mark.ts'
import { canonicalCharset, openDecoder } from '../format/charset.ts'
import { csvParseReader } from '../format/csv-read.ts'
import type { CsvSpec } from '../model/job.ts'
import type { StepContext } from '../model/progress.ts'
import { csv } from './csv.ts'
import { guessCharset } from './guess-charset.ts'
import { type DialectGuess, type GivenDialect, guessDialect } from './guess-dialect.ts'
import { fileChunks } from './source-text.ts'

/** What the user has said; everything else is guessed. */
export interface GivenReading extends GivenDialect {
  readonly format?: 'csv' | 'xml'
  readonly charset?: string
  /** False: the first record is data, columns are named `1`, `2`, ... */
  readonly header?: boolean
  readonly preamble?: number
  readonly footer?: readonly string[]
  /** XML: path of the record element. */
  readonly record?: string
}

/** How to read a file, and what of that was guessed rather than given or stated by the file. */
export type Guess =
  | { readonly format: 'csv'; readonly spec: CsvSpec; readonly guessed: readonly string[] }
  | {
      readonly format: 'xml'
      readonly charset: string | null
      readonly record: string | null
      readonly guessed: readonly string[]
    }

/** Bytes that dialects are tried on. */
const SAMPLE_BYTES = 262_144

/** Lines among which a header is looked for: the longest preamble of a known bank export has 13. */
const HEADER_WITHIN = 40

/**
 * How to read a file.
 * @throws PARSE_FILE_UNREADABLE, CONFIG_CHARSET_UNKNOWN, CONFIG_PARSE_INVALID for given options that can't be meant
 */
export async function guessSpec(path: string, given: GivenReading, context: StepContext): Promise<Guess> {
  const { head, whole } = await readHead(path, context)
  const guessed: string[] = []
  if (
    given.format !== 'csv' &&
    (given.format === 'xml' || given.record !== undefined || looksLikeXml(head))
  ) {
    return { format: 'xml', charset: given.charset ?? null, record: given.record ?? null, guessed }
  }
  let charset = given.charset
  if (charset === undefined) {
    const found = await guessCharset(fileChunks(path, basename(path), context))
    charset = found.charset
    if (!found.certain) guessed.push('charset')
  }
  const sample = sampleText(head, canonicalCharset(charset))
  const separator = given.delimiter === undefined ? /^sep=([^\r\n])(?=[\r\n])/.exec(sample)?.[1] : undefined
  const found = guessDialect(
    sample,
    whole,
    separator === undefined ? given : { ...given, delimiter: separator },
  )
  if (given.delimiter === undefined && separator === undefined) guessed.push('delimiter')
  if (given.quote === undefined) guessed.push('quote')
  const noHeader = given.header === false
  const preamble = given.preamble ?? (noHeader ? 0 : preambleOf(found))
  if (given.preamble === undefined && preamble > 0) guessed.push('preamble')
  const spec = csv({
    ...found.dialect,
    charset,
    preamble,
    footer: given.footer ?? [],
    header: noHeader ? Array.from({ length: found.width }, (_, index) => `${index + 1}`) : 'first',
    allowEmpty: !noHeader,
  })
  return { format: 'csv', spec, guessed }
}

async function readHead(path: string, context: StepContext): Promise<{ head: Buffer; whole: boolean }> {
  const parts: Buffer[] = []
  let length = 0
  for await (const chunk of fileChunks(path, basename(path), context)) {
    if (length >= SAMPLE_BYTES) return { head: Buffer.concat(parts), whole: false }
    parts.push(Buffer.from(chunk))
    length += chunk.length
  }
  return { head: Buffer.concat(parts), whole: true }
}

/** The sample as text; what can't be decoded ends it, parsing will tell. */
function sampleText(head: Buffer, charset: string): string {
  const mark = byteOrderMark(head)
  const known = charset === 'utf-16' ? (mark?.charset ?? 'utf-16le') : charset
  return openDecoder(known).decode(head.subarray(mark?.length ?? 0))
}

function looksLikeXml(head: Buffer): boolean {
  const text = head.subarray(0, 200).toString('latin1').replaceAll('\0', '')
  return /^(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*<(?:\?xml|!--|!DOCTYPE|[A-Za-z_][\w.:-]*[\s/>])/.test(text)
}

/** Lines before the header: those of another width, or mostly empty, as exports of bank statements have them. */
function preambleOf({ dialect, width, records }: DialectGuess): number {
  const reader = csvParseReader(dialect, width)
  const header = records.slice(0, HEADER_WITHIN).findIndex(({ cells, text }) => {
    if (cells !== width) return false
    const row = reader.read([text])[0]!
    return !Array.isArray(row) || row.filter(cell => cell === '').length * 2 < width
  })
  if (header <= 0) return 0
  return dialect.recordEnds === null ? records[header]!.line - 1 : header
}
