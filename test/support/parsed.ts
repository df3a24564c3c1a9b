/**
 * Parses bytes given in a test, in chunks of any size, and gathers everything that comes out.
 */
import type { Reject } from '../../lib/model/issue.ts'
import type { CsvSpec, ParseSpec } from '../../lib/model/job.ts'
import type { ParsedFile, SourceRecord } from '../../lib/model/record.ts'
import { parseChunks } from '../../lib/parse/parse-file.ts'

/** Everything that a file gave. */
export interface Parsed {
  readonly records: readonly SourceRecord[]
  readonly rejects: readonly Reject[]
  readonly summary: ParsedFile
  readonly columns: readonly string[]
}

/** The bytes in chunks whose memory is overwritten afterwards, as a file reader does. */
export async function* inChunks(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = Math.max(1, sizes[turn % sizes.length]!)
    const chunk = Buffer.from(bytes.subarray(at, at + size))
    at += size
    yield chunk
    chunk.fill(0x21)
  }
}

/** Parses text (as UTF-8) or bytes. */
export async function parsed(
  content: string | Buffer,
  spec: ParseSpec,
  options: {
    readonly chunks?: readonly number[]
    readonly needed?: Readonly<Record<string, readonly string[]>>
  } = {},
): Promise<Parsed> {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  const stream = parseChunks(inChunks(bytes, options.chunks ?? [bytes.length]), spec, {
    file: 3,
    neededColumns: options.needed ?? {},
    name: 'delivery.csv',
  })
  const records: SourceRecord[] = []
  const rejects: Reject[] = []
  for await (const block of stream.blocks) {
    records.push(...block.records)
    rejects.push(...block.rejects)
  }
  const columns = [...stream.shapes().values()][0]!
  return { records, rejects, summary: stream.summary(), columns }
}

/**
 * The same file behind 1,200 bytes of preamble. The first kilobyte is always read at once to judge the charset,
 * so only what stands behind it meets the borders of small chunks.
 */
export function behindPreamble(text: string, spec: CsvSpec): [string, CsvSpec] {
  const end = spec.recordEnds?.[0] ?? '\n'
  return [`x${end}`.repeat(600) + text, { ...spec, preamble: 600 }]
}

/** Lines and values of records, for comparing. */
export function rows({ records }: Parsed): unknown[] {
  return records.map(record => [record.line, ...record.values])
}

/** Lines and codes of rejects, for comparing. */
export function refused({ rejects }: Parsed): unknown[] {
  return rejects.map(reject => [reject.line, reject.issues[0]!.code, reject.raw])
}
