/**
 * The attachments of a mail: all breaks and all refused records as CSV, the summary as JSON. Big
 * ones are compressed; what would not pass a mail server is cut, and the mail says so.
 */
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { Reject } from '../../model/issue.ts'
import { rejectLines } from '../assemble.ts'
import { ALL_ATTACHED, type Attached } from '../document/blocks.ts'
import { count } from '../figures.ts'
import { columnFacts } from '../mask.ts'
import type { ComparisonReport, NightReport, NightReportInput } from '../night-report.ts'
import type { Attachment } from './attachment.ts'
import { breaksHeader, breaksLines, keyNames } from './breaks-csv.ts'
import { explanationsHeader, explanationsLines, explanationsOf } from './explanations-csv.ts'
import { rejectsHeader, rejectsLines } from './rejects-csv.ts'
import { type SheetFile, sheetFile } from './sheet-file.ts'
import { summaryJson } from './summary-json.ts'

/** Where all rejects are read when the input holds only the first ones. */
export interface AttachmentSources {
  readonly rejects?: () => AsyncIterable<Reject>
}

/** A compressed file is left out above this: mail servers commonly refuse from 10 to 25 MB on. */
const COMPRESSED_LIMIT = 8_000_000

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
    const name = `breaks-${index + 1}`
    const whole = await wholeBreaksFile(comparison, input, name)
    if (whole !== null) {
      attachments.push(whole)
      const explanations = await explanationsFile(input, index)
      if (explanations !== null) attachments.push(explanations)
      continue
    }
    const known = [...comparison.breaks, ...comparison.acknowledged]
    const keys = keyNames(known)
    const found = `${comparison.name}@${report.run.businessDate}#${report.comparison ?? 0}`
    const csv = await sheetFile(name, breaksHeader(keys), known, block => breaksLines(block, keys, found))
    attachments.push(csv.attachment)
    if (csv.written < comparison.breaksTotal) cut.set(comparison.name, firstOnly(csv.written))
  }
  let rejects = ALL_ATTACHED.rejects
  if (report.rejectsTotal > 0) {
    const csv = await rejectsCsv(report, input, sources)
    attachments.push(csv.attachment)
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

/**
 * The breaks file as reconcile wrote it (compare/breaks-file.ts), when there are more breaks than fit
 * in memory. Null when it is not needed, is gone, or may hold personal values, which it shows unmasked.
 */
async function wholeBreaksFile(
  { breaks, acknowledged, breaksTotal, breaksFile }: ComparisonReport,
  input: NightReportInput,
  name: string,
): Promise<Attachment | null> {
  if (breaks.length + acknowledged.length >= breaksTotal || breaksFile === null) return null
  if (columnFacts(input.job.map).anyPersonal) return null
  const chunks: Buffer[] = []
  let size = 0
  try {
    await pipeline(createReadStream(breaksFile), createGzip(), async compressed => {
      for await (const chunk of compressed) {
        chunks.push(chunk as Buffer)
        size += (chunk as Buffer).length
        if (size > COMPRESSED_LIMIT) return
      }
    })
  } catch {
    return null
  }
  if (size > COMPRESSED_LIMIT) return null
  return { name: `${name}.csv.gz`, contentType: 'application/gzip', content: Buffer.concat(chunks) }
}

/** The explanations of all breaks beside a breaks file that does not have them; null when there are none. */
async function explanationsFile(
  { comparisons }: NightReportInput,
  index: number,
): Promise<Attachment | null> {
  const file = comparisons[index]?.explanationsFile
  if (file === undefined) return null
  const name = `explanations-${index + 1}`
  const csv = await sheetFile(name, explanationsHeader(), explanationsOf(file), explanationsLines)
  return csv.written === 0 ? null : csv.attachment
}

async function rejectsCsv(
  report: NightReport,
  input: NightReportInput,
  sources: AttachmentSources,
): Promise<SheetFile> {
  const columns = columnFacts(input.job.map)
  const all =
    input.rejects.length < report.rejectsTotal ? (sources.rejects?.() ?? input.rejects) : input.rejects
  return sheetFile('rejects', rejectsHeader(), all, block =>
    rejectsLines(rejectLines(block, input.files, columns)),
  )
}
