/**
 * The attachments of a mail: all breaks and all refused records as CSV, the summary as JSON. Big
 * ones are compressed; what would not pass a mail server is cut, and the mail says so.
 */
import { gzipSync } from 'node:zlib'
import type { Break } from '../../model/break.ts'
import type { Reject } from '../../model/issue.ts'
import { rejectLines } from '../assemble.ts'
import { breakLine } from '../assemble-comparison.ts'
import { ALL_ATTACHED, type Attached } from '../document/blocks.ts'
import { count } from '../figures.ts'
import { columnFacts } from '../mask.ts'
import type {
  BreakLine,
  ComparisonReport,
  NightReport,
  NightReportInput,
  RejectLine,
} from '../night-report.ts'
import { breaksHeader, breaksLines, keyNames } from './breaks-csv.ts'
import { rejectsHeader, rejectsLines } from './rejects-csv.ts'
import { BYTE_ORDER_MARK } from './spreadsheet.ts'
import { summaryJson } from './summary-json.ts'

/** A file that goes with a mail. The name is ours: no name from outside is in it. */
export interface Attachment {
  readonly name: string
  readonly contentType: string
  readonly content: Buffer
}

/** Where all breaks and rejects are read when the report holds only the first ones. */
export interface AttachmentSources {
  readonly breaks?: (reconciliation: string) => AsyncIterable<Break> | null
  readonly rejects?: () => AsyncIterable<Reject>
}

/** Text larger than this is compressed: people open CSV directly, but not 50 MB of it in a mailbox. */
const PLAIN_LIMIT = 2_000_000

/** Text is cut here. 64 MB of breaks compress to about 6 MB; mail servers commonly refuse from 10 to 25 MB on. */
const TEXT_LIMIT = 64_000_000

/** Lines per block of text, so that few strings are long. */
const BLOCK = 2_000

/** The attachments of a report, and where the notes in the mail say that the rest is. */
export async function attachmentsOf(
  report: NightReport,
  input: NightReportInput,
  sources: AttachmentSources,
): Promise<{ readonly attachments: readonly Attachment[]; readonly attached: Attached }> {
  const attachments: Attachment[] = []
  const cut = new Map<string, string>()
  for (const [index, comparison] of report.comparisons.entries()) {
    if (comparison.breaksTotal === 0) continue
    const csv = await breaksCsv(comparison, input, sources, index)
    attachments.push(csvFile(`breaks-${index + 1}`, csv.text))
    if (csv.written < comparison.breaksTotal) cut.set(comparison.name, firstOnly(csv.written))
  }
  let rejects = ALL_ATTACHED.rejects
  if (report.rejectsTotal > 0) {
    const csv = await rejectsCsv(report, input, sources)
    attachments.push(csvFile('rejects', csv.text))
    if (csv.written < report.rejectsTotal) rejects = firstOnly(csv.written)
  }
  attachments.push({
    name: 'summary.json',
    contentType: 'application/json; charset=utf-8',
    content: Buffer.from(summaryJson(report)),
  })
  return {
    attachments,
    attached: { breaks: name => cut.get(name) ?? ALL_ATTACHED.breaks(name), rejects },
  }
}

function firstOnly(written: number): string {
  return `the first ${count(written)} in the attachment, all kept with the run`
}

async function breaksCsv(
  { breaks, acknowledged, breaksTotal, name }: ComparisonReport,
  input: NightReportInput,
  sources: AttachmentSources,
  index: number,
): Promise<Written> {
  const known = [...breaks, ...acknowledged]
  const keys = keyNames(known)
  const all = known.length < breaksTotal ? (sources.breaks?.(name) ?? null) : null
  const columns = columnFacts(input.job.map)
  const history = input.comparisons[index]!.history
  const lines = all === null ? known : mapped(all, found => [breakLine(found, history, columns)])
  return written(
    breaksHeader(keys),
    lines,
    (block: readonly BreakLine[]) => breaksLines(block, keys),
    () => '',
  )
}

async function rejectsCsv(
  report: NightReport,
  input: NightReportInput,
  sources: AttachmentSources,
): Promise<Written> {
  const columns = columnFacts(input.job.map)
  const all = input.rejects.length < report.rejectsTotal ? (sources.rejects?.() ?? null) : null
  const lines =
    all === null ? report.rejects : mapped(all, reject => rejectLines([reject], input.files, columns))
  // Several lines may tell of one record: written counts records.
  return written(rejectsHeader(), lines, rejectsLines, (line: RejectLine) => `${line.file}:${line.line}`)
}

interface Written {
  readonly text: readonly string[]
  readonly written: number
}

/** Lines in blocks, at most TEXT_LIMIT characters. Consecutive lines with one `identity` count once; an empty one counts each. */
async function written<L>(
  header: string,
  lines: Iterable<L> | AsyncIterable<L>,
  textOf: (block: readonly L[]) => string,
  identity: (line: L) => string,
): Promise<Written> {
  const text = [BYTE_ORDER_MARK + header]
  let size = header.length
  let records = 0
  let last = ''
  let block: L[] = []
  const flush = () => {
    text.push(textOf(block))
    size += text.at(-1)!.length
    block = []
  }
  for await (const line of lines) {
    const id = identity(line)
    if (size > TEXT_LIMIT) break
    if (id === '' || id !== last) records += 1
    last = id
    block.push(line)
    if (block.length === BLOCK) flush()
  }
  flush()
  return { text, written: records }
}

async function* mapped<A, B>(items: AsyncIterable<A>, change: (item: A) => readonly B[]): AsyncGenerator<B> {
  for await (const item of items) yield* change(item)
}

function csvFile(name: string, text: readonly string[]): Attachment {
  const content = Buffer.from(text.join(''))
  if (content.length <= PLAIN_LIMIT) {
    return { name: `${name}.csv`, contentType: 'text/csv; charset=utf-8', content }
  }
  return { name: `${name}.csv.gz`, contentType: 'application/gzip', content: gzipSync(content) }
}
